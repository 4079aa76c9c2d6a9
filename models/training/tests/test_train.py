"""What a network is while it trains."""

import copy

import torch

import train
from designs import make
from network import Denoiser


def outputs(network, fixed_statistics):
    """Real parts of the spectra of the network that trains, and of the one that is exported."""
    torch.manual_seed(3)
    spectra = network.shape.front.analysis(torch.randn(1, 48000))
    exported = Denoiser(copy.deepcopy(network).eval())
    train.training_mode(network, fixed_statistics)
    return Denoiser(network)(spectra)[0][0], exported(spectra)[0][0]


def test_with_fixed_statistics_the_network_that_trains_is_the_one_that_is_exported():
    network = make("light")
    before = {k: v.clone() for k, v in network.state_dict().items()}
    trained, exported = outputs(network, True)
    assert network.training
    assert torch.allclose(trained, exported, atol=1e-5)
    trained.abs().sum().backward()
    scales = [m.weight.grad for m in network.modules() if isinstance(m, torch.nn.BatchNorm1d)]
    assert scales and all(grad is not None for grad in scales)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_statistics_of_the_batch_are_another_network():
    trained, exported = outputs(make("light"), False)
    assert not torch.allclose(trained, exported, atol=1e-3)
