internal import CQDPulse

/// An object of the server appeared, changed or was removed.
public struct PulseEvent: Equatable, Sendable {
  public enum Subject: Equatable, Sendable {
    case source, sink, sourceOutput, sinkInput, module, server
  }
  public enum Change: Equatable, Sendable { case new, changed, removed }

  public var subject: Subject
  public var change: Change
  public var index: UInt32

  init?(_ type: pa_subscription_event_type_t, _ index: UInt32) {
    let facility = type.rawValue & PA_SUBSCRIPTION_EVENT_FACILITY_MASK.rawValue
    switch pa_subscription_event_type_t(facility) {
    case PA_SUBSCRIPTION_EVENT_SOURCE: subject = .source
    case PA_SUBSCRIPTION_EVENT_SINK: subject = .sink
    case PA_SUBSCRIPTION_EVENT_SOURCE_OUTPUT: subject = .sourceOutput
    case PA_SUBSCRIPTION_EVENT_SINK_INPUT: subject = .sinkInput
    case PA_SUBSCRIPTION_EVENT_MODULE: subject = .module
    case PA_SUBSCRIPTION_EVENT_SERVER: subject = .server
    default: return nil
    }
    let kind = type.rawValue & PA_SUBSCRIPTION_EVENT_TYPE_MASK.rawValue
    switch pa_subscription_event_type_t(kind) {
    case PA_SUBSCRIPTION_EVENT_NEW: change = .new
    case PA_SUBSCRIPTION_EVENT_CHANGE: change = .changed
    default: change = .removed
    }
    self.index = index
  }
}

extension PulseConnection {
  /// Subscribes to events of sources, sinks, their streams, modules and the server's defaults.
  public func subscribe() throws(PulseError) {
    let mask =
      PA_SUBSCRIPTION_MASK_SOURCE.rawValue | PA_SUBSCRIPTION_MASK_SINK.rawValue
      | PA_SUBSCRIPTION_MASK_SOURCE_OUTPUT.rawValue | PA_SUBSCRIPTION_MASK_SINK_INPUT.rawValue
      | PA_SUBSCRIPTION_MASK_MODULE.rawValue | PA_SUBSCRIPTION_MASK_SERVER.rawValue
    try unsafe wait(
      for: unsafe pa_context_subscribe(raw, pa_subscription_mask_t(mask), nil, nil),
      doing: "subscribing to events")
  }
}
