"""Weights between two checkpoints of one training: python blend.py EARLIER LATER SHARE OUT [NAME=SHARE ...].

SHARE of the later and the rest of the earlier one (Wortsman et al. 2022, model soups), where a training
went further in one measure than was wanted. Weights whose names begin with NAME have a share of their own.
"""

import sys

import torch


def blend(earlier, later, share, own=()):
    """The later checkpoint with the blended weights and running average.

    `own` are pairs of the beginning of a name and the share of those weights; the first that fits counts.
    """

    def portion(key):
        return next((value for prefix, value in own if key.startswith(prefix)), share)

    blended = dict(later)
    for part in ("raw", "average"):
        blended[part] = {
            key: torch.lerp(earlier[part][key].float(), value.float(), portion(key))
            if value.dtype.is_floating_point
            else value
            for key, value in later[part].items()
        }
    return blended


if __name__ == "__main__":
    first, second, portion, out, *others = sys.argv[1:]
    checkpoints = [torch.load(path, weights_only=False) for path in (first, second)]
    own = [(name, float(value)) for name, value in (text.split("=") for text in others)]
    torch.save(blend(*checkpoints, float(portion), own), out)
