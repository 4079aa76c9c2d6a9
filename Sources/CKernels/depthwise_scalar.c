#include "kernels_internal.h"

#define CK_NAME(name) name##__scalar
#include "depthwise.inc.h"
#include "depthwise_wide.inc.h"
