import pytest
import torch

import quantization
from designs import DESIGNS, make
from export import tflite_bytes
from network import Linear
from runner import StreamingModel


@pytest.mark.parametrize("shape", [(5, 7), (4, 3, 1, 5)])
def test_weights_are_whole_steps_and_neighbours_sum_to_128(shape):
    w = torch.randn(shape)
    rounded = quantization.weights(w)
    for channel, rounded_channel in zip(w, rounded):
        flat = channel.movedim(0, -1).flatten().tolist()  # inputs last, as in the file
        pairs = [abs(a) + abs(b) for a, b in zip(flat[::2], [*flat[1::2], 0])]
        scale = max(max(map(abs, flat)) / 127, max(pairs) / 128)
        steps = rounded_channel / scale
        assert (steps - steps.round()).abs().max() < 1e-4
        assert (rounded_channel - channel).abs().max() <= scale / 2 * 1.001


def test_activations_keep_zero_and_their_range():
    x = torch.randn(4, 32).abs() + 1
    x[:, 3] = 0
    rounded = quantization.activations(x)
    assert (rounded[:, 3] == 0).all()
    assert (rounded - x).abs().max() <= x.amax() / 255 / 2 * 1.01


def test_small_weights_stay_float():
    x, w = torch.randn(2, 31), torch.randn(33, 31)
    with quantization.enabled():
        assert quantization.operands(x, w) == (x, w)
    big = torch.randn(34, 31)
    assert quantization.operands(x, big) == (x, big)


def test_the_gradient_passes_the_rounding():
    layer, x = Linear(512, 3), torch.randn(2, 512, requires_grad=True)
    with quantization.enabled():
        layer(x).sum().backward()
    expected = layer.weight.detach().sum(0).expand(2, 512)
    assert (x.grad - expected).abs().max() < 0.05 * expected.abs().max()


@pytest.mark.parametrize("name", DESIGNS)
def test_a_quantized_network_is_near_the_float_one(name):
    torch.manual_seed(1)
    network = make(name).eval()
    features = torch.randn(1, 12, network.shape.front.positions, 3)
    with torch.no_grad():
        plain = network(features)
        with quantization.enabled():
            rounded = network(features)
    for a, b in zip(plain, rounded):
        assert 0 < (a - b).abs().max() < 0.1


def test_the_framework_quantizes_as_the_file_does():
    torch.manual_seed(2)
    network = make("full").eval()
    features = 0.5 * torch.randn(1, 20, network.shape.front.positions, 3)
    with torch.no_grad(), quantization.enabled():
        taps, _, _ = network(features)
    with torch.no_grad():
        plain, _, _ = network(features)
    model = StreamingModel(tflite_bytes(network, "full", quantize=True))
    error = wanted = 0
    for t in range(20):
        found = torch.from_numpy(model(features[0, t].numpy())[0])
        error += (found - taps[0, t]).square().sum()
        wanted += (found - plain[0, t]).square().sum()
    # Where a value falls between two steps, rounding differs: most of the error is the same.
    assert error < 0.3 * wanted
