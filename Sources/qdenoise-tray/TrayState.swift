import QDClient
import QDControl

/// What the panel shows: a pure function of what is known.
struct TrayState: Equatable {
  var status: Status?
  var microphones = MicrophoneList()

  enum Condition: Equatable {
    case off, idle, inUse, muted, problem
  }

  var condition: Condition {
    guard let status else { return .off }
    if status.settings.mode == .mute || !status.attenuations.isEmpty { return .muted }
    switch status.state {
    case .waiting: return .problem
    case .degraded: return status.silence == .starting ? .inUse : .problem
    case .idle: return .idle
    case .running: return .inUse
    }
  }

  /// Names of the icon theme that every desktop has.
  var icon: String {
    switch condition {
    case .off: "microphone-disabled-symbolic"
    case .idle, .inUse: "audio-input-microphone-symbolic"
    case .muted: "microphone-sensitivity-muted-symbolic"
    case .problem: "dialog-warning-symbolic"
    }
  }

  /// Panels may hide what is passive.
  var attention: String {
    switch condition {
    case .off, .idle: "Passive"
    case .inUse, .muted: "Active"
    case .problem: "NeedsAttention"
    }
  }

  /// As a sentence.
  var text: String {
    guard let status else { return tr("Noise reduction is off.") }
    switch condition {
    case .off: return tr("Noise reduction is off.")
    case .muted:
      return status.settings.mode == .mute
        ? tr("Muted") : status.attenuations.map { tr($0.message) }.joined(separator: "; ")
    case .problem: return sentence(tr(status.message(for: status.stateReason)))
    case .idle: return tr("Nobody listens.")
    case .inUse:
      let listeners = status.listeners.filter { $0 != "denoisectl record" }
      return listeners.isEmpty ? tr("Nobody listens.") : tr("Heard by %1.", list(listeners))
    }
  }

  // MARK: The menu

  var menu: [MenuEntry] {
    let mode = status?.settings.mode
    let names: [(Mode, String)] = [
      (.bypass, tr("None")), (.light, tr("Light")), (.standard, tr("Standard")),
      (.strong, tr("Strong")),
    ]
    let modes = names.enumerated().map { index, item in
      MenuEntry(
        id: Int32(11 + index), label: item.1, kind: .radio(isOn: item.0 == mode),
        action: .mode(item.0))
    }
    let device = status?.settings.device
    let microphones =
      [
        MenuEntry(
          id: 20, label: tr("Follow the Default"), kind: .radio(isOn: device == nil),
          action: .microphone(nil))
      ]
      + microphones.microphones.enumerated().map { index, microphone in
        MenuEntry(
          id: Int32(21 + index), label: microphone.description,
          kind: .radio(isOn: microphone.name == device), action: .microphone(microphone.name))
      }
    let isThere = status != nil
    return [
      MenuEntry(
        id: 1, label: tr("Denoise my microphone"), kind: .check(isOn: isThere), action: .power),
      MenuEntry(
        id: 2, label: tr("Mute"), kind: .check(isOn: mode == .mute), isEnabled: isThere,
        action: .mute),
      MenuEntry(
        id: 3, label: tr("Noise Reduction"), kind: .submenu(modes), isEnabled: isThere),
      MenuEntry(
        id: 4, label: tr("Microphone"), kind: .submenu(microphones), isEnabled: isThere),
      MenuEntry(id: 5, label: "", kind: .separator),
      MenuEntry(id: 6, label: tr("Open the Window"), action: .window),
      MenuEntry(id: 7, label: tr("Quit"), action: .quit),
    ]
  }
}

/// One line of the menu.
struct MenuEntry: Equatable {
  enum Kind: Equatable {
    case plain
    case check(isOn: Bool)
    case radio(isOn: Bool)
    case separator
    case submenu([MenuEntry])
  }

  enum Action: Equatable {
    case power, mute, window, quit
    case mode(Mode)
    /// By the server's name; nil follows the default.
    case microphone(String?)
  }

  var id: Int32
  var label: String
  var kind = Kind.plain
  var isEnabled = true
  var action: Action?

  var children: [MenuEntry] {
    if case .submenu(let entries) = kind { entries } else { [] }
  }

  /// As com.canonical.dbusmenu names them.
  var properties: [(String, Variant)] {
    // An underscore marks a key in a label.
    var properties: [(String, Variant)] = [
      ("label", .text(label.replacing("_", with: "__"))), ("enabled", .truth(isEnabled)),
      ("visible", .truth(true)),
    ]
    switch kind {
    case .plain: break
    case .check(let isOn):
      properties += [("toggle-type", .text("checkmark")), ("toggle-state", .number(isOn ? 1 : 0))]
    case .radio(let isOn):
      properties += [("toggle-type", .text("radio")), ("toggle-state", .number(isOn ? 1 : 0))]
    case .separator: properties = [("type", .text("separator")), ("visible", .truth(true))]
    case .submenu: properties.append(("children-display", .text("submenu")))
    }
    return properties
  }

  /// This entry or one below it.
  func find(_ id: Int32) -> MenuEntry? {
    self.id == id ? self : children.lazy.compactMap { $0.find(id) }.first
  }
}
