import CQDKernels
import Glibc
import QDMemory

/// A level of vector instructions, in order of preference within one architecture.
public enum InstructionSet: String, CaseIterable, Sendable, Comparable {
  case scalar, sse41, avx2, avxvnni, avx512vnni, avx512fp16, amx
  case neon, neondot, neonfp16, neoni8mm, wasm128

  /// The instruction sets of this processor and this build; the first is `scalar`.
  public static let available: [InstructionSet] = allCases.filter {
    unsafe ck_isa_available($0.identifier) && ck_kernels_for($0.identifier) != nil
  }

  /// The one to use: the highest available, or the one that the environment variable `QDENOISE_ISA`
  /// names.
  public static var best: InstructionSet { selection.instructionSet }

  /// The problem with `QDENOISE_ISA`, for the person at the terminal; nil if there is none. `best`
  /// then ignores the variable.
  public static var overrideProblem: String? { selection.problem }

  private static let selection: (instructionSet: InstructionSet, problem: String?) = {
    let request = unsafe getenv("QDENOISE_ISA").map { unsafe String(cString: $0) }
    return select(request, from: available)
  }()

  /// The choice of `best` for a value of `QDENOISE_ISA` (nil: not set).
  package static func select(
    _ request: String?, from available: [InstructionSet]
  ) -> (instructionSet: InstructionSet, problem: String?) {
    let highest = available.max() ?? .scalar
    guard let request, !request.isEmpty else { return (highest, nil) }
    let known = InstructionSet(rawValue: request)
    if let known, available.contains(known) { return (known, nil) }
    let reason = known == nil ? "is no instruction set" : "is not available on this machine"
    let names = available.map(\.rawValue).joined(separator: ", ")
    return (
      highest,
      "QDENOISE_ISA=\(request) \(reason); using \(highest.rawValue). Set one of: \(names)."
    )
  }

  public static func < (left: InstructionSet, right: InstructionSet) -> Bool {
    left.identifier.rawValue < right.identifier.rawValue
  }

  var identifier: ck_isa {
    switch self {
    case .scalar: CK_ISA_SCALAR
    case .sse41: CK_ISA_SSE41
    case .avx2: CK_ISA_AVX2
    case .avxvnni: CK_ISA_AVXVNNI
    case .avx512vnni: CK_ISA_AVX512VNNI
    case .avx512fp16: CK_ISA_AVX512FP16
    case .amx: CK_ISA_AMX
    case .neon: CK_ISA_NEON
    case .neondot: CK_ISA_NEONDOT
    case .neonfp16: CK_ISA_NEONFP16
    case .neoni8mm: CK_ISA_NEONI8MM
    case .wasm128: CK_ISA_WASM128
    }
  }

  /// Whether quantized activations are stored as uint8 (with a zero point 128 higher) instead of
  /// int8.
  package var storesUnsigned: Bool { unsafe kernels.pointee.flip != 0 }

  /// Whether a multiply-add rounds once, as in all but `sse41` and `wasm128`. Results have the same
  /// bits in all instruction sets that agree in this.
  package var fusesMultiplyAdd: Bool { unsafe kernels.pointee.fused }

  /// Whether there are products with two weights in a byte: on instruction sets where they are
  /// faster, and `scalar`.
  package var hasQC4WGEMM: Bool { unsafe kernels.pointee.qc4w_gemm != nil }

  /// Whether there are products in f16.
  package var hasF16GEMM: Bool { unsafe kernels.pointee.f16_gemm != nil }

  /// The highest up to `best` whose float results have the bits of `scalar`: results computed with
  /// it are the same on every machine.
  package static let reproducible: InstructionSet =
    available.filter { $0 <= best && $0.fusesMultiplyAdd && !$0.hasF16GEMM }.max() ?? .scalar

  /// The C kernels of this level; the instruction set must be available.
  var kernels: UnsafePointer<ck_kernels> {
    guard
      ck_isa_available(identifier), let kernels = unsafe ck_kernels_for(identifier)
    else { preconditionFailure("\(rawValue) is not available on this machine") }
    return unsafe kernels
  }
}

extension ck_tile {
  /// A part of the outputs that begins at a tile; nil is all of them.
  func checked(_ columns: Range<Int>?, of outputs: Int) -> Range<Int> {
    guard let columns else { return 0..<outputs }
    precondition(columns.lowerBound >= 0 && columns.upperBound <= outputs, "no such outputs")
    precondition(
      columns.isEmpty || columns.lowerBound.isMultiple(of: self.columns), "within a tile")
    return columns
  }
}

/// The instruction set's fastest product that is exact for rows of `inputs` weights.
func exactProducts(
  _ weights: () -> [Int8], inputs: Int, _ instructionSet: InstructionSet, _ store: BufferStore?
) -> ck_int8_products {
  let kernels = unsafe instructionSet.kernels
  let choice = store.number(
    {
      // Then any weights are exact in the instruction set's own products.
      let isAlways = unsafe kernels.pointee.bounded == nil && kernels.pointee.full_range_weights
      if isAlways { return 0 }
      let weights = weights()
      return unsafe Int(ck_exact_choice(kernels, weights.count / inputs, inputs, weights))
    }, isValid: { unsafe ck_products(kernels, Int32($0)) != nil })
  guard let products = unsafe ck_products(kernels, Int32(choice)) else {
    preconditionFailure("no such products")
  }
  return unsafe products.pointee
}

/// The instruction set's kernels, or the scalar ones if a weight of -128, which no converter
/// writes, would not be exact in vectors; these read the same activations in that case.
func exactKernels(
  _ weights: [Int8], _ instructionSet: InstructionSet
) -> UnsafePointer<ck_kernels> {
  let own = unsafe instructionSet.kernels
  let exact = unsafe own.pointee.full_range_weights || !weights.contains(-128)
  let kernels = unsafe exact ? own : InstructionSet.scalar.kernels
  unsafe precondition(kernels.pointee.flip == own.pointee.flip)
  return unsafe kernels
}
