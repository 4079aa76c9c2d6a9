"""Draws training curves: python curves.py OUT.png seconds|audio_hours CURVE.csv ...

Output SNR on the training mixtures over CPU time or the audio heard, from the tables that train.py
writes, the mean of neighbouring rows.
"""

import csv
import sys
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

SMOOTH = 11
AXES = {"seconds": ("CPU minutes", 60), "audio_hours": ("hours of audio heard", 1)}


def read(path, column):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return (np.array([float(row[key]) for row in rows]) for key in (column, "snr_db"))


def main(target, column, sources):
    label, unit = AXES[column]
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for source in sources:
        places, snr = read(source, column)
        width = min(SMOOTH, len(snr))
        smooth = np.convolve(snr, np.ones(width) / width, "valid")
        middle = np.convolve(places, np.ones(width) / width, "valid")
        axes.plot(middle / unit, smooth, label=Path(source).stem)
    axes.set(xlabel=label, ylabel="output SNR, dB (training mixtures)")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
