"""Noisy mixtures and their targets, made on the fly from the bank.

The target of a reverberant mixture is the direct sound with its first 50 ms. Mixture and target
are aligned to the sample. SNR is active speech power over noise power.
"""

import math

import numpy as np
from scipy import fft

from bank import SAMPLE_RATE
from synthesis import (
    SYNTHESISERS,
    clicks,
    coloured,
    fan,
    held,
    normalised,
    plain_rms,
    slow_curve,
    vacuum,
)

ACTIVE_HOP = 480
BEFORE_DIRECT = 24  # samples kept before the direct sound of a room response
EARLY = 2400  # 50 ms
ROOM_LENGTH = 48000
SPEED = {"speech": 1.12, "noise": 1.4}
STORE = 48  # mixtures of which a batch is drawn, so that the two of a pair rarely meet
EARLY_DECAY = 960  # the early part fades out over 20 ms instead of stopping
CROWD = (8, 60)  # talkers
CROWD_VOICES = 12  # different ones among them
NOISES = (0.5, 0.3, 0.13, 0.07)  # probabilities of one to four noises at once
HELD = 0.08  # of the sentences have a held vowel
STEADY = (coloured, fan, vacuum)  # of which a tenth of the items is, without speech
FADE = 480  # samples over which speech begins after noise alone


def active_rms(x):
    """RMS of the hops within 30 dB of the loudest."""
    energy = np.square(x[: len(x) // ACTIVE_HOP * ACTIVE_HOP].reshape(-1, ACTIVE_HOP)).mean(1)
    active = energy[energy > energy.max() * 1e-3]
    return math.sqrt(active.mean()) if len(active) else 0.0


def split_room(response):
    """A room response from just before its direct sound, and its early part."""
    whole = response[max(0, int(np.abs(response).argmax()) - BEFORE_DIRECT) :]
    whole = whole[:ROOM_LENGTH] / np.abs(whole).max()
    early = whole.copy()
    tail = np.arange(max(0, len(whole) - BEFORE_DIRECT - EARLY))
    early[BEFORE_DIRECT + EARLY :] *= np.exp(-tail / EARLY_DECAY)
    return whole, early


class Mixer:
    """Draws (mixture, target) pairs of `seconds`, float32 in -1..1. One generator, one thread."""

    def __init__(self, bank, seed, seconds=3.0):
        self.bank = bank
        self.rng = np.random.default_rng(seed)
        self.length = int(seconds * SAMPLE_RATE)
        self.size = fft.next_fast_len(self.length + ROOM_LENGTH, real=True)
        self.frequencies = np.arange(self.size // 2 + 1) * np.float32(SAMPLE_RATE / self.size)
        self.warped = np.sqrt(self.frequencies / (SAMPLE_RATE / 2))
        self.room_spectra, self.store = {}, []
        self.speakers = bank.groups("speech", "speaker")
        self.noises = bank.groups("noise", "class")
        self.rooms = bank.entries["rir"]

    # Sources

    def pick(self, groups):
        members, weights = groups
        group = members[self.rng.choice(len(members), p=weights)]
        return group[self.rng.integers(len(group))]

    def cut(self, kind, entry):
        """A random piece of an entry, played up to `SPEED` faster or slower, repeated if short."""
        pace = 1.0
        if self.rng.random() < 0.5:
            pace = float(np.exp(self.rng.uniform(-1, 1) * math.log(SPEED[kind])))
        length = min(entry["length"], int(self.length * pace) + 2)
        start = entry["offset"] + int(self.rng.integers(entry["length"] - length + 1))
        piece = self.bank.samples[kind][start : start + length].astype(np.float32) / 32768
        if pace != 1:
            places = np.arange(int((length - 1) / pace)) * pace
            before = places.astype(np.int32)
            rest = (places - before).astype(np.float32)
            piece = piece[before] + np.diff(piece)[before] * rest
        return np.tile(piece, -(-self.length // len(piece)))[: self.length]

    def voice(self, speaker=None):
        """Speech of unit level by somebody else than `speaker`."""
        entry = self.pick(self.speakers)
        while entry["speaker"] == speaker:
            entry = self.pick(self.speakers)
        return normalised(self.cut("speech", entry))

    def babble(self, voices, speaker=None):
        return normalised(sum(self.voice(speaker) for _ in range(voices)))

    def crowd(self, speaker=None):
        """Talkers at 1 to 8 m, one of a few voices each, now and then with clatter; no room yet."""
        count = int(np.exp(self.rng.uniform(*np.log(CROWD))))
        voices = [self.voice(speaker) for _ in range(min(count, CROWD_VOICES))]
        total = np.zeros(self.length, np.float32)
        for k in range(count):
            distance = np.exp(self.rng.uniform(0, math.log(8)))
            shift = int(self.rng.integers(self.length))
            total += np.roll(voices[k % len(voices)], shift) / np.float32(distance)
        total = normalised(total)
        if self.rng.random() < 0.4:
            level = np.float32(10 ** (self.rng.uniform(-20, -5) / 20))
            total = total + clicks(self.rng, self.length) * level
        return normalised(total)

    def one_noise(self, speaker=None):
        """The spectrum of one noise, of random shape and often in a room of its own."""
        kind, in_room = self.rng.random(), 0.3
        if kind < 0.66:
            samples = normalised(self.cut("noise", self.pick(self.noises)))
        elif kind < 0.72:
            samples = self.babble(int(self.rng.integers(2, 8)), speaker)
        elif kind < 0.80:
            samples, in_room = self.crowd(speaker), 0.9
        else:
            samples = SYNTHESISERS[self.rng.integers(len(SYNTHESISERS))](self.rng, self.length)
        spectrum = fft.rfft(samples, self.size)
        if self.rng.random() < 0.5:
            spectrum *= self.equaliser(12)
        if self.rng.random() < in_room:
            spectrum *= self.room()[0]
        return spectrum

    def noise(self, speaker=None):
        """The spectrum of one to four noises at once."""
        total = self.one_noise(speaker)
        for _ in range(self.rng.choice(len(NOISES), p=NOISES)):
            total += self.one_noise(speaker) * np.float32(10 ** (self.rng.uniform(-12, 3) / 20))
        if self.rng.random() < 0.2:
            level = np.float32(10 ** (self.rng.uniform(-20, 0) / 20))
            total += fft.rfft(coloured(self.rng, self.length), self.size) * level
        return total

    def steady(self):
        """One stationary noise of unit RMS."""
        samples = STEADY[self.rng.integers(len(STEADY))](self.rng, self.length)
        spectrum = fft.rfft(samples, self.size) * self.equaliser(8) * self.microphone()
        return normalised(self.back(spectrum))

    # Filters, as amplitude responses over self.frequencies

    def equaliser(self, decibels):
        levels = 10 ** (self.rng.uniform(-decibels, decibels, 8) / 20)
        return np.interp(self.warped, np.linspace(0, 1, 8), levels).astype(np.float32)

    def low_pass(self, bandwidth):
        """The speech's true bandwidth if it is known to be narrow, else sometimes any other."""
        corner = None
        if bandwidth < 15000 and self.rng.random() < 0.8:
            corner = bandwidth
        elif self.rng.random() < 0.25:
            corner = self.rng.choice([3600, 7200, 7900, 11000, 15000])
        if corner is None:
            return np.float32(1)
        return self.narrow(corner)

    def narrow(self, corner):
        square = np.square(self.frequencies / np.float32(corner))
        return 1 / (1 + np.square(np.square(np.square(square))))

    def codec(self):
        """A low-pass that the speech alone has gone through: a caller's, played at the microphone."""
        if self.rng.random() > 0.08:
            return np.float32(1)
        return self.narrow(self.rng.choice([4000, 8000, 11000]))

    def microphone(self):
        """What a microphone does to everything: unevenness, and a slope below a low corner."""
        if self.rng.random() > 0.3:
            return np.float32(1)
        corner = np.float32(self.rng.uniform(20, 200))
        square = np.square(self.frequencies / corner)
        return self.equaliser(6) * np.sqrt(square / (1 + square))

    def room(self):
        """Spectra of a room response and its early part, its late part up to 6 dB off."""
        index = int(self.rng.integers(len(self.rooms)))
        if index not in self.room_spectra:
            whole, early = split_room(self.bank.audio("rir", self.rooms[index]))
            late = (whole - early).astype(np.float32)
            self.room_spectra[index] = (
                fft.rfft(early.astype(np.float32), self.size),
                fft.rfft(late, self.size),
            )
        early, late = self.room_spectra[index]
        return early + late * np.float32(10 ** (self.rng.uniform(-6, 6) / 20)), early

    # Mixtures

    def back(self, spectrum):
        return fft.irfft(spectrum, self.size)[: self.length].astype(np.float32)

    def sentence(self, entry):
        """Speech of an entry; one in four begins late, so that the noise is alone at first."""
        speech = self.cut("speech", entry)
        if self.rng.random() < 0.25:
            start = int(self.rng.uniform(0.05, 0.4) * self.length)
            speech[:start] = 0
            speech[start : start + FADE] *= np.linspace(0, 1, FADE, dtype=np.float32)
        if self.rng.random() < HELD:
            self.hold(speech)
        return speech

    def hold(self, speech):
        """Puts a held vowel of the same voice over a part of `speech`."""
        length = int(self.rng.uniform(0.1, 0.8) * self.length)
        vowel = held(self.rng, speech, length)
        if vowel is not None:
            start = int(self.rng.integers(self.length - length + 1))
            speech[start : start + length] = vowel

    def components(self):
        """Speech, its target and noise, filtered and in their room, not yet levelled."""
        entry = self.pick(self.speakers)
        speech = fft.rfft(self.sentence(entry), self.size)
        noise = self.noise(entry["speaker"])
        both = self.low_pass(min(entry["bandwidth"], 20000)) * self.microphone()
        speech *= self.equaliser(5) * self.codec() * both
        noise *= self.equaliser(8) * both
        if self.rng.random() < 0.40:
            whole, early = self.room()
            return self.back(speech * whole), self.back(speech * early), self.back(noise)
        dry = self.back(speech)
        return dry, dry, self.back(noise)

    def mix(self, speech, target, noise, snr, level):
        """Speech at `level` dBFS and noise `snr` dB below: (mixture, target), scaled below 1."""
        loudness = active_rms(speech)
        gain = 10 ** (level / 20) / max(loudness, 1e-5)
        noise_gain = loudness * gain / plain_rms(noise) * 10 ** (-snr / 20)
        mixture = speech * gain + noise * noise_gain
        scale = min(1.0, 0.99 / (np.abs(mixture).max() + 1e-9))
        return mixture * scale, target * (gain * scale)

    def items(self):
        """Two mixtures of the same speech and noise: other SNR, level and place of the noise."""
        speech, target, noise = self.components()
        shifted = np.roll(noise, int(self.rng.integers(len(noise))))
        return self.item(speech, target, noise), self.item(speech, target, shifted)

    def item(self, speech, target, noise):
        level, case = self.rng.uniform(-46, -14), self.rng.random()
        if case < 0.20:
            alone = self.steady() if case < 0.10 else normalised(noise)
            alone = alone * np.float32(10 ** (self.rng.uniform(-60, -20) / 20))
            mixture, target = np.clip(alone, -1, 1), np.zeros_like(noise)
        elif case < 0.28:
            mixture, target = self.mix(speech, target, np.zeros_like(noise), 0, level)
        else:
            snr = float(np.clip(self.rng.normal(4, 7.5), -10, 35))
            mixture, target = self.mix(speech, target, noise, snr, level)
        if self.rng.random() < 0.12:
            gain = slow_curve(self.rng, self.length, 0.7, -9, 0)  # as automatic gain control has it
            mixture, target = mixture * gain, target * gain
        if self.rng.random() < 0.03:
            limit = np.abs(mixture).max() * self.rng.uniform(0.3, 0.9)
            mixture = np.clip(mixture, -limit, limit)
        return mixture.astype(np.float32), target.astype(np.float32)

    def batch(self, count):
        """(count, samples) mixtures and targets, drawn from a store of `STORE` items."""
        while len(self.store) < STORE:
            self.store.extend(self.items())
        pairs = [self.store.pop(self.rng.integers(len(self.store))) for _ in range(count)]
        return np.stack([m for m, _ in pairs]), np.stack([t for _, t in pairs])
