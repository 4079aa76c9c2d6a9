import CAllocationCount
import Foundation
import TestSupport
import Testing

import QDAudioPath

/// Words of 0.25 s with pauses between them, and the same for every channel with a gain of its own.
private func words(seconds: Double, seed: UInt64 = 1) -> [Float] {
  let noise = Sound.noise(seconds: seconds, level: 0.1, seed: seed)
  return noise.indices.map { index in
    index / 12_000 % 2 == 1 ? noise[index] : 0.001 * noise[index]
  }
}

private func interleave(_ channels: [[Float]]) -> [Float] {
  channels[0].indices.flatMap { index in channels.map { $0[index] } }
}

private func scale(_ samples: [Float], _ gain: Float) -> [Float] { samples.map { $0 * gain } }

private func decibels(_ samples: some Collection<Float>) -> Double {
  Analysis.decibels(Analysis.level(samples))
}

@Suite struct `Channel mixer` {
  /// What comes out of these channels, in fragments of this length.
  private func mix(
    _ channels: [[Float]], pinned: UInt32 = 0, fragment: Int = 480
  ) -> (mixed: [Float], used: [Int]) {
    var mixer = ChannelMixer()
    mixer.reset(channels: channels.count, pinned: pinned)
    let mixed = run(&mixer, channels, fragment: fragment)
    return (mixed, ChannelMixer.numbers(of: mixer.used))
  }

  private func run(
    _ mixer: inout ChannelMixer, _ channels: [[Float]], fragment: Int = 480
  ) -> [Float] {
    let samples = interleave(channels)
    var mixed: [Float] = []
    samples.withUnsafeBufferPointer { samples in
      var start = 0
      while start < channels[0].count {
        let count = min(fragment, channels[0].count - start)
        let out = mixer.mix(samples.baseAddress! + start * channels.count, count)
        mixed += UnsafeBufferPointer(start: out, count: count)
        start += count
      }
    }
    return mixed
  }

  @Test func `one channel is not touched, and equal ones come out bit by bit`() {
    let voice = words(seconds: 3)
    #expect(mix([voice]).mixed == voice)
    let (mixed, used) = mix([voice, voice])
    #expect(mixed == voice)
    #expect(used == [0, 1])
    #expect(mix([voice, voice, voice, voice]).mixed == voice)
  }

  @Test(arguments: [(2, 0), (2, 1), (10, 7), (32, 31)])
  func `a voice on one channel alone is as loud as in mono`(channels: Int, voiced: Int) {
    let voice = words(seconds: 3)
    var all = (0..<channels).map { Sound.noise(seconds: 3, level: 1e-4, seed: UInt64($0) + 9) }
    all[voiced] = voice
    let (mixed, used) = mix(all)
    #expect(used == [voiced])
    // Its first word, too, but for the cross-fade.
    #expect(mixed[13_500...] == voice[13_500...])
    #expect(abs(decibels(mixed[12_000..<24_000]) - decibels(voice[12_000..<24_000])) < 1)
  }

  @Test func `channels in antiphase do not cancel`() {
    let voice = words(seconds: 3)
    let (mixed, used) = mix([voice, scale(voice, -1)])
    #expect(used == [0])
    #expect(mixed == voice)
    // Nor does one that turns round while it is mixed.
    let turned = voice.indices.map { $0 < 72_000 ? voice[$0] : -voice[$0] }
    let (after, usedThen) = mix([voice, turned])
    #expect(usedThen == [0])
    #expect(decibels(after[96_000...]) == decibels(voice[96_000...]))
  }

  @Test func `a constant in both does not make channels in antiphase alike`() {
    let voice = words(seconds: 3)
    let (mixed, used) = mix([voice.map { $0 + 0.3 }, voice.map { 0.3 - $0 }])
    #expect(used == [0])
    #expect(decibels(mixed[48_000...].map { $0 - 0.3 }) > decibels(voice[48_000...]) - 0.1)
  }

  @Test func `coherent channels are averaged, others are left out`() {
    let voice = words(seconds: 3)
    let noises = (0..<4).map { Sound.noise(seconds: 3, level: 0.01, seed: UInt64($0) + 5) }
    let alone = Sound.noise(seconds: 3, level: 0.07, seed: 99)
    var all = noises.map { noise in zip(voice, noise).map(+) }
    all[3] = zip(scale(voice, 0.25), noises[3]).map(+)
    all.append(alone)
    let (mixed, used) = mix(all)
    #expect(used == [0, 1, 2])
    let error = zip(mixed, voice).dropFirst(48_000).map { $0 - $1 }
    // Three noises of -40 dB, averaged.
    #expect(abs(decibels(error) + 40 + 4.8) < 1)
  }

  @Test func `microphones at a distance are not made a comb filter`() {
    // Vowels are alike in both, and fricatives are not.
    let hiss = Sound.noise(seconds: 4, level: 0.05)
    let vowel = Sound.sine(240, seconds: 4, amplitude: 0.2)
    let overtone = Sound.sine(720, seconds: 4, amplitude: 0.1)
    let voice = hiss.indices.map { index in
      switch index / 4800 % 5 {
      case 0...2: vowel[index] + overtone[index] + 0.001 * hiss[index]
      case 3: hiss[index]
      default: 0.001 * hiss[index]
      }
    }
    let (mixed, used) = mix([voice, [0, 0, 0] + voice.dropLast(3)])
    #expect(used == [0])
    #expect(mixed == voice)
  }

  @Test func `a hum that is louder than the voice is not taken for it`() {
    let voice = words(seconds: 6)
    let hum = Sound.sine(300, seconds: 6, amplitude: 0.2)
    let (_, used) = mix([hum, voice])
    #expect(used == [1])
  }

  @Test func `a knock on another channel and pauses change nothing`() {
    let voice = words(seconds: 20).enumerated().map { $0.offset < 240_000 ? $0.element : 0 }
    var other = Sound.noise(seconds: 20, level: 1e-3, seed: 4)
    for index in 100_000..<102_400 { other[index] = index % 100 < 50 ? 0.9 : -0.9 }
    let (mixed, used) = mix([voice, other])
    #expect(used == [0])
    #expect(mixed[48_000...] == voice[48_000...])
  }

  @Test func `a voice that moves is followed within half a second, without a step`() {
    let tone = Sound.sine(250, seconds: 6, amplitude: 0.25)
    // Whoever speaks is not stationary.
    let voice = tone.indices.map { tone[$0] * ($0 / 9600 % 2 == 0 ? 1 : 0.02) }
    let left = voice.indices.map { $0 < 144_000 ? voice[$0] : 0.05 * voice[$0] }
    let right = voice.indices.map { $0 < 144_000 ? 0.05 * voice[$0] : voice[$0] }
    let (mixed, used) = mix([left, right])
    #expect(used == [1])
    #expect(mixed[168_000...] == right[168_000...])
    // But for those of the sound itself.
    let steps = mixed.indices.dropLast().filter { $0 % 9600 != 9599 }.map {
      abs(mixed[$0 + 1] - mixed[$0])
    }
    #expect(steps.max()! < 0.25 * 2 * .pi * 250 / 48_000 + 0.001)
  }

  @Test func `levels that swing about each other switch nothing`() {
    let voice = words(seconds: 10)
    func swing(_ sign: Float, _ noise: UInt64) -> [Float] {
      let other = Sound.noise(seconds: 10, level: 0.1, seed: noise)
      return voice.indices.map { index in
        let gain = powf(10, sign * 2 * sinf(Float(index) / 24_000) / 20)
        return gain * (0.7 * voice[index] + (index / 12_000 % 2 == 1 ? 0.7 : 0) * other[index])
      }
    }
    var mixer = ChannelMixer()
    mixer.reset(channels: 2, pinned: 0)
    let channels = [swing(1, 7), swing(-1, 8)]
    var changes = 0
    var used = mixer.used
    for start in stride(from: 0, to: 480_000, by: 480) {
      _ = run(&mixer, channels.map { Array($0[start..<start + 480]) })
      if mixer.used != used, start > 24_000 { changes += 1 }
      used = mixer.used
    }
    #expect(changes == 0)
    #expect(used == 1)
  }

  @Test func `pinned channels are mixed whatever they hold, and those that are missing are not`() {
    let voice = words(seconds: 2)
    let silence = [Float](repeating: 0, count: voice.count)
    #expect(mix([voice, silence], pinned: 0b10).mixed == silence)
    let (half, used) = mix([voice, silence, voice], pinned: 0b11)
    #expect(used == [0, 1])
    #expect(abs(decibels(half) - decibels(voice) + 6.02) < 0.01)
    #expect(mix([silence, voice], pinned: 0b1000).used == [1])
  }

  @Test func `to pin and to let go is a cross-fade`() {
    let tone = Sound.sine(100, seconds: 1, amplitude: 0.5)
    let other = Sound.sine(100, seconds: 1, amplitude: 0.1)
    var mixer = ChannelMixer()
    mixer.reset(channels: 2, pinned: 0)
    var mixed = run(&mixer, [tone, other])
    mixer.pin(0b10)
    mixed += run(&mixer, [tone, other])
    #expect(mixed.suffix(24_000) == other.suffix(24_000))
    mixer.pin(0)
    mixed += run(&mixer, [tone, other])
    #expect(mixed.suffix(24_000) == tone.suffix(24_000))
    let steps = zip(mixed, mixed.dropFirst()).map { abs($0 - $1) }
    #expect(steps.max()! < 0.5 * 2 * .pi * 100 / 48_000 + 0.001)
  }

  @Test(arguments: [1, 7, 241, 4096])
  func `the length of fragments changes nothing`(fragment: Int) {
    let channels = (0..<3).map { words(seconds: 1, seed: UInt64($0) + 1) }
    #expect(mix(channels, fragment: fragment).mixed == mix(channels).mixed)
  }

  @Test func `what is no number does not blind it`() {
    let voice = words(seconds: 3)
    var broken = [Float](repeating: 0, count: voice.count)
    broken[100] = .nan
    broken[5000] = .infinity
    let (mixed, used) = mix([broken, voice])
    #expect(used == [1])
    #expect(mixed[48_000...] == voice[48_000...])
  }

  @Test func `it goes on with its choice after a pause, and forgets it with another microphone`() {
    let voice = words(seconds: 2)
    let silence = [Float](repeating: 0, count: voice.count)
    var mixer = ChannelMixer()
    mixer.reset(channels: 2, pinned: 0)
    _ = run(&mixer, [silence, voice])
    mixer.restart()
    #expect(run(&mixer, [silence, voice]) == voice)
    mixer.reset(channels: 2, pinned: 0)
    #expect(ChannelMixer.numbers(of: mixer.used) == [0])
  }

  @Test func `no sample costs an allocation`() {
    let channels = (0..<10).map { words(seconds: 1, seed: UInt64($0) + 1) }
    let samples = interleave(channels)
    var mixer = ChannelMixer()
    let before = allocation_count()
    samples.withUnsafeBufferPointer { samples in
      mixer.reset(channels: 10, pinned: 0)
      for start in stride(from: 0, to: 48_000, by: 480) {
        _ = mixer.mix(samples.baseAddress! + start * 10, 480)
        if start == 24_000 { mixer.pin(0b101) }
        if start == 36_000 { mixer.pin(0) }
      }
      mixer.restart()
    }
    #expect(allocation_count() == before)
  }

  @Test func `levels are those of the channels`() {
    let tone = Sound.sine(1000, seconds: 1, amplitude: 0.1)
    var mixer = ChannelMixer()
    mixer.reset(channels: 2, pinned: 0)
    _ = run(&mixer, [tone, scale(tone, 0.1)])
    #expect(abs(10 * log10(Double(mixer.level(of: 0))) + 23) < 0.2)
    #expect(abs(10 * log10(Double(mixer.level(of: 1))) + 43) < 0.2)
  }
}
