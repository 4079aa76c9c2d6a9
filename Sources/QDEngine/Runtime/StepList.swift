/// The steps of a network, stored so that execution counts no references.
@safe struct StepList: ~Copyable {
  /// A step that cannot be copied, so no reference counts are needed.
  struct Element: ~Copyable {
    let step: Step
  }

  let elements: UnsafeMutableBufferPointer<Element>

  init(_ steps: [Step]) {
    unsafe elements = .allocate(capacity: steps.count)
    for (index, step) in steps.enumerated() {
      unsafe elements.initializeElement(at: index, to: Element(step: step))
    }
  }

  deinit { unsafe elements.deinitialize().deallocate() }

  var count: Int { unsafe elements.count }
}
