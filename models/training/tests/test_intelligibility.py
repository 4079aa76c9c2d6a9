import numpy as np
import pytest
import torch
from pystoi import stoi
from scipy.signal import resample_poly

from intelligibility import Intelligibility
from voice import noisy, voice


def intelligibility(samples, target):
    model = Intelligibility.on(torch.device("cpu"))
    return model(torch.tensor(samples)[None], torch.tensor(target)[None])


def test_speech_at_any_level_is_as_intelligible_as_itself():
    clean = voice(4, np.random.default_rng(1))
    assert intelligibility(clean, clean).item() == pytest.approx(1, abs=1e-3)
    assert intelligibility(0.1 * clean, clean).item() == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("decibels", [-5, 0, 10, 20])
def test_the_score_is_near_that_of_pystoi(decibels):
    rng = np.random.default_rng(2)
    clean = voice(6, rng)
    mixed = noisy(clean, decibels, rng)
    expected = stoi(*(resample_poly(x, 1, 3) for x in (clean, mixed)), 16000, extended=True)
    assert intelligibility(mixed, clean).item() == pytest.approx(expected, abs=0.05)


def test_gradients_are_finite_where_the_output_is_silent():
    clean = torch.tensor(voice(3, np.random.default_rng(3)))[None]
    output = torch.zeros_like(clean, requires_grad=True)
    Intelligibility.on(torch.device("cpu"))(output, clean).sum().backward()
    assert torch.isfinite(output.grad).all()


def test_too_little_speech_is_no_error():
    clean = np.zeros(48000, np.float32)
    clean[:4800] = voice(0.1, np.random.default_rng(4)) + 0.01
    assert intelligibility(clean, clean).item() == 0
