// The loops around a register tile: blocks of rows outermost, whose inputs and outputs stay in L2,
// then tiles of columns, so that their weights stay in L1, then tiles of rows. Included by
// gemm_int8.inc.h, gemm_int4.inc.h and gemm_f32.inc.h, which define
//
//   job_type, packed_type                  the arguments, and what weights are packed as
//   tile(job, row, w, first, mr, nv, planes)  mr rows by nv vectors of columns
//   column_size(job, planes)                  elements of one column in a tile
//
// Rows are computed `planes` at a time, 1 or 2, of which their number is a multiple.

/// A tile of columns of the rows from `row` to `end`.
CK_INLINE void column_tile(const job_type *job, const packed_type *w, size_t first, size_t row,
                           size_t end, const size_t nv, const size_t planes) CK_NONBLOCKING {
  const size_t rows = CK_ROWS(nv) / planes * planes;
  for (; row + rows <= end; row += rows) {
    // Otherwise dozens of addresses are kept in memory and advanced for every tile.
    __asm__ volatile("" : "+r"(row));
    tile(job, row, w, first, rows, nv, planes);
  }
  for (; rows > 8 && row + 8 <= end; row += 8) tile(job, row, w, first, 8, nv, planes);
  if (rows > 4 && row + 4 <= end) {
    tile(job, row, w, first, 4, nv, planes);
    row += 4;
  }
  if (rows > 2 && row + 2 <= end) {
    tile(job, row, w, first, 2, nv, planes);
    row += 2;
  }
  if (rows > 1 && planes == 1 && row < end) tile(job, row, w, first, 1, nv, planes);
}

CK_INLINE void row_block(const job_type *job, const packed_type *w, size_t row, size_t end,
                         const size_t planes) CK_NONBLOCKING {
  size_t first = 0;
  for (; first + 4 * CK_LANES <= job->n; first += 4 * CK_LANES) {
    column_tile(job, w, first, row, end, 4, planes);
    w += 4 * CK_LANES * column_size(job, planes);
  }
  switch ((job->n - first + CK_LANES - 1) / CK_LANES) {
    case 4:
      column_tile(job, w, first, row, end, 4, planes);
      break;
    case 3:
      column_tile(job, w, first, row, end, 3, planes);
      break;
    case 2:
      column_tile(job, w, first, row, end, 2, planes);
      break;
    case 1:
      column_tile(job, w, first, row, end, 1, planes);
      break;
    default:
      break;
  }
}

CK_INLINE void all_tiles(const job_type *job, const packed_type *w,
                         const size_t planes) CK_NONBLOCKING {
  // A multiple of all tiles' rows. Weights that are much themselves are better read once.
  const size_t elements = 65536, step = 48;
  const size_t width = job->n + job->k;
  const size_t rows =
      job->n * job->k > elements || job->n <= 4 * CK_LANES
          ? job->m : (elements / width + step - 1) / step * step;
  size_t row = 0;
  do {
    const size_t end = job->m - row > rows ? row + rows : job->m;
    row_block(job, w, row, end, planes);
    row = end;
  } while (row < job->m);
}
