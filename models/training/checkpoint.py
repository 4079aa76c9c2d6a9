"""Makes a compact checkpoint for git: python checkpoint.py WORK/full.pt checkpoints/full.pt.

Keeps the weights and their running average in half precision with the counters; BatchNorm
statistics stay in single precision. The command loses its folders. `train.py --start` and `export.py` read it.
"""

import sys
from pathlib import Path

import torch


def compact(weights):
    def kept(name, value):
        return value if "running" in name or not value.is_floating_point() else value.half()

    return {name: kept(name, value) for name, value in weights.items()}


def main(source, target):
    state = torch.load(source, weights_only=False)
    kept = {k: state[k] for k in ("shape", "step", "spent", "hours", "seed")}
    kept["command"] = " ".join(Path(word).name for word in state["command"].split())
    kept["raw"], kept["average"] = compact(state["raw"]), compact(state["average"])
    torch.save(kept, target)


if __name__ == "__main__":
    main(*sys.argv[1:3])
