import QDKernels
import QDMemory
import Testing

@Suite struct InstructionSetTests {
  @Test func `the best available set is taken unless the environment names another`() {
    let available: [InstructionSet] = [.scalar, .avx2, .avx512vnni]
    #expect(InstructionSet.select(nil, from: available) == (.avx512vnni, nil))
    #expect(InstructionSet.select("", from: available) == (.avx512vnni, nil))
    #expect(InstructionSet.select("avx2", from: available) == (.avx2, nil))
    #expect(InstructionSet.select("scalar", from: available) == (.scalar, nil))
  }

  @Test func `a name that cannot be used says why and what can`() {
    let available: [InstructionSet] = [.scalar, .avx2]
    let unknown = InstructionSet.select("avx3", from: available)
    #expect(unknown.instructionSet == .avx2)
    #expect(
      unknown.problem
        == "QDENOISE_ISA=avx3 is no instruction set; using avx2. Set one of: scalar, avx2.")
    let absent = InstructionSet.select("neon", from: available)
    #expect(absent.instructionSet == .avx2)
    #expect(absent.problem?.contains("is not available on this machine") == true)
  }

  @Test func `the scalar set is always there`() {
    #expect(InstructionSet.available.first == .scalar)
    #expect(InstructionSet.available.contains(.best))
  }
}

@Suite struct AlignedBufferTests {
  @Test(arguments: [0, 1, 15, 16, 1000])
  func `a buffer is aligned and zero`(count: Int) {
    let buffer = AlignedBuffer<Float>(count: count)
    #expect(Int(bitPattern: buffer.pointer) % AlignedBuffer<Float>.alignment == 0)
    #expect(buffer.count == count)
    #expect(buffer.elements.allSatisfy { $0 == 0 })
  }

  @Test func `a buffer keeps what was written`() {
    var buffer = AlignedBuffer<Int32>([1, 2, 3])
    buffer[1] = 7
    #expect(Array(buffer.elements) == [1, 7, 3])
    buffer.fill(with: 5)
    #expect(buffer[0] == 5 && buffer[2] == 5)
  }

  @Test func `an index outside the buffer stops the program`() async {
    await #expect(processExitsWith: .failure) {
      let buffer = AlignedBuffer<Int32>(count: 3)
      _ = buffer[3]
    }
  }
}
