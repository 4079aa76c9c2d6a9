"""A small made-up bank, so that the tests need no corpus."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

LENGTHS = {"speech": 200_000, "noise": 150_000, "rir": 20_000}


def row(kind, index, split):
    return {
        "offset": index * LENGTHS[kind],
        "length": LENGTHS[kind],
        "split": split,
        "bandwidth": 7800.0,
        "class": f"class{index % 2}",
        "speaker": f"speaker{index}",
        "snr": 40.0,
        "free": index % 2 == 0,
        "path": f"{kind}/{index}",
    }


def sound(kind, rng):
    if kind == "rir":
        decay = np.exp(-np.arange(LENGTHS[kind]) / 3000) * (np.arange(LENGTHS[kind]) >= 50)
        response = 0.2 * rng.standard_normal(LENGTHS[kind]) * decay
        response[50] = 1
        return response
    bursts = np.repeat(rng.uniform(0, 0.3, LENGTHS[kind] // 5000), 5000)
    return bursts * rng.standard_normal(LENGTHS[kind]) * 0.3


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("bank"), np.random.default_rng(3)
    for kind in LENGTHS:
        sounds = np.concatenate([sound(kind, rng) for _ in range(6)])
        np.save(folder / f"{kind}.npy", (np.clip(sounds, -1, 1) * 32767).astype(np.int16))
        splits = ["train", "train", "train", "train", "valid", "valid"]
        table = [row(kind, index, split) for index, split in enumerate(splits)]
        (folder / f"{kind}.json").write_text(json.dumps(table))
    return folder
