"""Weights between two checkpoints of one training: python blend.py EARLIER LATER SHARE OUT.

SHARE of the later and the rest of the earlier one (Wortsman et al. 2022, model soups), where a training
went further in one measure than was wanted.
"""

import sys

import torch


def blend(earlier, later, share):
    """The later checkpoint with the blended weights and running average."""
    blended = dict(later)
    for part in ("raw", "average"):
        blended[part] = {
            key: torch.lerp(earlier[part][key].float(), value.float(), share)
            if value.dtype.is_floating_point
            else value
            for key, value in later[part].items()
        }
    return blended


if __name__ == "__main__":
    first, second, portion, out = sys.argv[1:]
    checkpoints = [torch.load(path, weights_only=False) for path in (first, second)]
    torch.save(blend(*checkpoints, float(portion)), out)
