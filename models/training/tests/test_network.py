"""What the network sees beside its features, and how a checkpoint without it goes on."""

import math
from dataclasses import replace

import pytest
import torch

from checkpoint import load_network, take
from network import SHAPES, Denoiser, Network, with_advance
from spectrum import TEN_MILLISECONDS


def test_the_phase_advance_of_a_sine_is_what_it_turns_by_in_a_hop():
    front, frequency = TEN_MILLISECONDS, 730.0
    time = torch.arange(40 * front.hop) / 48000
    samples = 0.1 * torch.sin(2 * math.pi * frequency * time)
    features = front.features(
        front.analysis(samples[None]), Denoiser(Network(SHAPES["low-latency"])).band_mean
    )
    seen = with_advance(features)
    assert torch.equal(seen[..., :3], features)
    position = round(frequency * front.length / 48000)
    turned = torch.atan2(seen[0, 3:-1, position, 4], seen[0, 3:-1, position, 3])
    expected = 2 * math.pi * frequency * front.hop / 48000
    difference = torch.remainder(turned - expected + math.pi, 2 * math.pi) - math.pi
    assert difference.abs().max() < 0.05
    loudness = seen[0, 3:-1, position, 3:].square().sum(-1).sqrt()
    magnitude = features[0, 3:-1, position, 0]
    assert (loudness / magnitude * math.sqrt(2) - 1).abs().max() < 0.05


def test_the_first_hop_has_no_advance():
    seen = with_advance(torch.randn(2, 1, 8, 3))
    assert not seen[..., 3:].any()


def test_weights_of_a_network_without_the_advance_are_the_same_network_with_it():
    torch.manual_seed(2)
    shape = replace(SHAPES["low-latency"], advance=False)
    before, after = Network(shape).eval(), Network(replace(shape, advance=True)).eval()
    take(after.state_dict(), before.state_dict())
    features = torch.rand(1, 6, shape.front.positions, 3)
    with torch.no_grad():
        pairs = zip(before(features), after(features))
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)


def test_a_checkpoint_of_another_shape_is_refused(tmp_path):
    weights = Network(SHAPES["light"]).state_dict()
    torch.save({"shape": "low-latency", "average": weights}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="other.pt: does not fit low-latency: .*encode1"):
        load_network(tmp_path / "other.pt")


def test_layers_of_another_shape_keep_what_they_have():
    network = Network(SHAPES["full"])
    before = {key: value.clone() for key, value in network.state_dict().items()}
    left = take(network.state_dict(), Network(SHAPES["low-latency"]).state_dict())
    assert "blocks.0.mix.weight" in left and "encode2.conv.weight" not in left
    assert all(torch.equal(network.state_dict()[key], before[key]) for key in left)
