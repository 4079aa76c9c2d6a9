import QDEngine
import EngineSupport
import QDKernels
import QDTFLite
import Testing

/// Weights in types that graphs lack; what Tests/Fixtures/make_stored_type_fixtures.py made.
struct StoredTypeTests {
  @Test(
    arguments: [
      ("bfloat16", "bfloat16", 1e-6), ("int4_blocks", "int4 in blocks of 32", 1e-6),
    ] as [(String, String, Float)])
  func `weights are restored as floats`(name: String, restoredFrom: String, error: Float) throws {
    let fixture = try Fixture("stored/\(name)")
    #expect(fixture.graph.tensors.contains { $0.restoredFrom == restoredFrom })
    for instructionSet in InstructionSet.available {
      var network = try Network(fixture.graph, instructionSet: instructionSet)
      let run = fixture.runs[0]
      let outputs = try network.run(run.inputs, reading: ["y"])
      #expect(largestError(outputs[0], run.outputs[0].values) <= error)
    }
  }

  @Test func `weights of two bits have the bits of the same in eight`() throws {
    let fixture = try Fixture("stored/int2")
    let weights = try #require(fixture.graph.tensors.first { $0.name == "w" })
    #expect(weights.type == .int8)
    #expect(Set(try #require(weights.data)) == [0, 1, 254, 255])
    var wide = fixture.graph
    for index in wide.tensors.indices { wide.tensors[index].isPackedInFile = false }
    for instructionSet in InstructionSet.available {
      var network = try Network(fixture.graph, instructionSet: instructionSet)
      let values = try network.run(fixture.runs[0].inputs, reading: ["y"])
      var other = try Network(wide, instructionSet: instructionSet)
      #expect(try other.run(fixture.runs[0].inputs, reading: ["y"]) == values)
      // Activations have 8 bits.
      #expect(largestError(values[0], fixture.runs[0].outputs[0].values) <= 0.02)
    }
  }

  @Test func `a type that is not restored is named`() throws {
    var bytes = try ModelFixture.bytes("stored/int2")
    // The only byte that is the number of INT2 and can be changed to that of another type.
    let names = Set(
      bytes.indices.filter { bytes[$0] == 19 }.compactMap { place -> String? in
        defer { bytes[place] = 19 }
        bytes[place] = 20
        do { _ = try TFLiteFile.read(bytes, name: "file") } catch { return "\(error)" }
        return nil
      })
    #expect(
      names.contains(
        "file: tensor 'w' of type UINT4 is not supported; export the model without it"))
  }
}
