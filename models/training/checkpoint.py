"""Checkpoints: what a network takes over of one, and the compact ones for git.

    python checkpoint.py WORK/full.pt checkpoints/full.pt

Keeps the weights and their running average in half precision with the counters; BatchNorm
statistics stay in single precision. The command loses its folders. `train.py --start` and `export.py` read it.
"""

import sys
from pathlib import Path

import torch

from designs import make


def compact(weights):
    def kept(name, value):
        return value if "running" in name or not value.is_floating_point() else value.half()

    return {name: kept(name, value) for name, value in weights.items()}


def take(own, values):
    """Copies the weights of a checkpoint that fit; returns the names of a network's that were not there.

    A layer that has got further inputs since starts with zeros for them.
    """
    left = set(own)
    for key, value in values.items():
        if key not in own:
            continue
        mine = own[key]
        same = mine[:, : value.shape[1]] if mine.dim() == value.dim() > 1 else mine
        if same.shape == value.shape:
            mine.zero_()
            same.copy_(value)
            left.discard(key)
    return left


def load_network(path):
    """The network of a checkpoint with its averaged weights, in evaluation mode."""
    state = torch.load(path, weights_only=False)
    network = make(state["shape"])
    left = take(network.state_dict(), state["average"])
    if left:
        raise ValueError(f"{path}: does not fit {state['shape']}: {', '.join(sorted(left))}")
    return network.eval()


def main(source, target):
    state = torch.load(source, weights_only=False)
    kept = {k: state[k] for k in ("shape", "step", "spent", "hours", "seed")}
    kept["command"] = " ".join(Path(word).name for word in state["command"].split())
    kept["raw"], kept["average"] = compact(state["raw"]), compact(state["average"])
    torch.save(kept, target)


if __name__ == "__main__":
    main(*sys.argv[1:3])
