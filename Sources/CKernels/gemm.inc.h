// Vectors of CK_LANES columns. Included after the target attribute by files that define
//
//   CK_LANES                 columns in a vector; a full tile has 4 vectors
//   CK_ROWS(nv)              rows of the largest register tile of nv vectors
//   CK_STORE_SOME(y, n, v)   stores the first n < CK_LANES columns

typedef float floats __attribute__((ext_vector_type(CK_LANES)));
typedef uint8_t bytes __attribute__((ext_vector_type(4 * CK_LANES)));

/// Stores the first `n` columns, all of a vector if there are more: clamped as in ck_clamp, then
/// with the addend, if it is not NULL.
CK_INLINE void store(float *y, size_t n, floats v, float least, float greatest,
                     const float *addend) CK_NONBLOCKING {
  const floats low = (floats)(least), high = (floats)(greatest);
  v = low > v ? low : v;
  v = high < v ? high : v;
  if (addend) {
    floats other = (floats)(0.0f);
    if (n >= CK_LANES) {
      memcpy(&other, addend, sizeof other);
    } else {
      for (size_t i = 0; i < n; i++) other[i] = addend[i];
    }
    v += other;
  }
  if (n >= CK_LANES) {
    memcpy(y, &v, sizeof v);
  } else {
    CK_STORE_SOME(y, n, v);
  }
}
