#include "trampoline.h"

void call_in_real_time(void (*function)(void)) __attribute__((nonblocking)) { function(); }
