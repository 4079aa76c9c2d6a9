import QDAudioHost
import QDAudioPath
import QDControl
import QDDenoise
import QDMessages

/// Requests of the user, over the bus or by a signal.
extension Daemon {
  var handlers: ControlServer.Handlers {
    ControlServer.Handlers(
      status: { [unowned self] in status.status(at: AudioClock.microseconds) },
      setMode: { [unowned self] mode in set(mode: mode) },
      setStrength: { [unowned self] strength throws(ControlError) in try set(strength: strength) },
      setModel: { [unowned self] model throws(ControlError) in try active.choose(model) },
      use: { [unowned self] device throws(ControlError) in try use(device) },
      setChannels: { [unowned self] text throws(ControlError) in try set(channels: text) },
      reload: { [unowned self] () throws(ControlError) in
        if let reason = reload() { throw .refusal(reason) }
      },
      reset: { [unowned self] setting throws(ControlError) in try reset(setting) },
      record: { [unowned self] pipe, owner throws(ControlError) in
        try record(into: pipe, for: owner)
      },
      endRecordings: { [unowned self] owner in recordings.end(of: owner) })
  }

  private func set(mode: Mode) {
    preferences.set(mode: mode)
    active.applySettings()
  }

  private func set(strength: Double?) throws(ControlError) {
    let range = Settings.strengthRange
    if let strength, !(Double(range.lowerBound)...Double(range.upperBound)).contains(strength) {
      throw .refused(
        "\(strength) dB is no strength; it goes from \(range.lowerBound) to \(range.upperBound)")
    }
    preferences.set(strength: strength)
    active.applySettings()
  }

  private func use(_ device: String?) throws(ControlError) {
    if let device, !SavedState.isName(device) {
      throw .refused(
        "a microphone cannot have such a name; `denoisectl devices` lists what there is")
    }
    preferences.set(device: device)
    session.lookAgain()
  }

  private func set(channels text: String) throws(ControlError) {
    guard let channels = text.isEmpty ? [] : Settings.channels(text: text) else {
      let range = Settings.channelRange
      throw .refused(
        "'\(text)' are no channels; they are numbers from \(range.lowerBound) to"
          + " \(range.upperBound), such as 2 or 1,2")
    }
    let microphone = session.microphone
    guard
      channels.isEmpty || preferences.settings.device != nil || microphone?.reason == .configured
    else {
      throw .refused(
        "channels are those of one microphone; `denoisectl use NAME --channels \(text)` names both")
    }
    if let source = microphone?.source, microphone?.reason == .pinned,
      let last = channels.last, last > source.channels
    {
      throw .refused(
        "'\(source.description)' has \(source.channels) channels, and no channel \(last)")
    }
    preferences.set(channels: channels.isEmpty ? nil : channels)
    session.lookAgain()
  }

  /// Drops a change, so that the configuration's value applies.
  private func reset(_ setting: String) throws(ControlError) {
    let model = preferences.settings.model
    guard preferences.reset(setting) else {
      throw .refused("'\(setting)' is no setting; there are mode, strength, model, device")
    }
    session.lookAgain()
    active.adopt(choiceBefore: model, nil)
  }

  private func record(into pipe: Int32, for owner: String) throws(ControlError) -> UInt32 {
    let reason = session.title == nil ? session.failure : Session.noMicrophone
    let missing =
      session.microphone == nil ? UserMessage("there is nothing to record: \(reason)") : nil
    try recordings.begin(
      into: pipe, for: owner, missing: missing, at: AudioClock.microseconds)
    return UInt32(active.sampleRate)
  }

  /// Reloads the configuration; if it is invalid, the old one stays and the problem is returned.
  @discardableResult
  func reload() -> UserMessage? {
    do {
      let next = try preferences.read()
      let isOther = next.models != preferences.configuration.models
      let loaded = isOther ? try Models(next.models) : nil
      for problem in isOther ? Models.problems(next.models) : [] {
        Journal.write(.error, "\(problem)")
      }
      let model = preferences.settings.model
      preferences.fault = nil
      preferences.adopt(next)
      session.adopt(next)
      active.adopt(choiceBefore: model, loaded)
      Journal.write(.info, "configuration read again")
    } catch {
      Journal.write(.error, "\(error); the old settings stay")
      preferences.fault = UserMessage(describing: error)
    }
    return preferences.fault
  }
}
