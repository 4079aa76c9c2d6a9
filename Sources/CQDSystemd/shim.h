#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

// sd-bus describes an object by an array made with initializer macros, which Swift does not import.
// Strings given here must live as long as the array.

/// The first entry of every table.
static inline sd_bus_vtable vtable_start(void) {
  return (sd_bus_vtable)SD_BUS_VTABLE_START(0);
}

/// The last entry of every table.
static inline sd_bus_vtable vtable_end(void) {
  return (sd_bus_vtable)SD_BUS_VTABLE_END;
}

/// A method; `names` holds the names of all arguments, in then out, each ended by a NUL.
static inline sd_bus_vtable vtable_method(
    const char *member, const char *signature, const char *result, const char *names,
    sd_bus_message_handler_t handler) {
  sd_bus_vtable entry =
      SD_BUS_METHOD(member, signature, result, handler, SD_BUS_VTABLE_UNPRIVILEGED);
  entry.x.method.names = names;
  return entry;
}

/// How a property signals its changes.
typedef enum { vtable_silent, vtable_constant, vtable_signals } vtable_changes;

static inline uint64_t vtable_flags(vtable_changes changes) {
  switch (changes) {
  case vtable_signals: return SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
  case vtable_constant: return SD_BUS_VTABLE_PROPERTY_CONST;
  default: return 0;
  }
}

/// A property that can only be read.
static inline sd_bus_vtable vtable_property(
    const char *member, const char *signature, sd_bus_property_get_t get, vtable_changes changes) {
  return (sd_bus_vtable)SD_BUS_PROPERTY(member, signature, get, 0, vtable_flags(changes));
}

/// A property that can be read and set.
static inline sd_bus_vtable vtable_writable_property(
    const char *member, const char *signature, sd_bus_property_get_t get,
    sd_bus_property_set_t set, vtable_changes changes) {
  return (sd_bus_vtable)SD_BUS_WRITABLE_PROPERTY(
      member, signature, get, set, 0, vtable_flags(changes) | SD_BUS_VTABLE_UNPRIVILEGED);
}
