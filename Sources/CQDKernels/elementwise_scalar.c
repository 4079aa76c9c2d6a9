#include "kernels_internal.h"

#define CK_NAME(name) name##__scalar
#define CK_CHUNK 16
#include "elementwise.inc.h"
