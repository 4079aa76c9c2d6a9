// Vectors of 8 floats for the sources that are written for all widths. Included after the target
// attribute.

#define CK_LANES 8
#define CK_STORE_SOME(y, n, v) _mm256_maskstore_ps(y, first_lanes(n), v)

CK_INLINE __m256i first_lanes(size_t n) CK_NONBLOCKING {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)n), lanes);
}
