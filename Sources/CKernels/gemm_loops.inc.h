// The loops around a register tile: tiles of columns outermost, so that their weights stay in L1,
// then blocks of rows. Included by gemm_int8.inc.h and gemm_f32.inc.h, which define
//
//   job_type, packed_type                  the arguments, and what weights are packed as
//   tile(job, row, w, first, mr, nv)       mr rows by nv vectors of columns
//   column_size(job)                       elements of one column in a tile

CK_INLINE void column_tile(const job_type *job, const packed_type *w, size_t first,
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

CK_INLINE void all_tiles(const job_type *job, const packed_type *w) CK_NONBLOCKING {
  size_t first = 0;
  for (; first + 4 * CK_LANES <= job->n; first += 4 * CK_LANES) {
    column_tile(job, w, first, 4);
    w += 4 * CK_LANES * column_size(job);
  }
  switch ((job->n - first + CK_LANES - 1) / CK_LANES) {
    case 4:
      column_tile(job, w, first, 4);
      break;
    case 3:
      column_tile(job, w, first, 3);
      break;
    case 2:
      column_tile(job, w, first, 2);
      break;
    case 1:
      column_tile(job, w, first, 1);
      break;
    default:
      break;
  }
}
