from pathlib import Path

import numpy as np
import pytest
import soxr
import torch

from voice import noisy, voice

NETWORK = Path(__file__).parents[4] / "shared/tools/scoring/models/dnsmos/sig_bak_ovr.onnx"
NETWORK_LENGTH = 144160  # samples at 16 kHz

pytestmark = pytest.mark.skipif(not NETWORK.exists(), reason="DNSMOS's network is not there")


@pytest.fixture(scope="module")
def opinion():
    pytest.importorskip("onnx")
    from opinion import Opinion

    return Opinion(NETWORK)


@pytest.mark.parametrize("decibels", [0, 15, 40])
def test_it_is_that_of_the_published_network(opinion, decibels, monkeypatch):
    monkeypatch.setattr("opinion.DITHER", 1e-12)  # the published one has none
    onnxruntime = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(5)
    samples = noisy(voice(9.01, rng), decibels, rng)[: 3 * NETWORK_LENGTH]
    session = onnxruntime.InferenceSession(str(NETWORK), providers=["CPUExecutionProvider"])
    narrow = soxr.resample(samples, 48000, 16000, quality="VHQ")[None, :NETWORK_LENGTH]
    (expected,), = session.run(None, {"input_1": narrow})
    given = opinion(torch.tensor(samples)[None])[0].numpy()
    assert given == pytest.approx(expected, abs=0.2)  # bins next to 8 kHz feel the low pass


def test_gradients_are_finite_where_the_output_is_silent(opinion):
    output = torch.zeros(1, 48000, requires_grad=True)
    opinion(output)[:, 2].sum().backward()
    assert torch.isfinite(output.grad).all()
