import pytest
import torch
import torch.nn.functional as F
from torch import nn

import quantization
import recurrent


def gradients(run, *leaves):
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    states = run(*leaves)
    weight = torch.linspace(-1, 2, states.numel()).reshape(states.shape)
    (states * weight).sum().backward()
    return [states.detach(), *(leaf.grad for leaf in leaves)]


@pytest.mark.parametrize("width, hops, rows", [(16, 1, 1), (16, 9, 5), (32, 20, 3), (48, 30, 7)])
@pytest.mark.parametrize("quantized", [False, True])
def test_compiled_unit_equals_the_stepwise_one_with_its_gradients(width, hops, rows, quantized):
    torch.manual_seed(3)
    inputs = torch.randn(hops, rows, 3 * width)
    weight, biases = torch.randn(3 * width, width) / width**0.5, torch.randn(2, 3 * width)
    compiled = gradients(lambda *x: recurrent.states(*x, quantized), inputs, weight, biases)
    reference = gradients(lambda *x: recurrent.stepwise(*x, quantized), inputs, weight, biases)
    for a, b in zip(compiled, reference):
        # A rounding that falls on the other side moves a state by a step of 1/255.
        tolerance = 2e-2 if quantized else 2e-6
        assert (a - b).abs().max() <= tolerance * b.abs().max().clamp_min(1e-3)


def test_it_is_the_gated_recurrent_unit_of_pytorch():
    torch.manual_seed(4)
    unit, x = nn.GRU(24, 32), torch.randn(12, 4, 24)
    biases = torch.stack([unit.bias_ih_l0, unit.bias_hh_l0])
    states = recurrent.states(F.linear(x, unit.weight_ih_l0), unit.weight_hh_l0, biases)
    assert torch.allclose(states, unit(x)[0], atol=2e-6)


def test_quantized_rows_are_those_of_the_quantization_module():
    torch.manual_seed(5)
    inputs = torch.randn(2, 3, 48)
    weight, biases = torch.randn(48, 16), torch.zeros(2, 48)
    first = recurrent.states(inputs[:1], weight, biases)[0]
    expected = recurrent.stepwise(inputs, weight, biases, True)[1]
    assert not torch.equal(quantization.activations(first), first)
    assert torch.allclose(recurrent.states(inputs, weight, biases, True)[1], expected, atol=1e-5)


@pytest.mark.parametrize("quantized", [False, True])
def test_bfloat16_stays_close_to_float(quantized):
    torch.manual_seed(6)
    inputs, weight = torch.randn(20, 7, 96), torch.randn(96, 32) / 6
    biases = torch.randn(2, 96)
    half = gradients(lambda x, *w: recurrent.states(x.bfloat16(), *w, quantized), inputs, weight, biases)
    whole = gradients(lambda *x: recurrent.states(*x, quantized), inputs, weight, biases)
    for a, b in zip(half, whole):
        assert (a.float() - b).norm() <= 0.02 * b.norm()
