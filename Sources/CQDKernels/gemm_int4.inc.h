// The product of bytes with weights of 4 bits, for few rows whose weights come from L2. Included
// behind gemm_int8.inc.h where dot() takes a vector of bytes for its inputs.
//
// A byte v of weights has two of the same input: in its low half that of a column of the first half of
// the tile, as u = w + 8, and in its high half that of the column half a tile further. As a signed
// byte v is 16 w + u, so two products and one mask give both:
//
//   low = sum(a u), both = sum(a v): sum(a w) is low - 8 sum(a), and (both - low) / 16

/// The sum of a row's stored bytes.
CK_INLINE int32_t row_sum(const uint8_t *a, size_t k) CK_NONBLOCKING {
  bytes sum = (bytes)(0);
  for (; k >= sizeof sum; a += sizeof sum, k -= sizeof sum) {
    sum = dot(sum, (inputs)load_bytes(a), (bytes)(1));
  }
  bytes rest = (bytes)(0);
  memcpy(&rest, a, k);
  const ints lanes = (ints)dot(sum, (inputs)rest, (bytes)(1));
  int32_t total = 0;
  CK_UNROLL for (size_t i = 0; i < CK_LANES; i++) total += lanes[i];
  return total;
}

/// mr rows, whose sums are given, by 2 nh vectors of columns; constants as in tile().
CK_INLINE void tile4(const job_type *job, size_t row, const uint8_t *w, size_t first,
                     const size_t mr, const size_t nh, const int32_t *sums) CK_NONBLOCKING {
  const size_t vector = 4 * CK_LANES, half = nh * vector;
  size_t split = 1;
  while (4 * split * mr * nh <= CK_SUMS) split *= 2;
  const uint8_t *a = job->a + row * job->a_stride, *head = w;
  ints low[8][4][4], both[8][4][4];
  CK_UNROLL for (size_t s = 0; s < split; s++) {
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      CK_UNROLL for (size_t v = 0; v < nh; v++) low[s][r][v] = both[s][r][v] = (ints)(0);
    }
  }
  w += 2 * half;
  size_t k = job->k;
  for (; k >= 4 * split; k -= 4 * split) {
    CK_UNROLL for (size_t s = 0; s < split; s++) {
      bytes weights[4], masked[4];
      CK_UNROLL for (size_t v = 0; v < nh; v++) {
        weights[v] = load_bytes(w + v * vector);
        masked[v] = weights[v] & (bytes)(0x0F);
      }
      CK_UNROLL for (size_t r = 0; r < mr; r++) {
        const inputs x = prepare(ck_load4(a + r * job->a_stride));
        CK_UNROLL for (size_t v = 0; v < nh; v++) {
          low[s][r][v] = (ints)dot((bytes)low[s][r][v], x, masked[v]);
          both[s][r][v] = (ints)dot((bytes)both[s][r][v], x, weights[v]);
        }
      }
      a += 4;
      w += half;
    }
  }
  while (k > 0) {
    const size_t some = k < 4 ? k : 4;
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      const inputs x = prepare(ck_load_some(a + r * job->a_stride, some));
      CK_UNROLL for (size_t v = 0; v < nh; v++) {
        const bytes weights = load_bytes(w + v * vector);
        low[0][r][v] = (ints)dot((bytes)low[0][r][v], x, weights & (bytes)(0x0F));
        both[0][r][v] = (ints)dot((bytes)both[0][r][v], x, weights);
      }
    }
    a += 4;
    w += half;
    k -= some;
  }
  CK_UNROLL for (size_t s = 1; s < split; s++) {
    CK_UNROLL for (size_t r = 0; r < mr; r++) {
      CK_UNROLL for (size_t v = 0; v < nh; v++) {
        low[0][r][v] += low[s][r][v];
        both[0][r][v] += both[s][r][v];
      }
    }
  }
  const bool is_short = job->k < 4096;
  CK_UNROLL for (size_t r = 0; r < mr; r++) {
    const float inverse_scale = job->params[(row + r) * job->params_stride].inverse_scale;
    CK_UNROLL for (size_t v = 0; v < 2 * nh; v++) {
      const size_t column = first + v * CK_LANES;
      if (column >= job->n) break;
      const ints whole =
          (v < nh ? low[0][r][v] - 8 * sums[r] : (both[0][r][v - nh] - low[0][r][v - nh]) >> 4) +
          first_sum(job, (ints)load_bytes(head + v * vector), row + r, is_short);
      const floats scaled = __builtin_convertvector(whole, floats) * inverse_scale;
      const floats value = CK_FMA(scaled, (floats)load_bytes(w + v * vector),
                                  (floats)load_bytes(w + 2 * half + v * vector));
      store(job->y + (row + r) * job->y_stride + column, job->n - column, value, job->least,
            job->greatest, NULL);
    }
  }
}

/// Rows `row` to row + mr.
CK_INLINE void rows4(const job_type *job, size_t row, const uint8_t *w,
                     const size_t mr) CK_NONBLOCKING {
  int32_t sums[4];
  CK_UNROLL for (size_t r = 0; r < mr; r++) {
    sums[r] = row_sum(job->a + (row + r) * job->a_stride, job->k);
  }
  size_t first = 0;
  for (; first + 8 * CK_LANES <= job->n; first += 8 * CK_LANES) {
    tile4(job, row, w, first, mr, 4, sums);
    w += 8 * CK_LANES * ((job->k + 3) / 4 * 2 + 12);
  }
  switch ((job->n - first + 2 * CK_LANES - 1) / (2 * CK_LANES)) {
    case 4:
      tile4(job, row, w, first, mr, 4, sums);
      break;
    case 3:
      tile4(job, row, w, first, mr, 3, sums);
      break;
    case 2:
      tile4(job, row, w, first, mr, 2, sums);
      break;
    case 1:
      tile4(job, row, w, first, mr, 1, sums);
      break;
    default:
      break;
  }
}

void CK_NAME(ck_qd8_f32_qc4w_gemm)(size_t m, size_t n, size_t k, const uint8_t *a, size_t a_stride,
                                   const struct ck_qd8_params *params, size_t params_stride,
                                   const void *packed, float *y, size_t y_stride, float least,
                                   float greatest) CK_NONBLOCKING {
  const struct ck_qd8_job job = {
      .m = m, .n = n, .k = k, .a = a, .a_stride = a_stride, .params = params,
      .params_stride = params_stride, .y = y, .y_stride = y_stride, .least = least,
      .greatest = greatest};
  size_t row = 0;
  for (; row + 4 <= m; row += 4) rows4(&job, row, packed, 4);
  if (row + 2 <= m) {
    rows4(&job, row, packed, 2);
    row += 2;
  }
  if (row < m) rows4(&job, row, packed, 1);
}
