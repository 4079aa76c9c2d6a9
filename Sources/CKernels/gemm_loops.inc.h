// The loops around a register tile: tiles of columns outermost, so that their weights stay in L1,
// then blocks of rows. Included by gemm_int8.inc.h and gemm_f32.inc.h, which define
//
//   job_type, packed_type                  the arguments, and what weights are packed as
//   tile(job, row, w, first, mr, nv, planes)  mr rows by nv vectors of columns
//   column_size(job, planes)                  elements of one column in a tile
//
// Rows are computed `planes` at a time, 1 or 2, of which their number is a multiple.

CK_INLINE void column_tile(const job_type *job, const packed_type *w, size_t first,
                           const size_t nv, const size_t planes) CK_NONBLOCKING {
  const size_t rows = CK_ROWS(nv) / planes * planes;
  size_t row = 0;
  for (; row + rows <= job->m; row += rows) tile(job, row, w, first, rows, nv, planes);
  if (rows > 4 && row + 4 <= job->m) {
    tile(job, row, w, first, 4, nv, planes);
    row += 4;
  }
  if (rows > 2 && row + 2 <= job->m) {
    tile(job, row, w, first, 2, nv, planes);
    row += 2;
  }
  if (rows > 1 && planes == 1 && row < job->m) tile(job, row, w, first, 1, nv, planes);
}

CK_INLINE void all_tiles(const job_type *job, const packed_type *w,
                         const size_t planes) CK_NONBLOCKING {
  size_t first = 0;
  for (; first + 4 * CK_LANES <= job->n; first += 4 * CK_LANES) {
    column_tile(job, w, first, 4, planes);
    w += 4 * CK_LANES * column_size(job, planes);
  }
  switch ((job->n - first + CK_LANES - 1) / CK_LANES) {
    case 4:
      column_tile(job, w, first, 4, planes);
      break;
    case 3:
      column_tile(job, w, first, 3, planes);
      break;
    case 2:
      column_tile(job, w, first, 2, planes);
      break;
    case 1:
      column_tile(job, w, first, 1, planes);
      break;
    default:
      break;
  }
}
