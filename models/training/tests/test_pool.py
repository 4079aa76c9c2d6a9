"""Mixtures with another system's outputs, and what is learnt from them."""

import sys

import numpy as np
import pytest
import torch

import losses
import pool
from spectrum import TWENTY_MILLISECONDS

COPY = [sys.executable, "-c", "import shutil, sys; shutil.copy(*sys.argv[1:])", "{in}", "{out}"]


def test_a_pool_holds_mixtures_targets_and_outputs_side_by_side(work, tmp_path):
    pool.build(tmp_path, COPY, hours=3 / 3600, seconds=1, seed=5, work=work)
    known = pool.Pool(tmp_path, seed=1)
    mixtures, targets, taught = known.batch(3)
    assert mixtures.shape == targets.shape == taught.shape == (3, 48000)
    assert np.array_equal(mixtures, taught)
    assert all(target.any() for target in targets)
    assert len({mixture.tobytes() for mixture in mixtures}) == 3
    assert {m.tobytes() for m in known.batch(3)[0]} == {m.tobytes() for m in mixtures}


def test_a_command_whose_output_is_not_aligned_is_refused(work, tmp_path):
    shorter = "import soundfile as s, sys; a, b = sys.argv[1:]; s.write(b, s.read(a)[0][1:], 48000)"
    command = [sys.executable, "-c", shorter, "{in}", "{out}"]
    with pytest.raises(ValueError, match="the input"):
        pool.build(tmp_path, command, hours=1 / 3600, seconds=1, seed=5, work=work)


def spectra(samples):
    return TWENTY_MILLISECONDS.analysis(samples)


def test_a_lesson_counts_only_where_the_other_system_is_nearer_to_the_target():
    torch.manual_seed(2)
    target, noise = 0.1 * torch.randn(1, 48000), 0.1 * torch.randn(1, 48000)
    rough, better = target + noise, target + 0.3 * noise
    front = TWENTY_MILLISECONDS

    def lesson(ours, theirs):
        return losses.lesson(spectra(ours), spectra(target), spectra(theirs), rough, front)

    assert lesson(target, better) == 0
    assert lesson(rough, better) > 3 * lesson(better, rough)
    assert lesson(better, better) == 0
