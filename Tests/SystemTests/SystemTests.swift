import Testing

/// Everything on the real thing, one after another: each test hears real time and wants the machine alone.
@Suite(.serialized) enum SystemTests {}
