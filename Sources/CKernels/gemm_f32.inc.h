// The loops around a float GEMM's register tile, as in gemm_int8.inc.h. Included after the target
// attribute by files that define CK_LANES, CK_ROWS(nv) and
// tile(job, row, w, first, mr, nv).

CK_INLINE void column_tile(const struct ck_f32_job *job, const float *w, size_t first,
                           const size_t nv) CK_NONBLOCKING {
  size_t row = 0;
  for (; row + CK_ROWS(nv) <= job->m; row += CK_ROWS(nv)) {
    tile(job, row, w, first, CK_ROWS(nv), nv);
  }
  if (CK_ROWS(nv) > 4 && row + 4 <= job->m) {
    tile(job, row, w, first, 4, nv);
    row += 4;
  }
  if (CK_ROWS(nv) > 2 && row + 2 <= job->m) {
    tile(job, row, w, first, 2, nv);
    row += 2;
  }
  if (CK_ROWS(nv) > 1 && row < job->m) tile(job, row, w, first, 1, nv);
}

CK_INLINE void all_tiles(const struct ck_f32_job *job, const float *packed) CK_NONBLOCKING {
  size_t first = 0;
  for (; first + 4 * CK_LANES <= job->n; first += 4 * CK_LANES) {
    column_tile(job, packed, first, 4);
    packed += 4 * CK_LANES * (job->k + 1);
  }
  switch ((job->n - first + CK_LANES - 1) / CK_LANES) {
    case 4:
      column_tile(job, packed, first, 4);
      break;
    case 3:
      column_tile(job, packed, first, 3);
      break;
    case 2:
      column_tile(job, packed, first, 2);
      break;
    case 1:
      column_tile(job, packed, first, 1);
      break;
    default:
      break;
  }
}
