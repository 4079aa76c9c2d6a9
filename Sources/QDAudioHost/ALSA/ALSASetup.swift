internal import CQDALSA

/// The parameters that a PCM was set up with.
struct ALSASetup {
  var encoding: SampleEncoding
  var channels: Int
  var period: Int
  var capacity: Int

  private static let mostChannels: UInt32 = 32

  /// Sets a PCM up, with the period, buffer and channels nearest to the requested ones; if
  /// `takesAll`, with all channels of a card.
  init(
    _ pcm: OpaquePointer, name: String, sampleRate: Int, period: Int, periods: Int, channels: Int,
    takesAll: Bool
  ) throws(ALSAError) {
    func check(_ result: Int32, _ what: String) throws(ALSAError) {
      guard result < 0 else { return }
      throw .unsuitable(pcm: name, what: what, reason: ALSAError.text(of: result))
    }
    var made: OpaquePointer?
    try check(unsafe snd_pcm_hw_params_malloc(&made), "memory")
    guard let hardware = unsafe made else { fatalError("no parameters") }
    defer { unsafe snd_pcm_hw_params_free(hardware) }
    try check(unsafe snd_pcm_hw_params_any(pcm, hardware), "asking what it can")
    try check(
      unsafe snd_pcm_hw_params_set_access(pcm, hardware, SND_PCM_ACCESS_RW_INTERLEAVED), "access")
    let encodings = SampleEncoding.allCases.filter {
      unsafe snd_pcm_hw_params_test_format(pcm, hardware, $0.format) == 0
    }
    guard let encoding = encodings.first else {
      throw .unsuitable(pcm: name, what: "samples", reason: "neither float nor 32 nor 16 bit")
    }
    try check(unsafe snd_pcm_hw_params_set_format(pcm, hardware, encoding.format), "samples")
    let isCard = unsafe snd_pcm_type(pcm) == SND_PCM_TYPE_HW
    var count = isCard && takesAll ? Self.mostChannels : UInt32(channels)
    try check(
      unsafe snd_pcm_hw_params_set_channels_near(pcm, hardware, &count), "\(count) channels")
    guard count <= Self.mostChannels else {
      throw .unsuitable(pcm: name, what: "channels", reason: "there are \(count), at most 32 go")
    }
    self.channels = Int(count)
    try check(
      unsafe snd_pcm_hw_params_set_rate(pcm, hardware, UInt32(sampleRate), 0), "\(sampleRate) Hz")
    var near = snd_pcm_uframes_t(period)
    try check(
      unsafe snd_pcm_hw_params_set_period_size_near(pcm, hardware, &near, nil),
      "a period of \(period) samples")
    var all = near * snd_pcm_uframes_t(periods)
    try check(
      unsafe snd_pcm_hw_params_set_buffer_size_near(pcm, hardware, &all),
      "a buffer of \(all) samples")
    try check(unsafe snd_pcm_hw_params(pcm, hardware), "setting it up")
    self.encoding = encoding
    self.period = Int(near)
    capacity = Int(all)
    try unsafe setStart(pcm, name: name)
  }

  /// We start playback explicitly, when the buffer is full enough.
  private func setStart(_ pcm: OpaquePointer, name: String) throws(ALSAError) {
    var made: OpaquePointer?
    guard unsafe snd_pcm_sw_params_malloc(&made) >= 0, let software = unsafe made else {
      fatalError("no memory")
    }
    defer { unsafe snd_pcm_sw_params_free(software) }
    var result = unsafe snd_pcm_sw_params_current(pcm, software)
    if result >= 0 {
      result = unsafe snd_pcm_sw_params_set_start_threshold(
        pcm, software, snd_pcm_uframes_t(min(2 * period, capacity)))
    }
    if result >= 0 { result = unsafe snd_pcm_sw_params(pcm, software) }
    guard result >= 0 else {
      throw .unsuitable(pcm: name, what: "starting", reason: ALSAError.text(of: result))
    }
  }
}
