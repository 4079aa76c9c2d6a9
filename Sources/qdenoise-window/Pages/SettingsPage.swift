import QDClient
import QDControl

/// Microphone, channel, model, and whether it starts at login. Thread: main.
@MainActor final class SettingsPage {
  let widget: Widget
  private let session: Session
  private var microphone: Choice!
  private var channel: Choice!
  private var model: Choice!
  private let follow = Widget.switch()
  private let login = Widget.switch()
  private let followRow: Widget
  private let loginRow: Widget
  private let group: Widget
  private var isShowing = false

  init(_ session: Session) {
    self.session = session
    followRow = Widget.switchRow(
      tr("Follow the Default Microphone"), tr("Whatever the system's sound settings say"), follow)
    loginRow = Widget.switchRow(
      tr("Start at Login"), tr("Nothing runs while nobody listens."), login)
    group = Widget.group(tr("Microphone"))
    widget = Widget.column()
    microphone = Choice(tr("Microphone")) { [weak self] in self?.choose(microphone: $0) }
    channel = Choice(tr("Channel")) { [weak self] in self?.choose(channel: $0) }
    model = Choice(tr("Model")) { [weak self] in self?.choose(model: $0) }
    for row in [followRow, microphone.row, channel.row] { group.add(row) }
    let all = Widget.column(
      spacing: 24, group,
      Widget.group(
        tr("Network"), tr("What takes the noise away. Low latency halves the delay."), model.row),
      Widget.group(tr("Session"), nil, loginRow)
    ).margins(12, 18)
    widget.append(Widget.scrolled(Widget.clamp(all)))
    follow.onNotify("notify::active") { [weak self] in self?.changeFollowing() }
    login.onNotify("notify::active") { [weak self] in
      guard let self, !isShowing else { return }
      session.set(startsAtLogin: login.isOn)
    }
  }

  private var status: Status? { session.status.flatMap { try? $0.get() } }

  private func changeFollowing() {
    guard !isShowing else { return }
    let name = follow.isOn ? nil : status?.microphone.name
    session.ask { daemon throws(ControlError) in try daemon.use(device: name) }
  }

  private func choose(microphone index: Int) {
    let name = session.microphones.microphones[index].name
    session.ask { daemon throws(ControlError) in try daemon.use(device: name) }
  }

  private func choose(channel index: Int) {
    let channels = index == 0 ? [] : [index]
    session.ask { daemon throws(ControlError) in try daemon.set(channels: channels) }
  }

  /// What the row of models offers: the built-in ones, then the installed ones.
  private var models: [ModelSetting] {
    ModelSetting.words + (status?.installedModels ?? []).map(ModelSetting.installed)
  }

  private func choose(model index: Int) {
    let model = models[index]
    session.ask { daemon throws(ControlError) in try daemon.set(model: model) }
  }

  func update() {
    isShowing = true
    defer { isShowing = false }
    let status = status
    for row in [followRow, microphone.row, channel.row, model.row] {
      row.isSensitive = status != nil
    }
    showMicrophones(status)
    showChannels(status)
    let builtIn = [
      tr("Automatic"), tr("Full"), tr("Light, for slow machines"), tr("Low latency"),
    ]
    model.show(
      builtIn + models.dropFirst(builtIn.count).map(\.rawValue),
      chosen: status.flatMap { models.firstIndex(of: $0.settings.model) })
    showLogin()
  }

  private func showMicrophones(_ status: Status?) {
    let list = session.microphones.microphones
    let used = status?.settings.device ?? status?.microphone.name
    follow.isOn = status?.settings.device == nil
    microphone.row.isVisible = !list.isEmpty
    microphone.show(
      list.map(\.description), chosen: list.firstIndex { $0.name == used })
    group.describe(
      session.soundProblem
        ?? (list.isEmpty ? tr("There is no microphone: plug one in.") : ""))
  }

  private func showChannels(_ status: Status?) {
    let channels = status?.microphone.channels ?? []
    channel.row.isVisible = channels.count > 1
    // Channels are those of one microphone.
    channel.row.isSensitive = status?.settings.device != nil
    let pinned = status?.settings.channels ?? []
    channel.show(
      [tr("The loudest ones")] + channels.map { "\($0.number): \(tr($0.position))" },
      chosen: pinned.isEmpty ? 0 : pinned.count == 1 ? pinned[0] : nil)
  }

  private func showLogin() {
    switch session.startsAtLogin {
    case .success(let starts?):
      loginRow.isSensitive = true
      login.isOn = starts
      loginRow.set(subtitle: tr("Nothing runs while nobody listens."))
    case .success(nil):
      loginRow.isSensitive = false
      loginRow.set(subtitle: tr("The unit qdenoise.service is not installed."))
    case .failure(let error):
      loginRow.isSensitive = false
      loginRow.set(subtitle: sentence(tr(error)))
    case nil: loginRow.isSensitive = false
    }
  }
}
