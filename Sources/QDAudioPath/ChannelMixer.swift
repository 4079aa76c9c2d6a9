import Glibc
import QDMemory

/// Makes one channel of a microphone's several: the loudest one, and the mean with those that are
/// as loud and in phase with it, so that nothing cancels.
///
/// Levels are compared in dB above the noise floor of each channel, while one of them is active,
/// and without what lies below the voice. Phases are compared by the correlation of differences
/// of neighbouring samples, which weights high frequencies: microphones at a distance, whose sum
/// would be a comb filter, are not mixed. Equal channels and a single one come out bit by bit.
/// Allocates nothing after `init`. Thread: audio.
package struct ChannelMixer: ~Copyable {
  /// Sound servers have no devices with more.
  package static let mostChannels = 32
  /// Samples of each channel that `mix` takes at most.
  package static let capacity = 4096

  /// Samples between two decisions: 5 ms.
  private static let block = 240
  /// Samples that a change takes: 20 ms.
  private static let fadeLength = 960
  /// One pole at 100 Hz.
  private static let highPass: Float = 0.013
  /// Activity in blocks after which the choice is no longer provisional: 0.2 s.
  private static let settling = 40
  /// Blocks in half of the time over which the noise floor is the least level: 2 s.
  private static let floorBlocks = 400
  /// dB by which another channel has to be louder to become the main one.
  private static let lead: Float = 6
  /// dB that a channel may lie off the main one to be mixed with it, and to stay so.
  private static let (joinRange, stayRange): (Float, Float) = (2, 4)
  /// Correlation with the main channel that it needs to be mixed with it, and to stay so.
  private static let (joinCorrelation, stayCorrelation): (Float, Float) = (0.8, 0.2)
  /// How many times its noise floor the main channel has to be for phases to be compared: 15 dB.
  private static let clarity: Float = 32
  /// Blocks of activity through which both have to hold before it is mixed: 0.5 s.
  private static let joinBlocks = 100

  private struct Channel: BitwiseCopyable {
    var lowPass: Float = 0
    var last: Float = 0
    /// Sums over the block: squares, and of differences squares and products with the main channel.
    var squares: Float = 0
    var changes: Float = 0
    var products: Float = 0
    /// Mean square of the last 50 ms.
    var level: Float = 0
    /// The least level of this half of the floor's time, and of the half before it.
    var leastNow: Float = 0
    var leastBefore: Float = 0
    /// dB, smoothed.
    var score: Float = 0
    /// `changes` and `products` of the last 0.1 s of activity.
    var power: Float = 0
    var product: Float = 0
    /// Blocks of activity since it was last unlike the main channel.
    var agreement = 0
    /// Its share in the mix; that of the main channel is what the others leave.
    var weight: Float = 0
    var step: Float = 0
    var target: Float = 0
    var isActive = false
  }

  package private(set) var channels = 1
  /// The channels in the mix, a bit each.
  package private(set) var used: UInt32 = 1
  private var pinned: UInt32 = 0
  private var main = 0
  private var states: AlignedBuffer<Channel>
  private var reference: AlignedBuffer<Float>
  private var mixed: AlignedBuffer<Float>
  /// Samples of the current block.
  private var filled = 0
  /// Samples until the weights are at their targets.
  private var fading = 0
  private var blocks = 0
  /// Blocks with activity, up to `settling`.
  private var activeBlocks = 0

  package init() {
    states = AlignedBuffer(count: Self.mostChannels)
    reference = AlignedBuffer(count: Self.block)
    mixed = AlignedBuffer(count: Self.capacity)
  }

  /// Begins with another microphone, of which nothing is known.
  /// - Parameter pinned: the channels to be mixed whatever they hold, a bit each; 0 chooses by
  ///   itself, and so does a set of channels that are not there.
  package mutating func reset(channels: Int, pinned: UInt32) {
    precondition(1...Self.mostChannels ~= channels)
    self.channels = channels
    states.fill(with: Channel())
    (blocks, activeBlocks, main, used) = (0, 0, 0, 1)
    self.pinned = 0
    pin(pinned)
    restart()
  }

  /// Goes on with the same microphone after a pause.
  package mutating func restart() {
    filled = 0
    settle()
    for channel in 0..<channels {
      clear(channel)
    }
  }

  /// Mixes these channels from now on, or chooses by itself.
  package mutating func pin(_ wanted: UInt32) {
    let existing = wanted & UInt32(truncatingIfNeeded: (1 << channels) - 1)
    guard existing != pinned else { return }
    pinned = existing
    activeBlocks = 0
    if pinned != 0 {
      follow(pinned.trailingZeroBitCount)
      mix(of: pinned)
    } else {
      mix(of: 1 << UInt32(main))
    }
  }

  /// The mean square of the last 50 ms of a channel.
  package func level(of channel: Int) -> Float { states[channel].level }

  /// Mixes `count` samples of each channel, interleaved, at most `capacity`. The result is valid
  /// until the next call.
  package mutating func mix(
    _ interleaved: UnsafePointer<Float>, _ count: Int
  ) -> UnsafePointer<Float> {
    guard channels > 1 else { return unsafe interleaved }
    precondition(count <= Self.capacity)
    var done = 0
    while done < count {
      var length = min(count - done, Self.block - filled)
      if fading > 0 { length = min(length, fading) }
      let piece = unsafe interleaved + done * channels
      unsafe measure(piece, length)
      unsafe blend(piece, length, into: mixed.pointer + done)
      done += length
      filled += length
      if filled == Self.block { decide() }
    }
    return unsafe UnsafePointer(mixed.pointer)
  }

  // MARK: Sound

  private mutating func measure(_ piece: UnsafePointer<Float>, _ length: Int) {
    let reference = unsafe reference.pointer
    // The main channel first, as the others are compared with it.
    for offset in 0..<channels {
      let channel = offset == 0 ? main : offset <= main ? offset - 1 : offset
      var state = states[channel]
      for index in 0..<length {
        let sample = unsafe piece[index * channels + channel]
        state.lowPass += Self.highPass * (sample - state.lowPass)
        let high = sample - state.lowPass
        let change = high - state.last
        state.last = high
        if offset == 0 { unsafe reference[index] = change }
        state.squares += high * high
        state.changes += change * change
        state.products += unsafe change * reference[index]
      }
      states[channel] = state
    }
  }

  /// Differences from the main channel are added to it: what is equal in all stays as it is.
  private mutating func blend(
    _ piece: UnsafePointer<Float>, _ length: Int, into mixed: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<length { unsafe mixed[index] = piece[index * channels + main] }
    for channel in 0..<channels where channel != main {
      var weight = states[channel].weight
      let step = states[channel].step
      if weight == 0 && step == 0 { continue }
      for index in 0..<length {
        weight += step
        let place = unsafe piece + index * channels
        unsafe mixed[index] += weight * (place[channel] - place[main])
      }
      states[channel].weight = weight
    }
    guard fading > 0 else { return }
    fading -= length
    if fading == 0 { settle() }
  }

  /// Ends the fade.
  private mutating func settle() {
    fading = 0
    for channel in 0..<channels {
      states[channel].weight = states[channel].target
      states[channel].step = 0
    }
  }

  // MARK: Decisions

  private var isSettled: Bool { activeBlocks >= Self.settling }

  private mutating func decide() {
    filled = 0
    var isActive = false
    for channel in 0..<channels {
      // What is no number, or next to the largest one, would stay in the filters.
      if !(states[channel].squares + states[channel].changes).isFinite { clear(channel) }
      if !states[channel].products.isFinite { states[channel].products = 0 }
      var state = states[channel]
      updateLevel(&state)
      states[channel] = state
      if state.isActive { isActive = true }
    }
    blocks += 1
    // Pauses say nothing of the voice.
    if isActive || !isSettled { judge(isActive: isActive) }
    for channel in 0..<channels {
      (states[channel].squares, states[channel].changes, states[channel].products) = (0, 0, 0)
    }
  }

  /// Forgets the samples of the block.
  private mutating func clear(_ channel: Int) {
    (states[channel].lowPass, states[channel].last) = (0, 0)
    (states[channel].squares, states[channel].changes, states[channel].products) = (0, 0, 0)
  }

  private func updateLevel(_ state: inout Channel) {
    let power = state.squares / Float(Self.block)
    state.level += (power - state.level) * (blocks == 0 ? 1 : 0.1)
    if blocks % Self.floorBlocks == 0 {
      state.leastBefore = blocks == 0 ? state.level : state.leastNow
      state.leastNow = state.level
    }
    state.leastNow = min(state.leastNow, state.level)
    // 6 dB above the floor, and above what no microphone gives.
    state.isActive = state.level > max(1e-9, 4 * floor(of: state))
  }

  private mutating func judge(isActive: Bool) {
    let rate: Float = blocks == 1 ? 1 : isSettled ? 1.0 / 60 : 0.4
    for channel in 0..<channels {
      var state = states[channel]
      // Stationary noise counts a hundredth.
      let noise = isActive ? 0.99 * floor(of: state) : 0
      let decibels = 10 * log10f(max(1e-9, state.level - noise))
      state.score += rate * (decibels - state.score)
      states[channel] = state
    }
    if isActive && !isSettled { activeBlocks += 1 }
    guard pinned == 0 else { return }
    var best = main
    for channel in 0..<channels where states[channel].score > states[best].score { best = channel }
    if states[best].score > states[main].score + Self.lead {
      follow(best)
      mix(of: 1 << UInt32(best))
    } else if states[main].level > Self.clarity * floor(of: states[main]) {
      mix(of: coherent())
    }
  }

  private func floor(of state: Channel) -> Float { min(state.leastNow, state.leastBefore) }

  /// The main channel, and those that are as loud as it and in phase with it.
  private mutating func coherent() -> UInt32 {
    for channel in 0..<channels {
      states[channel].power += (states[channel].changes - states[channel].power) / 20
      states[channel].product += (states[channel].products - states[channel].product) / 20
    }
    let main = states[main]
    var result = UInt32(1) << UInt32(self.main)
    for channel in 0..<channels where channel != self.main {
      let state = states[channel]
      let isIn = used & 1 << UInt32(channel) != 0
      let correlation = state.product / max(1e-20, (state.power * main.power).squareRoot())
      let isLike =
        correlation > (isIn ? Self.stayCorrelation : Self.joinCorrelation)
        && abs(state.score - main.score) < (isIn ? Self.stayRange : Self.joinRange)
      states[channel].agreement = isLike ? state.agreement + 1 : 0
      if isLike && (isIn || state.agreement >= Self.joinBlocks) { result |= 1 << UInt32(channel) }
    }
    return result
  }

  /// Makes a channel the main one; the mix stays as it is.
  private mutating func follow(_ channel: Int) {
    guard channel != main else { return }
    var (rest, restStep, restTarget): (Float, Float, Float) = (1, 0, 1)
    for other in 0..<channels where other != main {
      rest -= states[other].weight
      restStep -= states[other].step
      restTarget -= states[other].target
    }
    (states[main].weight, states[main].step, states[main].target) = (rest, restStep, restTarget)
    main = channel
    for channel in 0..<channels {
      (states[channel].power, states[channel].product, states[channel].agreement) = (0, 0, 0)
    }
  }

  /// Fades to the mean of these channels.
  private mutating func mix(of members: UInt32) {
    guard members != used else { return }
    used = members
    fading = Self.fadeLength
    for channel in 0..<channels {
      let isIn = members & 1 << UInt32(channel) != 0
      states[channel].target = isIn ? 1 / Float(members.nonzeroBitCount) : 0
      states[channel].step =
        (states[channel].target - states[channel].weight) / Float(Self.fadeLength)
    }
  }
}

extension ChannelMixer {
  /// The numbers of a set of channels, which begin with 0 here.
  package static func numbers(of set: UInt32) -> [Int] {
    (0..<mostChannels).filter { set & 1 << UInt32($0) != 0 }
  }
}
