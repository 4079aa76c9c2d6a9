#pragma once

// pipewire/ and spa/ beside this file are links to where distributions keep the library's headers.
#include <pipewire/pipewire.h>

#include <pipewire/extensions/metadata.h>
#include <spa/param/audio/format-utils.h>
#include <spa/param/latency-utils.h>

// What libpipewire has as macros over tables of functions, and pods, which variadic macros build.

/// A descriptor that is readable when the loop has something to do.
int pipewire_loop_descriptor(struct pw_loop *loop);

/// Says that the calling thread runs the loop from now on.
void pipewire_loop_enter(struct pw_loop *loop);

void pipewire_loop_leave(struct pw_loop *loop);

/// Calls the handlers of what has happened; does not wait.
int pipewire_loop_iterate(struct pw_loop *loop);

void pipewire_core_listen(
    struct pw_core *core, struct spa_hook *hook, const struct pw_core_events *events, void *data);

struct pw_registry *pipewire_core_registry(struct pw_core *core);

void pipewire_registry_listen(
    struct pw_registry *registry, struct spa_hook *hook, const struct pw_registry_events *events,
    void *data);

void pipewire_registry_destroy(struct pw_registry *registry);

/// The metadata of that ID; goes with `pipewire_metadata_release`.
struct pw_metadata *pipewire_registry_metadata(struct pw_registry *registry, uint32_t id);

void pipewire_metadata_listen(
    struct pw_metadata *metadata, struct spa_hook *hook, const struct pw_metadata_events *events,
    void *data);

/// Says something of an object; a null value takes it back.
int pipewire_metadata_set(
    struct pw_metadata *metadata, uint32_t subject, const char *key, const char *type,
    const char *value);

void pipewire_metadata_release(struct pw_metadata *metadata);

/// Has the server link two ports, which `properties` name; the link goes with its proxy.
struct pw_proxy *pipewire_core_link(
    struct pw_core *core, const struct pw_properties *properties);

/// A value of a dictionary that may be null.
const char *pipewire_value(const struct spa_dict *dictionary, const char *key);

/// Connects a stream of interleaved floats.
int pipewire_stream_connect(
    struct pw_stream *stream, enum pw_direction direction, uint32_t flags, uint32_t rate,
    uint32_t channels, const uint32_t *positions);

/// What a parameter says of the latency of what lies before a stream; false if it is of something else.
bool pipewire_read_latency(
    uint32_t id, const struct spa_pod *parameter, struct spa_latency_info *latency);

/// Tells what records from a stream how old its samples are: `delay` samples more than those of the source.
void pipewire_stream_set_latency(
    struct pw_stream *stream, const struct spa_latency_info *source, int delay);
