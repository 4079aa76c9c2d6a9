"""Noisy mixtures and their targets, made on the fly from the bank.

The target of a reverberant mixture is the direct sound with its first 50 ms. Mixture and target
are aligned to the sample. SNR is active speech power over noise power.
"""

import math

import numpy as np
from scipy import fft

from bank import SAMPLE_RATE
from synthesis import SYNTHESISERS, coloured, normalised, plain_rms

ACTIVE_HOP = 480
BEFORE_DIRECT = 24  # samples kept before the direct sound of a room response
EARLY = 2400  # 50 ms
ROOM_LENGTH = 48000
SPEED = {"speech": 1.12, "noise": 1.4}
STORE = 48  # mixtures of which a batch is drawn, so that the two of a pair rarely meet
EARLY_DECAY = 960  # the early part fades out over 20 ms instead of stopping


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

    def babble(self, voices):
        total = np.zeros(self.length, np.float32)
        for _ in range(voices):
            total += normalised(self.cut("speech", self.pick(self.speakers)))
        return normalised(total)

    def one_noise(self):
        kind = self.rng.random()
        if kind < 0.70:
            return normalised(self.cut("noise", self.pick(self.noises)))
        if kind < 0.80:
            return self.babble(int(self.rng.integers(3, 8)))
        return SYNTHESISERS[self.rng.integers(len(SYNTHESISERS))](self.rng, self.length)

    def noise(self):
        total = self.one_noise()
        if self.rng.random() < 0.35:
            total = total + self.one_noise() * 10 ** (self.rng.uniform(-10, 3) / 20)
        if self.rng.random() < 0.2:
            total = total + coloured(self.rng, self.length) * 10 ** (self.rng.uniform(-20, 0) / 20)
        return total

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
        square = np.square(self.frequencies / np.float32(corner))
        return 1 / (1 + np.square(np.square(np.square(square))))

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

    def components(self):
        """Speech, its target and noise, filtered and in their room, not yet levelled."""
        entry = self.pick(self.speakers)
        speech = fft.rfft(self.cut("speech", entry), self.size)
        noise = fft.rfft(self.noise(), self.size)
        low_pass = self.low_pass(min(entry["bandwidth"], 20000))
        speech *= self.equaliser(5) * low_pass
        noise *= self.equaliser(8) * low_pass
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
        level, case = self.rng.uniform(-42, -14), self.rng.random()
        if case < 0.10:
            noise = noise * (10 ** ((level - 6) / 20) / plain_rms(noise))
            mixture, target = np.clip(noise, -1, 1), np.zeros_like(noise)
        elif case < 0.19:
            mixture, target = self.mix(speech, target, np.zeros_like(noise), 0, level)
        else:
            snr = float(np.clip(self.rng.normal(5, 8), -10, 35))
            mixture, target = self.mix(speech, target, noise, snr, level)
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
