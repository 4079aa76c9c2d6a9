"""What denoisers do to voices that training sets rarely hold: python voices.py CORPUS SYSTEM=COMMAND ...

Every sound is synthesised, or transformed from the corpus's validation voices; none has noise in it, so
whatever a system takes away is voice. COMMAND maps {in} to {out}, mono at 48 kHz, with any delay.
Prints a Markdown table: the loss of the voice in dB, the level before over the level after in the hops
that hold it. WORLD (Morise et al. 2016, PyPI pyworld) changes excitation, pitch and formants; words
and syllables are espeak-ng's. Needs numpy, scipy, soundfile, soxr, pyworld and setuptools before 81.
"""

import argparse
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyworld
import soundfile
import soxr
from scipy.signal import butter, sosfilt

from bank import read_manifest

RATE = 48000
HOP = 480
SECONDS = 8
LEVEL = -26  # dBFS, of the loud hops, where a row says nothing else
CONSONANTS = {
    "s": ("sun", "seven", "city", "sister"),
    "f": ("fish", "five", "photo", "family"),
    "p": ("paper", "people", "pocket", "piano"),
    "t": ("table", "ten", "tomato", "tiger"),
    "k": ("kitchen", "coffee", "cake", "kilo"),
    "h": ("house", "hotel", "hand", "hello"),
}
ONSET = 0.06  # seconds of a word that count as its first consonant


def decibels(power):
    return 10 * np.log10(power + 1e-12)


def powers(x):
    """Mean square of each hop."""
    return np.square(x[: len(x) // HOP * HOP].reshape(-1, HOP)).mean(1)


def active(x, range_db=30):
    power = powers(x)
    return power > power.max() * 10 ** (-range_db / 10)


def levelled(x, level=LEVEL):
    x = np.asarray(x, np.float64)
    return x * 10 ** ((level - decibels(powers(x)[active(x)].mean())) / 20)


def sentences(corpus, count=8):
    """`SECONDS` of each of some validation speakers of a wide band, at 48 kHz."""
    rows = [r for r in read_manifest(corpus) if r["kind"] == "speech" and r["split"] == "valid"]
    rows = [r for r in rows if float(r["bandwidth60_hz"] or 0) > 7000]
    by_speaker = {r["speaker"]: r for r in rows}
    chosen = [by_speaker[name] for name in sorted(by_speaker)][:: max(1, len(by_speaker) // count)]
    for row in chosen[:count]:
        samples, _ = soundfile.read(Path(corpus) / row["path"], dtype="float64", frames=SECONDS * RATE)
        yield samples


def world(x, pitch=1.0, formants=1.0, whispered=False):
    """Resynthesis with other pitch and formants, or with noise in place of the voice."""
    x16 = soxr.resample(x, RATE, 24000)
    f0, times = pyworld.harvest(x16, 24000)
    envelope = pyworld.cheaptrick(x16, f0, times, 24000)
    noisiness = pyworld.d4c(x16, f0, times, 24000)
    if formants != 1:
        bins = np.arange(envelope.shape[1])
        envelope = np.stack([np.interp(bins / formants, bins, row) for row in envelope])
    if whispered:
        # No energy of a voice's source below the first formant, as in a whisper.
        hertz = np.arange(envelope.shape[1]) * 12000 / (envelope.shape[1] - 1)
        envelope = envelope / (1 + (400 / (hertz + 1)) ** 2)
        f0, noisiness = np.zeros_like(f0), np.ones_like(noisiness)
    made = pyworld.synthesize(f0 * pitch, envelope, noisiness, 24000)
    return soxr.resample(made, 24000, RATE)


def vowel(f0, formants=((700, 90), (1200, 110), (2600, 160), (3400, 250)), rng=None):
    """A source of the slope of a voice through formants (centre, width); f0 has one value a sample."""
    rng = rng or np.random.default_rng(1)
    points = np.arange(0, len(f0) + HOP, HOP)
    jitter = 1 + 0.004 * np.interp(np.arange(len(f0)), points, rng.standard_normal(len(points)))
    phase = 2 * np.pi * np.cumsum(f0 * jitter) / RATE
    harmonics = range(1, min(60, int(RATE / 2 / f0.max())))
    source = sum(np.cos(k * phase) / k for k in harmonics)
    source = source + 0.02 * rng.standard_normal(len(f0))
    out = np.zeros(len(f0))
    for k, (centre, width) in enumerate(formants):
        band = butter(1, (centre - width, centre + width), "bandpass", fs=RATE, output="sos")
        out += sosfilt(band, source) * 0.6**k
    ramp = np.minimum(1, np.arange(len(f0)) / 2400)
    return out * ramp * ramp[::-1]


def held(rng):
    for f0 in (100, 140, 200, 280):
        for formants in (((300, 60), (2300, 100), (3000, 150)), ((700, 90), (1200, 110), (2600, 160))):
            yield levelled(vowel(np.full(int((SECONDS + 1) * RATE), float(f0)), formants, rng))


def singing(rng):
    """Five notes with vibrato, each a voice of its own height."""
    time = np.arange(SECONDS * RATE) / RATE
    for lowest in (110, 165, 220, 330):
        notes = lowest * 2 ** (np.array([0, 4, 7, 5, 0]) / 12)
        melody = notes[np.minimum((time / SECONDS * 5).astype(int), 4)]
        yield levelled(vowel(melody * 2 ** (0.5 / 12 * np.sin(2 * np.pi * 5.5 * time)), rng=rng))


def syllables(rng, rate, unvoiced):
    """Bursts of breath and voice: laughs (unvoiced starts, falling pitch) and coughs (noise, short)."""
    out = np.zeros(SECONDS * RATE)
    for start in np.arange(0.3, SECONDS - 0.6, 1 / rate):
        size = int(RATE * (0.16 if unvoiced < 0.8 else 0.25))
        time = np.arange(size) / RATE
        shape = np.sin(np.pi * np.minimum(1, time / time[-1])) ** 0.7
        voiced = vowel(260 * np.exp(-time), rng=rng)
        breath = sosfilt(butter(2, (500, 5000), "bandpass", fs=RATE, output="sos"), rng.standard_normal(size))
        piece = (1 - unvoiced) * voiced / (voiced.std() + 1e-9) + unvoiced * breath / breath.std()
        at = int(start * RATE)
        out[at : at + size] += piece * shape
    return levelled(out)


def espeak(text, voice):
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["espeak-ng", "-v", voice, "-s", "140", "-w", file.name, text], check=True)
        samples, rate = soundfile.read(file.name)
    return soxr.resample(samples, rate, RATE)


def words(letter):
    """Words that begin with a consonant, a second of silence before each: samples, and the onsets."""
    for voice in ("en-us", "en-gb+f3", "de+m3"):
        out, onsets = [np.zeros(RATE)], []
        for word in CONSONANTS[letter]:
            x = levelled(espeak(word, voice))
            first = int(np.argmax(active(x, 35))) * HOP
            onsets.append(sum(map(len, out)) + first)
            out += [x, np.zeros(RATE)]
        yield np.concatenate(out), onsets


def hops_at(onsets, count):
    mask = np.zeros(count, bool)
    for onset in onsets:
        mask[onset // HOP : (onset + int(ONSET * RATE)) // HOP] = True
    return mask


def rows(corpus):
    """(name, [(samples, hops that count)])"""
    rng = np.random.default_rng(20261129)
    spoken = list(sentences(corpus))

    def all_of(sounds):
        return [(x, active(x)) for x in sounds]

    yield "speech as it is", all_of(levelled(x) for x in spoken)
    yield "whispered", all_of(levelled(world(x, whispered=True), -36) for x in spoken)
    yield "child: pitch 1.7, formants 1.25", all_of(levelled(world(x, 1.7, 1.25)) for x in spoken)
    yield "held vowels, second 1", [(x, hop_range(x, 1, 2)) for x in held(np.random.default_rng(2))]
    yield "held vowels, second 8", [(x, hop_range(x, 8, 8.9)) for x in held(np.random.default_rng(2))]
    yield "singing", all_of(singing(rng))
    yield "laughter", all_of(syllables(rng, 4.5, unvoiced) for unvoiced in (0.3, 0.5))
    yield "coughs", all_of(syllables(rng, 1.2, unvoiced) for unvoiced in (0.85, 0.95))
    for letter in CONSONANTS:
        yield f"first consonant {letter}", [
            (x, hops_at(onsets, len(x) // HOP)) for x, onsets in words(letter)
        ]
    for below in (10, 20, 30):
        yield f"second voice, {below} dB lower", list(second_voices(spoken, below))
    yield "speech at -60 dBFS", all_of(levelled(x, -60) for x in spoken)
    yield "12 dB beyond full scale, clipped", all_of(
        np.clip(x / np.abs(x).max() * 10 ** (12 / 20), -1, 1) for x in spoken
    )
    yield "8 kHz speech", all_of(
        levelled(soxr.resample(soxr.resample(x, RATE, 8000), 8000, RATE)) for x in spoken
    )
    yield "with an offset of 0.1", [(levelled(x) + 0.1, active(levelled(x))) for x in spoken]


def hop_range(x, first, last):
    mask = np.zeros(len(x) // HOP, bool)
    mask[int(first * RATE / HOP) : int(last * RATE / HOP)] = True
    return mask


def second_voices(spoken, below):
    """Two voices that take turns every second; the hops of the quieter one count."""
    turn = (np.arange(SECONDS * RATE) // RATE) % 2 == 1
    for first, second in zip(spoken, spoken[1:] + spoken[:1]):
        a, b = levelled(first), levelled(second, LEVEL - below)
        size = min(len(a), len(b), len(turn)) // HOP * HOP
        quiet = np.where(turn[:size], b[:size], 0)
        yield np.where(turn[:size], 0, a[:size]) + quiet, active(quiet)


def aligned(x, y):
    """y without the system's delay of at most 0.2 s."""
    size = 1 << (2 * len(x) - 1).bit_length()
    cross = np.fft.irfft(np.fft.rfft(y, size) * np.conj(np.fft.rfft(x, size)), size)
    delay = int(np.argmax(cross[: RATE // 5]))
    return np.pad(y[delay:], (0, len(x)))[: len(x)]


def loss(command, x, mask):
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "in.wav", Path(folder) / "out.wav"
        soundfile.write(source, np.concatenate([x, np.zeros(RATE // 5)]), RATE, subtype="FLOAT")
        line = command.replace("{in}", str(source)).replace("{out}", str(output))
        done = subprocess.run(line, shell=True, capture_output=True, text=True)
        if done.returncode or not output.exists():
            raise SystemExit(f"{line}\n{done.stderr[-400:]}")
        y, _ = soundfile.read(output)
    steady = x - x.mean()
    before = powers(steady)[mask].mean()
    after = powers(aligned(steady, y[: len(x) + RATE // 5]))[mask].mean()
    return min(99.0, decibels(before) - decibels(after))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("systems", nargs="+", metavar="SYSTEM=COMMAND")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    systems = [text.split("=", 1) for text in options.systems]
    print("| voice | " + " | ".join(name for name, _ in systems) + " |")
    print("|---" * (len(systems) + 1) + "|")
    with ThreadPoolExecutor(options.jobs) as pool:
        for name, sounds in rows(options.corpus):
            means = [
                np.mean(list(pool.map(lambda item: loss(command, *item), sounds)))
                for _, command in systems
            ]
            print(f"| {name} | " + " | ".join(f"{m:.1f}" for m in means) + " |", flush=True)


if __name__ == "__main__":
    main()
