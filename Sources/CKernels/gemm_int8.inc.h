// The loops around an int8 GEMM's register tile: tiles of columns outermost, so that their weights
// stay in L1, then blocks of rows. Included after the target attribute by files that define
//
//   CK_LANES        columns in a vector; a full tile has 4 vectors
//   CK_KR           consecutive inputs of one column
//   CK_ROWS(nv)     rows of the largest register tile of nv vectors
//   tile(job, row, w, first, mr, nv)   computes mr rows by nv vectors of columns
//
// mr and nv are constants in each inlined copy of `tile`.

CK_INLINE void column_tile(const struct ck_qd8_job *job, const uint8_t *w, size_t first,
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

CK_INLINE void all_tiles(const struct ck_qd8_job *job, const void *packed) CK_NONBLOCKING {
  const uint8_t *w = packed;
  const size_t groups = (job->k + CK_KR - 1) / CK_KR;
  const size_t column_bytes = groups * CK_KR + 12;
  size_t first = 0;
  for (; first + 4 * CK_LANES <= job->n; first += 4 * CK_LANES) {
    column_tile(job, w, first, 4);
    w += 4 * CK_LANES * column_bytes;
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
