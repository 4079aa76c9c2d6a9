"""Decodes the corpus into one int16 array per kind (speech, noise, rir) and a table beside it.

    python bank.py CORPUS [WORK]

Writes WORK/{speech,noise,rir}.npy (48 kHz mono, about 4 GB) and WORK/{speech,noise,rir}.json.
"""

import csv
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 48000
KINDS = ("speech", "noise", "rir")
LEAST_SPEECH_SNR = 20  # dB, estimated; noisier recordings would teach that noise is speech
DEFAULT_WORK = Path(__file__).resolve().parent / "work"


def is_free(licence):
    """Whether material under this licence may train weights that are not copyleft."""
    words = licence.upper()
    return not any(word in words for word in ("GPL", "GFDL", "BY-SA"))


def read_manifest(corpus):
    with open(Path(corpus) / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def decode(path):
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    if rate != SAMPLE_RATE:
        raise ValueError(f"{path}: {rate} Hz; the corpus is expected at {SAMPLE_RATE} Hz")
    return samples[:, 0]


def entry(row, offset, length):
    return {
        "offset": offset,
        "length": length,
        "split": row["split"] or "train",
        "bandwidth": float(row["bandwidth60_hz"] or 20000),
        "class": row["cls"],
        "speaker": row["speaker"],
        "snr": float(row["snr_est_db"] or "inf"),
        "free": is_free(row["licence"]),
        "path": row["path"],
    }


def build(corpus, work):
    work.mkdir(parents=True, exist_ok=True)
    rows = read_manifest(corpus)
    for kind in KINDS:
        chosen = [row for row in rows if row["kind"] == kind]
        with ProcessPoolExecutor(2) as pool:
            paths = [Path(corpus) / row["path"] for row in chosen]
            decoded = list(pool.map(decode, paths, chunksize=8))
        offsets = np.cumsum([0] + [len(samples) for samples in decoded])
        np.save(work / f"{kind}.npy", np.concatenate(decoded))
        table = [
            entry(row, int(offset), len(samples))
            for row, offset, samples in zip(chosen, offsets, decoded)
        ]
        (work / f"{kind}.json").write_text(json.dumps(table))
        print(f"{kind}: {len(table)} files, {offsets[-1] / SAMPLE_RATE / 3600:.2f} h", flush=True)


class Bank:
    """The decoded corpus of one split, memory-mapped; `free_only` leaves copyleft material out."""

    def __init__(self, work=DEFAULT_WORK, split="train", free_only=False):
        self.samples, self.entries = {}, {}
        for kind in KINDS:
            self.samples[kind] = np.load(Path(work) / f"{kind}.npy", mmap_mode="r")
            table = json.loads((Path(work) / f"{kind}.json").read_text())
            self.entries[kind] = [
                e for e in table if e["split"] == split and (e["free"] or not free_only)
            ]
        self.entries["speech"] = [e for e in self.entries["speech"] if e["snr"] >= LEAST_SPEECH_SNR]

    def audio(self, kind, entry):
        """All samples of one entry as float32 in -1..1."""
        part = self.samples[kind][entry["offset"] : entry["offset"] + entry["length"]]
        return part.astype(np.float32) / 32768

    def groups(self, kind, key):
        """Entries grouped by `key`, and for each group the square root of its length."""
        grouped = {}
        for e in self.entries[kind]:
            grouped.setdefault(e[key], []).append(e)
        names = sorted(grouped)
        weights = np.sqrt([sum(e["length"] for e in grouped[name]) for name in names])
        return [grouped[name] for name in names], weights / weights.sum()


if __name__ == "__main__":
    build(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT_WORK)
