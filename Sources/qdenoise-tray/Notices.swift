import QDClient
import QDControl

/// What a person must know while the window is closed, one text a kind.
enum Notice: CaseIterable {
  case microphone, busy, muted

  /// What there is to tell; nil if nothing is.
  func text(_ status: Status?) -> String? {
    guard let status else { return nil }
    switch self {
    case .microphone:
      return status.state == .waiting ? reason(status) : nil
    case .busy:
      return status.state == .degraded && status.silence == nil ? reason(status) : nil
    case .muted:
      // Nobody hears the difference while nobody listens.
      guard !status.listeners.isEmpty else { return nil }
      let texts = status.attenuations.map { sentence(tr($0.message)) }
      return texts.isEmpty ? nil : texts.joined(separator: "; ")
    }
  }

  private func reason(_ status: Status) -> String {
    sentence(tr(status.message(for: status.stateReason)))
  }

  var title: String {
    switch self {
    case .microphone: tr("No Microphone")
    case .busy: tr("The Machine Is Too Busy")
    case .muted: tr("The Microphone Is Muted")
    }
  }

  var icon: String {
    switch self {
    case .microphone: "microphone-disabled-symbolic"
    case .busy: "dialog-warning-symbolic"
    case .muted: "microphone-sensitivity-muted-symbolic"
    }
  }
}
