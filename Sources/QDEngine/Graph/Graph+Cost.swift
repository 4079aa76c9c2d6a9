extension Graph {
  /// Multiply-accumulate operations of one operator in one run; 0 for those without weights.
  ///
  /// Computed from the shapes without checks: an invalid graph gives a meaningless number.
  public func multiplyAccumulates(_ node: Operator) -> Int {
    guard node.inputs.count > 1, let output = node.outputs.first.flatMap({ tensors[$0].count }),
      let weights = node.inputs[1].map({ tensors[$0].shape }), let outputs = weights.first
    else { return 0 }
    let count = weights.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    switch node.kind {
    case .fullyConnected, .convolution:
      return outputs == 0 ? 0 : output.multipliedReportingOverflow(by: count / outputs).partialValue
    case .depthwiseConvolution:
      guard let channels = weights.last, channels != 0 else { return 0 }
      return output.multipliedReportingOverflow(by: count / channels).partialValue
    default: return 0
    }
  }

  /// Multiply-accumulate operations of one run.
  public var multiplyAccumulates: Int {
    operators.reduce(0) { $0 &+ multiplyAccumulates($1) }
  }
}
