import QDEngine
import EngineSupport
import QDKernels
import QDTFLite
import Testing

struct DetectionTests {
  @Test(arguments: InstructionSet.available)
  func `of equal scores the first box and the first class are found first`(
    instructionSet: InstructionSet
  ) throws {
    let fixture = try #require(
      try OperatorFixture.all.first { $0.name.hasPrefix("TFLite_Detection_PostProcess") })
    let graph = try TFLiteFile.read(fixture.model, name: fixture.name)
    var network = try Network(graph, instructionSet: instructionSet)
    let scores = try #require(graph.callerInputs.map { graph.tensors[$0] }.last)
    let (boxes, classes) = (scores.shape[1], scores.shape[2])
    /// Boxes, classes and how many there are, where each box has that score for each class.
    func found(_ score: (_ box: Int, _ kind: Int) -> Float) -> [[UInt8]] {
      var golden = fixture.golden.dropFirst(4)
      let encodings = network.inputBytes(at: 0)
      encodings.copyBytes(from: golden.prefix(encodings.count))
      golden = golden.dropFirst(encodings.count)
      let values = network.inputBytes(at: 1).bindMemory(to: Float.self)
      for place in values.indices { values[place] = score(place / classes, place % classes) }
      network.run()
      return [0, 1, 3].map { Array(network.outputBytes(at: $0)) }
    }
    let equal = found { _, _ in 0.9 }
    let falling = found { box, kind in
      0.9 - Float(box * classes + kind) / Float(10 * boxes * classes)
    }
    #expect(equal == falling)
    #expect(equal[2] != [0, 0, 0, 0])
  }
}
