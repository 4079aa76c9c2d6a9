"""Scores a checkpoint on a few files: python validate.py CHECKPOINT SET [--every 4] [--int8].

SET is a folder with manifest.csv (id, kind, noisy, clean, reverb) as the scoring tool reads it.
The measures are the scoring tool's, on whole files in the framework: good for choosing between
checkpoints, not for reporting.
"""

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

import quantization
from network import Denoiser
from spectrum import SAMPLE_RATE


LAST = 480  # samples at the end that lack the second half of their overlap


def sdr(reference, output):
    """Scale-invariant signal-to-distortion ratio in dB."""
    reference, output = reference - reference.mean(), output - output.mean()
    scale = np.dot(reference, output) / (np.dot(reference, reference) + 1e-12)
    wanted, error = scale * reference, output - scale * reference
    return 10 * np.log10((np.dot(wanted, wanted) + 1e-12) / (np.dot(error, error) + 1e-12))


def levels(x, size=960):
    pieces = x[: len(x) // size * size].reshape(-1, size)
    return 10 * np.log10(np.square(pieces).mean(1) + 1e-12)


def to_16k(x):
    return soxr.resample(x, SAMPLE_RATE, 16000, quality="VHQ")


def pesq_of(reference, output):
    from pesq import pesq

    try:
        return pesq(16000, reference, output, "wb")
    except Exception:  # the package raises its own types when it finds no utterance
        return np.nan


class ValidationSet:
    """Every `every`-th file of each kind, decoded once."""

    def __init__(self, folder, every=4):
        rows = list(csv.DictReader(open(Path(folder) / "manifest.csv", newline="")))
        seen, self.items = {}, []
        for row in rows:
            cell = (row["kind"], row["reverb"])
            seen[cell] = seen.get(cell, -1) + 1
            if seen[cell] % every == 0:
                self.items.append(self.item(Path(folder), row))

    @staticmethod
    def item(folder, row):
        noisy, _ = soundfile.read(folder / row["noisy"], dtype="float32")
        clean = soundfile.read(folder / row["clean"], dtype="float32")[0] if row["clean"] else None
        return row["kind"], row["reverb"] == "1", noisy, clean

    def score(self, network):
        """Mean measures of a network, which is left in evaluation mode."""
        denoiser, front, found = Denoiser(network.eval()), network.shape.front, {}
        for kind, reverberant, noisy, clean in self.items:
            length = len(noisy) // front.hop * front.hop
            with torch.no_grad():
                spectra, _ = denoiser(front.analysis(torch.from_numpy(noisy[None, :length])))
                output = front.synthesis(spectra)[0].numpy()
            for name, value in self.measures(kind, reverberant, noisy[:length], clean, output):
                found.setdefault(name, []).append(value)
        return {name: float(np.nanmean(values)) for name, values in sorted(found.items())}

    @staticmethod
    def measures(kind, reverberant, noisy, clean, output):
        if kind == "noise_only":
            return [("noise_att", np.median((levels(noisy) - levels(output))[100:]))]
        length = len(output) - LAST
        reference, output = clean[:length], output[:length]
        reference16, output16 = to_16k(reference), to_16k(output)
        quality, ratio = pesq_of(reference16, output16), sdr(reference16, output16)
        if kind == "clean_only":
            loud = levels(reference) > levels(reference).max() - 30
            change = (levels(output) - levels(reference))[loud].mean()
            return [("clean_pesq", quality), ("clean_sdr", ratio), ("clean_level", change)]
        place = "reverb" if reverberant else "dry"
        gain = ratio - sdr(reference16, to_16k(noisy[:length]))
        return [(f"{place}_pesq", quality), (f"{place}_sdr", ratio), (f"{place}_sdr_gain", gain)]


def overall(scores):
    """One number to choose checkpoints by: mean PESQ, and 0.1 for each dB of mean SDR gain."""
    quality = np.mean([scores["dry_pesq"], scores["reverb_pesq"], scores["clean_pesq"]])
    return float(quality + 0.05 * (scores["dry_sdr_gain"] + scores["reverb_sdr_gain"]))


def text(scores):
    return " ".join(f"{name} {value:.2f}" for name, value in scores.items())


if __name__ == "__main__":
    from checkpoint import load_network

    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--int8", action="store_true", help="as after dynamic range quantization")
    options = parser.parse_args()
    network = load_network(options.checkpoint)
    with torch.no_grad(), quantization.enabled(options.int8):
        print(text(ValidationSet(options.folder, options.every).score(network)))
