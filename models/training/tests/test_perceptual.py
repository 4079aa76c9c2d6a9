import numpy as np
import pytest
import torch
from pesq import pesq
from scipy.signal import resample_poly

from perceptual import Disturbance, score
from voice import noisy, voice


def disturbance(samples, target):
    model = Disturbance.on(torch.device("cpu"))
    return model(torch.tensor(samples)[None], torch.tensor(target)[None])


def test_what_is_equal_is_not_disturbed():
    clean = voice(4, np.random.default_rng(1))
    assert disturbance(clean, clean).item() < 1e-3
    assert disturbance(0.5 * clean, clean).item() < 0.05  # the level of frames is made up for


@pytest.mark.parametrize("decibels", [0, 10, 20, 30, 40])
def test_the_score_is_near_that_of_the_recommendation(decibels):
    rng = np.random.default_rng(2)
    clean = voice(6, rng)
    mixed = noisy(clean, decibels, rng)
    expected = pesq(16000, *(resample_poly(x, 1, 3) for x in (clean, mixed)), "wb")
    assert score(disturbance(mixed, clean)).item() == pytest.approx(expected, abs=0.65)


def test_gradients_are_finite_where_the_output_is_silent():
    clean = torch.tensor(voice(3, np.random.default_rng(3)))[None]
    output = torch.zeros_like(clean, requires_grad=True)
    Disturbance.on(torch.device("cpu"))(output, clean).sum().backward()
    assert torch.isfinite(output.grad).all()
