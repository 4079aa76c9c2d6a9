#include "CQDEmbeddedModel.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// A checkout without the files still builds; `make models` makes them.

#if __has_embed("../../models/full.int8.tflite")
_Alignas(64) static const unsigned char full[] = {
#embed "../../models/full.int8.tflite"
};
struct embedded_model embedded_model_full(void) {
  return (struct embedded_model){full, sizeof full};
}
#else
struct embedded_model embedded_model_full(void) { return (struct embedded_model){0}; }
#endif

#if __has_embed("../../models/light.int8.tflite")
_Alignas(64) static const unsigned char light[] = {
#embed "../../models/light.int8.tflite"
};
struct embedded_model embedded_model_light(void) {
  return (struct embedded_model){light, sizeof light};
}
#else
struct embedded_model embedded_model_light(void) { return (struct embedded_model){0}; }
#endif

#if __has_embed("../../models/low-latency.int8.tflite")
_Alignas(64) static const unsigned char low_latency[] = {
#embed "../../models/low-latency.int8.tflite"
};
struct embedded_model embedded_model_low_latency(void) {
  return (struct embedded_model){low_latency, sizeof low_latency};
}
#else
struct embedded_model embedded_model_low_latency(void) { return (struct embedded_model){0}; }
#endif
