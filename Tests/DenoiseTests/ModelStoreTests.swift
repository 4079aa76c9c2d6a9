import QDDenoise
import QDEngine
import QDFiles
import Foundation
import QDModelStore
import Testing

@Suite struct ModelStoreTests {
  @Test func `both models are built in, in dynamic range`() throws {
    let full = try ModelStore.load(.full)
    let light = try ModelStore.load(.light)
    #expect(full.kind == .full)
    #expect(light.kind == .light)
    #expect(full.precision == .dynamicRange)
    #expect(light.precision == .dynamicRange)
  }

  @Test func `the low-latency model is built in, or nowhere`() throws {
    do {
      let model = try ModelStore.load(.lowLatency)
      #expect(model.kind == .lowLatency)
      #expect(model.hop == 240)
      #expect(model.precision == .dynamicRange)
    } catch {
      #expect(error == .notFound(name: "low-latency", searched: ModelStore.folders))
    }
  }

  @Test func `the user's folder is searched before the installed ones`() {
    #expect(ModelStore.folders == UserDirectories().data.map { $0 + "/qdenoise/models" })
  }

  @Test func `a model that is nowhere is an error that says where it could be`() {
    let error = #expect(throws: ModelStoreError.self) { try ModelStore.load(.file("no-such")) }
    for folder in ModelStore.folders { #expect("\(error!)".contains(folder)) }
  }

  @Test(arguments: [
    ("/dev/zero", "not a regular file"), ("/", "not a regular file"),
    ("/no/such.tflite", "No such file"), ("/etc/hostname", "not a .tflite file"),
  ])
  func `a file that is no model is an error that names it`(path: String, reason: String) {
    let error = #expect(throws: ModelStoreError.self) { try ModelStore.load(.file(path)) }
    #expect("\(error!)".contains(path) && "\(error!)".contains(reason))
  }

  @Test func `a network that does not denoise can be looked at, not loaded`() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/operators/fc_m1_f32.tflite").path()
    #expect(try ModelStore.graph(.file(path)).operators.count == 1)
    #expect(throws: ModelStoreError.self) { try ModelStore.load(.file(path)) }
  }
}
