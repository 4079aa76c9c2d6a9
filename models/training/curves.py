"""Draws training curves: python curves.py OUT.png CURVE.csv ... (the tables that train.py writes).

Output SNR on the training mixtures over CPU time, the mean of five neighbouring rows.
"""

import csv
import sys
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

SMOOTH = 5


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return (np.array([float(row[key]) for row in rows]) for key in ("seconds", "snr_db"))


def main(target, sources):
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for source in sources:
        seconds, snr = read(source)
        width = min(SMOOTH, len(snr))
        smooth = np.convolve(snr, np.ones(width) / width, "valid")
        middle = np.convolve(seconds, np.ones(width) / width, "valid")
        axes.plot(middle / 60, smooth, label=Path(source).stem)
    axes.set(xlabel="CPU minutes", ylabel="output SNR, dB (training mixtures)")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
