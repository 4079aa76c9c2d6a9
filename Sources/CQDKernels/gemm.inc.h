// Vectors of CK_LANES columns. Included after the target attribute by files that define
//
//   CK_LANES                 columns in a vector; a full tile has 4 vectors
//   CK_ROWS(nv)              rows of the largest register tile of nv vectors, the most for one
//   CK_STORE_SOME(y, n, v)   stores the first n < CK_LANES columns

typedef float floats __attribute__((ext_vector_type(CK_LANES)));
typedef uint8_t bytes __attribute__((ext_vector_type(4 * CK_LANES)));

/// Clamps results as ck_clamp does, adds the addend, if it is not NULL, and stores them: mr rows of
/// nv vectors, of which the first `n` columns exist. Most layers have no range.
CK_INLINE void store_results(floats (*result)[4], float *y, size_t y_stride, float least,
                             float greatest, const float *addend, const size_t mr,
                             const size_t nv, const size_t n) CK_NONBLOCKING {
  if (least > -__builtin_inff() || greatest < __builtin_inff()) {
    const floats low = (floats)(least), high = (floats)(greatest);
    CK_UNROLL for (size_t v = 0; v < nv; v++) {
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        const floats raised = low > result[r][v] ? low : result[r][v];
        result[r][v] = high < raised ? high : raised;
      }
    }
  }
  if (addend) {
    CK_UNROLL for (size_t v = 0; v < nv; v++) {
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        const float *from = addend + r * y_stride + v * CK_LANES;
        floats other = (floats)(0.0f);
        if (n >= (v + 1) * CK_LANES) {
          memcpy(&other, from, sizeof other);
        } else {
          for (size_t i = 0; v * CK_LANES + i < n; i++) other[i] = from[i];
        }
        result[r][v] += other;
      }
    }
  }
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      float *to = y + r * y_stride + v * CK_LANES;
      if (n >= (v + 1) * CK_LANES) {
        memcpy(to, &result[r][v], sizeof(floats));
      } else {
        CK_STORE_SOME(to, n - v * CK_LANES, result[r][v]);
      }
    }
  }
}

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
