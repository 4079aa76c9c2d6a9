// The float product with sparse weights, written once for vectors of CK_LANES rows, 4 of which are a
// block. Included after the target attribute by files that define CK_NAME(name) and CK_LANES.

typedef float lanes __attribute__((ext_vector_type(CK_LANES)));

enum { BLOCK = 4 * CK_LANES, OUTPUTS = 16 };

CK_INLINE lanes load_lanes(const float *p) CK_NONBLOCKING {
  lanes v;
  memcpy(&v, p, sizeof v);
  return v;
}

CK_INLINE void store_lanes(float *p, lanes v, float least, float greatest) CK_NONBLOCKING {
  const lanes low = (lanes)(least), high = (lanes)(greatest);
  v = low > v ? low : v;
  v = high < v ? high : v;
  memcpy(p, &v, sizeof v);
}

/// Inputs [k][BLOCK] of a block of rows; missing rows are zeros.
static void transpose_inputs(size_t rows, size_t k, const float *a, size_t a_stride,
                             float *scratch) CK_NONBLOCKING {
  ck_f32_transpose(rows, k, a, a_stride, scratch, BLOCK);
  if (rows == BLOCK) return;
  for (size_t i = 0; i < k; i++) memset(scratch + i * BLOCK + rows, 0, (BLOCK - rows) * 4);
}

struct spmm_f32 {
  const uint32_t *columns;
  const float *values, *bias, *x;
  float least, greatest;
};

/// Adds weight i of one output to the sums of nv vectors of rows.
CK_INLINE void add_weight(const struct spmm_f32 *job, size_t i, lanes *sum,
                          const size_t nv) CK_NONBLOCKING {
  const lanes weight = (lanes)(job->values[i]);
  const float *x = job->x + job->columns[i];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    sum[v] = CK_FMA(load_lanes(x + v * CK_LANES), weight, sum[v]);
  }
}

/// Two outputs, interleaved as far as both have weights, which hides the latency of the sums.
CK_INLINE void two_outputs(const struct spmm_f32 *job, size_t output, size_t begin, size_t middle,
                           size_t end, float *y, const size_t nv) CK_NONBLOCKING {
  lanes first[4], second[4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    first[v] = (lanes)(job->bias[output]);
    second[v] = (lanes)(job->bias[output + 1]);
  }
  size_t i = begin, j = middle;
  for (; i < middle && j < end; i++, j++) {
    add_weight(job, i, first, nv);
    add_weight(job, j, second, nv);
  }
  for (; i < middle; i++) add_weight(job, i, first, nv);
  for (; j < end; j++) add_weight(job, j, second, nv);
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    store_lanes(y + v * CK_LANES, first[v], job->least, job->greatest);
    store_lanes(y + BLOCK + v * CK_LANES, second[v], job->least, job->greatest);
  }
}

CK_INLINE void one_output(const struct spmm_f32 *job, size_t output, size_t begin, size_t end,
                          float *y, const size_t nv) CK_NONBLOCKING {
  lanes sum[4];
  CK_UNROLL for (size_t v = 0; v < nv; v++) sum[v] = (lanes)(job->bias[output]);
  for (size_t i = begin; i < end; i++) add_weight(job, i, sum, nv);
  CK_UNROLL for (size_t v = 0; v < nv; v++) {
    store_lanes(y + v * CK_LANES, sum[v], job->least, job->greatest);
  }
}

/// All outputs of a block of rows.
CK_INLINE void spmm_block(const struct spmm_f32 *job, const uint32_t *ends, size_t rows, size_t n,
                          float *y, size_t y_stride, const size_t nv) CK_NONBLOCKING {
  float results[OUTPUTS * BLOCK];
  size_t begin = 0;
  for (size_t first = 0; first < n; first += OUTPUTS) {
    const size_t count = n - first < OUTPUTS ? n - first : OUTPUTS;
    size_t output = 0;
    for (; output + 2 <= count; output += 2) {
      const size_t middle = ends[first + output], end = ends[first + output + 1];
      two_outputs(job, first + output, begin, middle, end, results + output * BLOCK, nv);
      begin = end;
    }
    if (output < count) {
      const size_t end = ends[first + output];
      one_output(job, first + output, begin, end, results + output * BLOCK, nv);
      begin = end;
    }
    ck_f32_transpose(count, rows, results, BLOCK, y + first, y_stride);
  }
}

void CK_NAME(ck_f32_spmm)(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                          struct ck_sparse weights, const float *values, const float *bias,
                          float *scratch, float *y, size_t y_stride, float least,
                          float greatest) CK_NONBLOCKING {
  const struct spmm_f32 job = {weights.columns, values, bias, scratch, least, greatest};
  for (size_t row = 0; row < m; row += BLOCK) {
    const size_t rows = m - row < BLOCK ? m - row : BLOCK;
    transpose_inputs(rows, k, a + row * a_stride, a_stride, scratch);
    float *own = y + row * y_stride;
    if (rows <= CK_LANES) {
      spmm_block(&job, weights.ends, rows, n, own, y_stride, 1);
    } else if (rows <= 2 * CK_LANES) {
      spmm_block(&job, weights.ends, rows, n, own, y_stride, 2);
    } else {
      spmm_block(&job, weights.ends, rows, n, own, y_stride, 4);
    }
  }
}
