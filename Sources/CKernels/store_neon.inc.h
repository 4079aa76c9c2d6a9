/// Stores the first `n` of 4 floats, all if there are more.
CK_INLINE void ck_store4(float *y, size_t n, float32x4_t v) CK_NONBLOCKING {
  if (n >= 4) {
    vst1q_f32(y, v);
    return;
  }
  float lanes[4];
  vst1q_f32(lanes, v);
  for (size_t i = 0; i < n; i++) y[i] = lanes[i];
}

/// ck_clamp of 4 values, with the same result for -0 and NaN.
CK_INLINE float32x4_t ck_clamp4(float32x4_t x, float32x4_t least,
                                float32x4_t greatest) CK_NONBLOCKING {
  x = vbslq_f32(vcgtq_f32(least, x), least, x);
  return vbslq_f32(vcltq_f32(greatest, x), greatest, x);
}
