"""What the score table does not say about a model: python evaluate.py SET CORPUS MODEL [--pictures DIR].

SET is a validation set of the scoring tool, CORPUS the corpus. Runs `denoisectl process` and prints
Markdown: scores by SNR and by noise, attenuation of noise alone by mode, the residual noise at the
beginning of pauses, the ROC of the speech probability, and what becomes of sound above 8 kHz.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile
import torch
from PIL import Image

import losses
from bank import read_manifest
from spectrum import SAMPLE_RATE, TEN_MILLISECONDS, TWENTY_MILLISECONDS
from validate import levels, pesq_of, sdr, to_16k

PAUSE = (2500, 5000)  # ms
START = slice(2, 15)  # of a pause, in pieces of 20 ms: 300 ms without the last word's window
REST = slice(15, None)
WIDE_BAND, NARROW_BAND = 14000, 8100  # Hz, of speakers
PICTURES = ("mix_00", "mix_01", "mix_02", "mix_05", "mix_10")  # -5 and 0 dB


class Program:
    """`denoisectl process` with one model; output in time with the input."""

    def __init__(self, command, model, folder):
        self.command, self.model, self.folder = command, model, Path(folder)

    def __call__(self, samples, mode="strong"):
        """Samples at 48 kHz, and the speech probability of every hop."""
        source, output, speech = (self.folder / n for n in ("in.wav", "out.wav", "speech.csv"))
        soundfile.write(source, samples, SAMPLE_RATE, subtype="FLOAT")
        options = ["--mode", mode, "--model", self.model, "--speech", speech]
        subprocess.run([self.command, "process", *options, source, output], check=True)
        found = soundfile.read(output, dtype="float32")[0]
        with open(speech, newline="") as file:
            return found, np.array([float(row["speech"]) for row in csv.DictReader(file)])


def read_set(folder):
    """Rows of the manifest with samples in `x` and, where there is one, the target in `s`."""
    rows = list(csv.DictReader(open(folder / "manifest.csv", newline="")))
    for row in rows:
        row["x"] = soundfile.read(folder / row["noisy"], dtype="float32")[0]
        clean = row["clean"] and soundfile.read(folder / row["clean"], dtype="float32")[0]
        row["s"] = clean if row["clean"] else np.zeros_like(row["x"])
    return rows


def table(title, columns, rows):
    print(f"\n| {title} | {' | '.join(columns)} |")
    print("|" + "---|" * (len(columns) + 1))
    for name, values in rows:
        print(f"| {name} | {' | '.join(values)} |")


def by_cell(rows, key, title):
    from pystoi import stoi

    cells = defaultdict(list)
    for row in rows:
        if row["kind"] == "mixture":
            x, s, y = (to_16k(row[k]) for k in "xsy")
            before, after = (pesq_of(s, z) for z in (x, y))
            clear = [stoi(s, z, 16000, extended=True) for z in (x, y)]
            cells[row[key]].append([before, after, *clear, sdr(s, x), sdr(s, y)])
    columns = ("files", "PESQ", "ESTOI", "SI-SDR dB")

    def text(values):
        m = np.nanmean(values, 0)
        return [
            str(len(values)),
            f"{m[0]:.2f} to {m[1]:.2f}",
            f"{m[2]:.3f} to {m[3]:.3f}",
            f"{m[4]:.1f} to {m[5]:.1f}",
        ]

    order = sorted(cells, key=lambda k: (float(k) if key == "snr_db" else 0, k))
    table(title, columns, [(k, text(cells[k])) for k in order])


def noise_alone(rows, program):
    """Median attenuation after 2 s, as the scoring tool has it."""
    found = []
    for row in rows:
        if row["kind"] == "noise_only":
            before = levels(row["x"])[100:]
            after = {m: np.maximum(levels(program(row["x"], m)[0]), -100) for m in MODES}
            found.append((row["noise"], [np.median(before - after[m][100:]) for m in MODES]))
    found.append(("**mean**", np.mean([values for _, values in found], 0)))
    table("noise alone", MODES, [(n, [f"{v:.1f} dB" for v in values]) for n, values in found])


MODES = ("light", "standard", "strong")


def pumping(rows, program):
    """Level of the residue in the first 300 ms of a pause above that of the rest, in dB.

    The speech of every dry mixture is switched off for 2.5 s, the noise goes on.
    """
    differences = []
    first, last = PAUSE[0] * SAMPLE_RATE // 1000, PAUSE[1] * SAMPLE_RATE // 1000
    fade = np.linspace(1, 0, SAMPLE_RATE // 100, dtype=np.float32)
    for row in rows:
        if row["kind"] != "mixture" or row["reverb"] != "0" or float(row["snr_db"]) < 0:
            continue
        voice = np.ones(len(row["s"]), np.float32)
        voice[first:last] = 0
        voice[first : first + len(fade)] = fade
        mixture = row["x"] - row["s"] * (1 - voice)
        output = program(mixture)[0][: len(mixture)]
        gain = (np.maximum(levels(output), -100) - levels(mixture))[PAUSE[0] // 20 : PAUSE[1] // 20]
        differences.append(gain[START].mean() - gain[REST].mean())
    d = np.array(differences)
    print(f"- {d.mean():+.1f} dB on average, median {np.median(d):+.1f} dB, from {d.min():+.1f} to "
          f"{d.max():+.1f} dB over {len(d)} mixtures")


def labels_of(target, front):
    hops = len(target) // front.hop
    samples = torch.from_numpy(target[None, : hops * front.hop])
    loud = samples.square().mean().sqrt().clamp_min(1e-6)
    spectra = front.analysis(samples * losses.REFERENCE_LEVEL / loud)
    return losses.has_speech(spectra)[0].numpy() > 0 if target.any() else np.zeros(hops, bool)


def roc(rows, front):
    """Area under the curve, and the share of speech found at three shares of false alarms."""
    truth = [labels_of(row["s"], front) for row in rows]
    score = np.concatenate([row["p"][: len(t)] for row, t in zip(rows, truth)])
    truth = np.concatenate([t[: len(row["p"])] for row, t in zip(rows, truth)])
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order]) / truth.sum()
    alarms = np.cumsum(~truth[order]) / (~truth).sum()
    area = np.trapezoid(hits, alarms)
    at = {rate: hits[np.searchsorted(alarms, rate)] for rate in (0.01, 0.05, 0.1)}
    points = ", ".join(f"{hit:.1%} at {rate:.0%}" for rate, hit in at.items())
    print(f"- {len(score)} hops, {truth.mean():.0%} speech: area {area:.4f}; found {points}")
    return hits, alarms


def band_power(samples, low):
    spectra = np.fft.rfft(samples[: len(samples) // 960 * 960].reshape(-1, 960) * np.hanning(960))
    return (np.abs(spectra[:, int(low / 50) :]) ** 2).sum()


def full_band(corpus, program):
    """Change of the power above 8 kHz of clean validation speech, in dB, a file a speaker."""
    speakers = {}
    for row in read_manifest(corpus):
        if row["kind"] == "speech" and row["split"] == "valid":
            speakers.setdefault(row["speaker"], row)
    rows = []
    for name, row in speakers.items():
        bandwidth = float(row["bandwidth60_hz"])
        if NARROW_BAND < bandwidth < WIDE_BAND:
            continue
        x = soundfile.read(Path(corpus) / row["path"], dtype="float32")[0][: 10 * SAMPLE_RATE]
        y = program(x)[0][: len(x)]
        change = 10 * np.log10((band_power(y, 8500) + 1e-9) / (band_power(x, 8500) + 1e-9))
        rows.append((bandwidth >= WIDE_BAND, change))
    for wide, name in ((True, "full-band"), (False, "16 kHz")):
        changes = np.array([c for w, c in rows if w == wide])
        print(f"- {name} speakers ({len(changes)}): {changes.mean():+.2f} dB above 8.5 kHz "
              f"({changes.min():+.2f} to {changes.max():+.2f})")


def pictures(rows, command, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for row in (r for r in rows if r["id"] in PICTURES):
        with tempfile.TemporaryDirectory() as sounds:
            files = [Path(sounds) / f"{name}.wav" for name in ("before", "after")]
            for file, key in zip(files, "xy"):
                soundfile.write(file, row[key], SAMPLE_RATE)
            picture = folder / f"{row['id']}.png"
            subprocess.run([command, "plot", *files, "-o", picture], check=True)
            image = Image.open(picture).convert("RGB")
            image.resize((image.width // 2, image.height // 2)).quantize(64).save(picture)
            print(f"- {picture}: {row['noise']} at {row['snr_db']} dB, reverb {row['reverb']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("model")
    parser.add_argument("--denoisectl", default="denoisectl")
    parser.add_argument("--pictures", type=Path, help="folder for spectrograms of hard cases")
    options = parser.parse_args()
    rows = read_set(options.set)
    with tempfile.TemporaryDirectory() as folder:
        program = Program(options.denoisectl, options.model, folder)
        for row in rows:
            row["y"], row["p"] = program(row["x"])
            row["y"] = row["y"][: len(row["x"])]
        by_cell(rows, "snr_db", "SNR dB")
        by_cell(rows, "noise", "noise")
        noise_alone(rows, program)
        print("\nAttenuation in the first 300 ms of a pause against the rest:\n")
        pumping(rows, program)
        print("\nSpeech probability:\n")
        hops = len(rows[0]["p"]) * TWENTY_MILLISECONDS.hop / len(rows[0]["x"])
        roc(rows, TEN_MILLISECONDS if hops > 1.5 else TWENTY_MILLISECONDS)
        print("\nClean speech above 8.5 kHz:\n")
        full_band(options.corpus, program)
    if options.pictures:
        print("\nPictures:\n")
        pictures(rows, options.denoisectl, options.pictures)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    sys.exit(main())
