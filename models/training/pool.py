"""Fixed mixtures with another system's outputs, for distillation.

    python pool.py OUT --hours 2 \\
      --cmd 'denoisectl process --mode strong --no-low-cut --model dfn3.tflite {in} {out}'

Draws mixtures with speech in them as training does, denoises each with the command (`{in}` and
`{out}` are WAV files of 48 kHz in float; the output must be aligned to the sample), and writes each
as OUT/NUMBER.npy: mixture, target and output in float16 (3, samples). What was stopped is a
smaller pool.
"""

import argparse
import shlex
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from bank import DEFAULT_WORK, SAMPLE_RATE, Bank
from mixer import Mixer


def denoised(command, mixture, folder):
    """What `command` makes of a mixture (samples)."""
    noisy, output = folder / "noisy.wav", folder / "denoised.wav"
    soundfile.write(noisy, mixture, SAMPLE_RATE, "FLOAT")
    paths = {"{in}": str(noisy), "{out}": str(output)}
    command = [paths.get(word, word) for word in command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    samples, rate = soundfile.read(output, dtype="float32")
    if rate != SAMPLE_RATE or samples.shape != mixture.shape:
        raise ValueError(f"the output is {samples.shape} at {rate} Hz, the input {mixture.shape}")
    output.unlink()
    return samples


def build(out, command, hours, seconds, seed, work):
    mixer = Mixer(Bank(work, "train"), (seed, 0), seconds)
    out.mkdir(parents=True, exist_ok=True)
    items = int(hours * 3600 / seconds)
    with tempfile.TemporaryDirectory() as folder:
        for k in range(items):
            target = np.zeros(1)
            while not target.any():
                (mixture,), (target,) = mixer.batch(1)
            item = np.stack([mixture, target, denoised(command, mixture, Path(folder))])
            temporary = out / "item.tmp"
            with open(temporary, "wb") as file:
                np.save(file, item.astype(np.float16))
            temporary.replace(out / f"{k:05}.npy")
            if k % 100 == 99:
                print(f"{k + 1} of {items}", flush=True)


class Pool:
    """The items of a folder that `build` wrote, in an order of their own for each seed."""

    def __init__(self, folder, seed):
        self.paths = sorted(Path(folder).glob("*.npy"))
        if not self.paths:
            raise FileNotFoundError(f"{folder} holds no pool; pool.py makes one")
        self.rng = np.random.default_rng(seed)
        self.order = []

    def batch(self, count):
        """(count, samples) mixtures, targets and outputs, each item once before any comes again."""
        items = []
        for _ in range(count):
            if not self.order:
                self.order = list(self.rng.permutation(len(self.paths)))
            items.append(np.load(self.paths[self.order.pop()]).astype(np.float32))
        return [np.stack(sounds) for sounds in zip(*items)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cmd", required=True)
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--seed", type=int, default=70)
    parser.add_argument("--work", type=Path, default=DEFAULT_WORK)
    options = parser.parse_args()
    command = shlex.split(options.cmd)
    build(options.out, command, options.hours, options.seconds, options.seed, options.work)
