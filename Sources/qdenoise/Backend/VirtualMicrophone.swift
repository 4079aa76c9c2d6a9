package import QDAudioHost
import QDControl

/// The source that applications record from, as modules of the server.
package struct VirtualMicrophone: Equatable, Sendable {
  package static let sourceName = Product.source
  package static let sinkName = Product.sink
  package static let description = Product.microphone

  /// The path of the sound into the server.
  package enum Layout: Equatable, Sendable {
    /// A pipe-source that reads the FIFO at `path`: no second clock and half the latency.
    case pipe(path: String)
    /// A null sink that is played to, and a source made from its monitor.
    case sink
    /// A source in PipeWire's graph to which our stream is linked. It belongs to the server, so
    /// that it survives a crash of ours.
    case node
  }

  /// A module to load.
  package struct Request: Equatable, Sendable {
    package var name: String
    package var argument: String
  }

  /// The changes on the server so that there is exactly one virtual microphone.
  package struct Plan: Equatable, Sendable {
    /// Modules of ours that are superfluous or wrong, in unloading order.
    package var unload: [UInt32]
    /// For each request of the layout, the module that fulfils it already.
    package var adopt: [UInt32?]
  }

  package var layout: Layout
  /// Hz; the rate of the denoiser.
  package var sampleRate: Int

  package init(layout: Layout, sampleRate: Int) {
    self.layout = layout
    self.sampleRate = sampleRate
  }

  /// The modules in loading order.
  package var requests: [Request] {
    // The server removes the double quotes inside the argument.
    let properties = "source_properties='device.description=\"\(Self.description)\"'"
    switch layout {
    case .pipe(let path):
      return [
        Request(
          name: "module-pipe-source",
          argument: "source_name=\(Self.sourceName) file=\(path) format=s16le rate=\(sampleRate)"
            + " channels=1 channel_map=mono \(properties)")
      ]
    case .node:
      return [
        Request(
          name: "module-null-sink",
          argument: "media.class=Audio/Source/Virtual sink_name=\(Self.sourceName)"
            + " rate=\(sampleRate) channels=1 channel_map=mono"
            // The microphone's clock drives the graph.
            + " sink_properties='device.description=\"\(Self.description)\" priority.driver=1'")
      ]
    case .sink:
      return [
        Request(
          name: "module-null-sink",
          argument: "sink_name=\(Self.sinkName) rate=\(sampleRate) channels=1 channel_map=mono"
            // PipeWire makes the sink with the highest priority the default.
            + " sink_properties='device.description=\"\(Self.description) (feed)\""
            + " priority.session=-100'"),
        Request(
          name: "module-remap-source",
          argument: "source_name=\(Self.sourceName) master=\(Self.sinkName).monitor channels=1"
            + " channel_map=mono remix=no \(properties)"),
      ]
    }
  }

  /// Keeps matching modules and removes our others.
  /// - Parameter adopts: keeps those of an earlier daemon because applications are connected to
  ///   them; otherwise they are created anew, because the server may still buffer earlier sound.
  package func plan(for modules: [PulseModule], adopts: Bool) -> Plan {
    let ours = modules.filter(Self.isOurs)
    guard adopts else {
      return Plan(unload: ours.map(\.index).sorted(by: >), adopt: requests.map { _ in nil })
    }
    var adopt = requests.map { request in
      ours.first { $0.name == request.name && $0.argument == request.argument }?.index
    }
    // A source made from a sink that is gone or new cannot be kept alone.
    if adopt.contains(nil) { adopt = adopt.map { _ in nil } }
    // Modules that were loaded last depend on those loaded first.
    let unload = ours.map(\.index).filter { !adopt.contains($0) }.sorted(by: >)
    return Plan(unload: unload, adopt: adopt)
  }

  private static func isOurs(_ module: PulseModule) -> Bool {
    let words = module.argument.split(separator: " ")
    return ["source_name=\(sourceName)", "sink_name=\(sourceName)", "sink_name=\(sinkName)"]
      .contains { words.contains($0) }
  }
}
