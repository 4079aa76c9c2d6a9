#pragma once

#include <stddef.h>

/// The bytes of a `.tflite` file in this binary; `count` is 0 where it was built without.
struct embedded_model {
  const unsigned char *bytes;
  size_t count;
};

struct embedded_model embedded_model_full(void);
struct embedded_model embedded_model_light(void);
struct embedded_model embedded_model_low_latency(void);
