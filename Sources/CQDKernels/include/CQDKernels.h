// The microkernels: plain C and intrinsics, no allocation, no state, no libc beyond memcpy.
// docs/kernels.md decodes the names.
#pragma once

#include "ck_isa.h"
#include "ck_quantize.h"
#include "ck_gemm.h"
#include "ck_sparse.h"
#include "ck_integer.h"
#include "ck_depthwise.h"
#include "ck_elementwise.h"
#include "ck_transpose.h"
#include "ck_copy.h"
#include "ck_kernels.h"
#include "ck_signal.h"
#include "ck_fft.h"
#include "ck_hash.h"
