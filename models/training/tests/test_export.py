import numpy as np
import pytest
import torch

from designs import make
from export import TOLERANCE, largest_difference, tflite_bytes
from network import SHAPES, Denoiser
from runner import StreamingModel, denoise


def trained(kind):
    """A network with random weights and BatchNorm statistics as if it had been trained."""
    torch.manual_seed(4)
    network = make(kind)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.normal_(module.running_mean, 0, 0.3)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.3)
    return network.eval()


@pytest.mark.parametrize("kind", SHAPES)
def test_the_file_equals_the_framework_hop_by_hop(kind):
    network = trained(kind)
    assert largest_difference(network, tflite_bytes(network, kind)) < TOLERANCE


def test_int8_weights_stay_close_and_small():
    network = trained("full")
    plain, small = (tflite_bytes(network, "full", quantize=q) for q in (False, True))
    assert len(small) < 0.45 * len(plain) and len(small) < 300_000
    assert TOLERANCE < largest_difference(network, small) < 0.5


def test_the_metadata_names_every_state():
    metadata = StreamingModel(tflite_bytes(trained("full"), "full", "MIT")).metadata
    assert metadata["kind"] == "full" and metadata["licence"] == "MIT"
    assert metadata["states"][2] == ["state_2_in", "state_2_out"]
    assert metadata["band_edges"][0] == 64 and metadata["band_edges"][-1] == 481
    assert len(metadata["band_edges"]) == 33


@pytest.mark.parametrize("kind", ["light", "low-latency"])
def test_a_stream_equals_the_whole_file(kind):
    network, rng = trained(kind), np.random.default_rng(2)
    hop = network.shape.front.hop
    samples = (0.1 * rng.standard_normal(40 * hop)).astype(np.float32)
    streamed = denoise(StreamingModel(tflite_bytes(network, kind)), samples)
    front = network.shape.front
    with torch.no_grad():
        whole, _ = Denoiser(network)(front.analysis(torch.from_numpy(samples[None])))
    expected = front.synthesis(whole)[0].numpy()
    assert np.abs(streamed[hop:] - expected[:-hop]).max() < 1e-4
