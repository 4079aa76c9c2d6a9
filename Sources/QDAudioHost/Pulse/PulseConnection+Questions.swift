internal import CQDPulse

extension PulseConnection {
  public func server() throws(PulseError) -> ServerDescription {
    let reply = Reply<ServerDescription>()
    let operation = unsafe pa_context_get_server_info(
      raw,
      { _, info, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<ServerDescription>.behind(data).values.append(
          ServerDescription(
            name: string(info.server_name) ?? "?", version: string(info.server_version) ?? "?",
            defaultSource: string(info.default_source_name),
            defaultSink: string(info.default_sink_name), cookie: info.cookie))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "asking the server's name")
    guard let server = reply.values.first else {
      throw unsafe PulseError.current(of: raw, doing: "asking the server's name")
    }
    return server
  }

  public func sources() throws(PulseError) -> [AudioDevice] {
    let reply = Reply<AudioDevice>()
    let operation = unsafe pa_context_get_source_info_list(
      raw,
      { _, info, _, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<AudioDevice>.behind(data).values.append(AudioDevice(info))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "listing the sources")
    return reply.values
  }

  public func sinks() throws(PulseError) -> [AudioDevice] {
    let reply = Reply<AudioDevice>()
    let operation = unsafe pa_context_get_sink_info_list(
      raw,
      { _, info, _, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<AudioDevice>.behind(data).values.append(AudioDevice(info))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "listing the sinks")
    return reply.values
  }

  /// All streams that record from a source.
  public func listeners() throws(PulseError) -> [AudioStream] {
    let reply = Reply<AudioStream>()
    let operation = unsafe pa_context_get_source_output_info_list(
      raw,
      { _, info, _, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<AudioStream>.behind(data).values.append(AudioStream(info))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "listing who records")
    return reply.values
  }

  /// All streams that play to a sink.
  public func players() throws(PulseError) -> [AudioStream] {
    let reply = Reply<AudioStream>()
    let operation = unsafe pa_context_get_sink_input_info_list(
      raw,
      { _, info, _, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<AudioStream>.behind(data).values.append(AudioStream(info))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "listing who plays")
    return reply.values
  }

  /// All clients of the server with the named property.
  public func clients(with property: String) throws(PulseError) -> [PulseClient] {
    let reply = Reply<PulseClient>(property)
    let operation = unsafe pa_context_get_client_info_list(
      raw,
      { _, info, _, data in
        guard let info = unsafe info?.pointee else { return }
        let reply = unsafe Reply<PulseClient>.behind(data)
        unsafe reply.values.append(PulseClient(info, property: reply.question))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "listing the clients")
    return reply.values.filter { $0.property != nil }
  }

  public func modules() throws(PulseError) -> [PulseModule] {
    let reply = Reply<PulseModule>()
    let operation = unsafe pa_context_get_module_info_list(
      raw,
      { _, info, _, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<PulseModule>.behind(data).values.append(PulseModule(info))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "listing the modules")
    return reply.values
  }

  /// Loads a module and returns its index.
  public func loadModule(_ name: String, _ argument: String) throws(PulseError) -> UInt32 {
    let reply = Reply<UInt32>()
    let operation = unsafe pa_context_load_module(
      raw, name, argument,
      { _, index, data in unsafe Reply<UInt32>.behind(data).values.append(index) }, reply.opaque)
    try unsafe wait(for: operation, doing: "loading \(name)")
    guard let index = reply.values.first, index != UInt32.max else {
      let error = unsafe PulseError.current(of: raw, doing: "loading \(name)")
      guard case .refused(_, let reason) = error else { throw error }
      throw .moduleRefused(name: name, reason: reason)
    }
    return index
  }

  /// Unloads a module and waits until it is gone; if it was gone already, the server's error is
  /// thrown ("No such entity").
  public func unloadModule(_ index: UInt32) throws(PulseError) {
    let what = "unloading module \(index)"
    try unsafe command(what) { reply in
      unsafe pa_context_unload_module(raw, index, succeeded, reply)
    }
    // PulseAudio answers before it unloads; until then, the names are in use.
    let deadline = pa_rtclock_now() + UInt64(answerTimeout)
    while try modules().contains(where: { $0.index == index }) {
      guard pa_rtclock_now() < deadline else { throw .timedOut(during: what) }
    }
  }

  /// Moves a recording stream to another source.
  public func move(listener: UInt32, to source: String) throws(PulseError) {
    try unsafe command("moving a recording stream") { reply in
      unsafe pa_context_move_source_output_by_name(raw, listener, source, succeeded, reply)
    }
  }

  /// Moves a playing stream to another sink.
  public func move(player: UInt32, to sink: String) throws(PulseError) {
    try unsafe command("moving a playback stream") { reply in
      unsafe pa_context_move_sink_input_by_name(raw, player, sink, succeeded, reply)
    }
  }

  /// Sets the sink of streams that name none.
  public func setDefaultSink(_ sink: String) throws(PulseError) {
    try unsafe command("choosing the default output") { reply in
      unsafe pa_context_set_default_sink(raw, sink, succeeded, reply)
    }
  }

  private func command(
    _ what: String, _ start: (UnsafeMutableRawPointer) -> OpaquePointer?
  ) throws(PulseError) {
    let reply = Reply<Bool>()
    try unsafe wait(for: start(reply.opaque), doing: what)
    guard reply.values.first == true else { throw unsafe PulseError.current(of: raw, doing: what) }
  }
}

/// Stores the server's answer to a command.
private let succeeded: pa_context_success_cb_t = { _, success, data in
  unsafe Reply<Bool>.behind(data).values.append(success != 0)
}
