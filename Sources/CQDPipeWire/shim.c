#include "shim.h"

int pipewire_loop_descriptor(struct pw_loop *loop) {
  return pw_loop_get_fd(loop);
}

void pipewire_loop_enter(struct pw_loop *loop) {
  pw_loop_enter(loop);
}

void pipewire_loop_leave(struct pw_loop *loop) {
  pw_loop_leave(loop);
}

int pipewire_loop_iterate(struct pw_loop *loop) {
  return pw_loop_iterate(loop, 0);
}

void pipewire_core_listen(
    struct pw_core *core, struct spa_hook *hook, const struct pw_core_events *events, void *data) {
  pw_core_add_listener(core, hook, events, data);
}

int pipewire_core_sync(struct pw_core *core) { return pw_core_sync(core, PW_ID_CORE, 0); }

struct pw_registry *pipewire_core_registry(struct pw_core *core) {
  return pw_core_get_registry(core, PW_VERSION_REGISTRY, 0);
}

void pipewire_registry_listen(
    struct pw_registry *registry, struct spa_hook *hook, const struct pw_registry_events *events,
    void *data) {
  pw_registry_add_listener(registry, hook, events, data);
}

void pipewire_registry_destroy(struct pw_registry *registry) {
  pw_proxy_destroy((struct pw_proxy *)registry);
}

struct pw_metadata *pipewire_registry_metadata(struct pw_registry *registry, uint32_t id) {
  return (struct pw_metadata *)pw_registry_bind(
      registry, id, PW_TYPE_INTERFACE_Metadata, PW_VERSION_METADATA, 0);
}

void pipewire_metadata_listen(
    struct pw_metadata *metadata, struct spa_hook *hook, const struct pw_metadata_events *events,
    void *data) {
  pw_metadata_add_listener(metadata, hook, events, data);
}

int pipewire_metadata_set(
    struct pw_metadata *metadata, uint32_t subject, const char *key, const char *type,
    const char *value) {
  return pw_metadata_set_property(metadata, subject, key, type, value);
}

void pipewire_metadata_release(struct pw_metadata *metadata) {
  pw_proxy_destroy((struct pw_proxy *)metadata);
}

struct pw_proxy *pipewire_core_link(
    struct pw_core *core, const struct pw_properties *properties) {
  return (struct pw_proxy *)pw_core_create_object(
      core, "link-factory", PW_TYPE_INTERFACE_Link, PW_VERSION_LINK, &properties->dict, 0);
}

const char *pipewire_value(const struct spa_dict *dictionary, const char *key) {
  return dictionary ? spa_dict_lookup(dictionary, key) : NULL;
}

int pipewire_stream_connect(
    struct pw_stream *stream, enum pw_direction direction, uint32_t flags, uint32_t rate,
    uint32_t channels, const uint32_t *positions) {
  uint8_t room[1024];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(room, sizeof room);
  struct spa_audio_info_raw info =
      SPA_AUDIO_INFO_RAW_INIT(.format = SPA_AUDIO_FORMAT_F32, .rate = rate, .channels = channels);
  for (uint32_t channel = 0; channel < channels && channel < SPA_AUDIO_MAX_CHANNELS; channel++)
    info.position[channel] = positions[channel];
  const struct spa_pod *parameters[1] = {
      spa_format_audio_raw_build(&builder, SPA_PARAM_EnumFormat, &info)};
  return pw_stream_connect(
      stream, direction, PW_ID_ANY, (enum pw_stream_flags)flags, parameters, 1);
}

bool pipewire_read_latency(
    uint32_t id, const struct spa_pod *parameter, struct spa_latency_info *latency) {
  return id == SPA_PARAM_Latency && parameter && spa_latency_parse(parameter, latency) >= 0 &&
         latency->direction == SPA_DIRECTION_OUTPUT;
}

void pipewire_stream_set_latency(
    struct pw_stream *stream, const struct spa_latency_info *source, int delay) {
  struct spa_latency_info latency = *source;
  latency.direction = SPA_DIRECTION_OUTPUT;
  // Unsigned until PipeWire 1.2, signed since.
  latency.min_rate += delay;
  latency.max_rate += delay;
  uint8_t room[256];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(room, sizeof room);
  const struct spa_pod *parameters[1] = {spa_latency_build(&builder, SPA_PARAM_Latency, &latency)};
  pw_stream_update_params(stream, parameters, 1);
}
