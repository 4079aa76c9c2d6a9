#pragma once

// pipewire/ and spa/ beside this file are links to where distributions keep the library's headers.
#include <pipewire/pipewire.h>

#include <pipewire/extensions/metadata.h>
#include <spa/param/audio/format-utils.h>
#include <spa/param/latency-utils.h>

// What libpipewire offers as macros over function tables, and pods, which variadic macros build.

/// A descriptor that is readable when the loop has something to do.
int pipewire_loop_descriptor(struct pw_loop *loop);

/// Tells the loop that the calling thread runs it from now on.
void pipewire_loop_enter(struct pw_loop *loop);

void pipewire_loop_leave(struct pw_loop *loop);

/// Calls the handlers of pending events; does not wait.
int pipewire_loop_iterate(struct pw_loop *loop);

void pipewire_core_listen(
    struct pw_core *core, struct spa_hook *hook, const struct pw_core_events *events, void *data);

/// Asks for a done event after the answers to all that was asked before; returns its number.
int pipewire_core_sync(struct pw_core *core);

struct pw_registry *pipewire_core_registry(struct pw_core *core);

void pipewire_registry_listen(
    struct pw_registry *registry, struct spa_hook *hook, const struct pw_registry_events *events,
    void *data);

void pipewire_registry_destroy(struct pw_registry *registry);

/// The metadata object with an ID; freed by `pipewire_metadata_release`.
struct pw_metadata *pipewire_registry_metadata(struct pw_registry *registry, uint32_t id);

void pipewire_metadata_listen(
    struct pw_metadata *metadata, struct spa_hook *hook, const struct pw_metadata_events *events,
    void *data);

/// Sets a value of an object; a null value removes it.
int pipewire_metadata_set(
    struct pw_metadata *metadata, uint32_t subject, const char *key, const char *type,
    const char *value);

void pipewire_metadata_release(struct pw_metadata *metadata);

/// Makes the server link two ports, which `properties` name; the link is removed with its proxy.
struct pw_proxy *pipewire_core_link(
    struct pw_core *core, const struct pw_properties *properties);

/// A value of a dictionary that may be null.
const char *pipewire_value(const struct spa_dict *dictionary, const char *key);

/// Connects a stream of interleaved floats.
int pipewire_stream_connect(
    struct pw_stream *stream, enum pw_direction direction, uint32_t flags, uint32_t rate,
    uint32_t channels, const uint32_t *positions);

/// Reads the latency before a stream from a parameter; false if it is another parameter.
bool pipewire_read_latency(
    uint32_t id, const struct spa_pod *parameter, struct spa_latency_info *latency);

/// Publishes the age of a stream's samples: `delay` samples more than the source's.
void pipewire_stream_set_latency(
    struct pw_stream *stream, const struct spa_latency_info *source, int delay);
