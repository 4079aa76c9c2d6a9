internal import CPulse

extension PulseConnection {
  public func server() throws(PulseError) -> PulseServer {
    let reply = Reply<PulseServer>()
    let operation = unsafe pa_context_get_server_info(
      raw,
      { _, info, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<PulseServer>.behind(data).values.append(
          PulseServer(
            name: string(info.server_name) ?? "?", version: string(info.server_version) ?? "?",
            defaultSource: string(info.default_source_name),
            defaultSink: string(info.default_sink_name)))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "asking the server's name")
    guard let server = reply.values.first else {
      throw unsafe PulseError.current(of: raw, doing: "asking the server's name")
    }
    return server
  }

  public func sources() throws(PulseError) -> [PulseSource] {
    let reply = Reply<PulseSource>()
    let operation = unsafe pa_context_get_source_info_list(
      raw,
      { _, info, _, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<PulseSource>.behind(data).values.append(PulseSource(info))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "listing the sources")
    return reply.values
  }

  public func sinks() throws(PulseError) -> [PulseSink] {
    let reply = Reply<PulseSink>()
    let operation = unsafe pa_context_get_sink_info_list(
      raw,
      { _, info, _, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<PulseSink>.behind(data).values.append(PulseSink(info))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "listing the sinks")
    return reply.values
  }

  /// Everybody who records from some source.
  public func listeners() throws(PulseError) -> [PulseListener] {
    let reply = Reply<PulseListener>()
    let operation = unsafe pa_context_get_source_output_info_list(
      raw,
      { _, info, _, data in
        guard let info = unsafe info?.pointee else { return }
        unsafe Reply<PulseListener>.behind(data).values.append(PulseListener(info))
      }, reply.opaque)
    try unsafe wait(for: operation, doing: "listing who records")
    return reply.values
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

  /// Loads a module and says its index.
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

  /// Unloads a module and waits until it is gone; one that is gone already is an error of the
  /// server ("No such entity").
  public func unloadModule(_ index: UInt32) throws(PulseError) {
    let what = "unloading module \(index)"
    try unsafe command(what) { reply in
      unsafe pa_context_unload_module(raw, index, succeeded, reply)
    }
    // PulseAudio answers first and unloads then; until it has, the names are taken.
    let deadline = pa_rtclock_now() + UInt64(answerTimeout)
    while try modules().contains(where: { $0.index == index }) {
      guard pa_rtclock_now() < deadline else { throw .timedOut(during: what) }
    }
  }

  /// Makes somebody who records do so from another source.
  public func move(listener: UInt32, to source: String) throws(PulseError) {
    try unsafe command("moving a recording stream") { reply in
      unsafe pa_context_move_source_output_by_name(raw, listener, source, succeeded, reply)
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

/// Stores what the server answered to a command.
private let succeeded: pa_context_success_cb_t = { _, success, data in
  unsafe Reply<Bool>.behind(data).values.append(success != 0)
}
