// Included after the target attribute.

/// Stores the first `n` of 8 floats, all if there are more.
CK_INLINE void ck_store8(float *y, size_t n, __m256 v) CK_NONBLOCKING {
  if (n >= 8) {
    _mm256_storeu_ps(y, v);
    return;
  }
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_maskstore_ps(y, _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)n), lanes), v);
}
