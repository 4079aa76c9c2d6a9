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
    weight, bias = torch.randn(3 * width, width) / width**0.5, torch.randn(3 * width)
    compiled = gradients(lambda *x: recurrent.states(*x, quantized), inputs, weight, bias)
    reference = gradients(lambda *x: recurrent.stepwise(*x, quantized), inputs, weight, bias)
    for a, b in zip(compiled, reference):
        # A rounding that falls on the other side moves a state by a step of 1/255.
        tolerance = 2e-2 if quantized else 2e-6
        assert (a - b).abs().max() <= tolerance * b.abs().max().clamp_min(1e-3)


def test_it_is_the_gated_recurrent_unit_of_pytorch():
    torch.manual_seed(4)
    unit, x = nn.GRU(24, 32), torch.randn(12, 4, 24)
    inputs = F.linear(x, unit.weight_ih_l0, unit.bias_ih_l0)
    states = recurrent.states(inputs, unit.weight_hh_l0, unit.bias_hh_l0)
    assert torch.allclose(states, unit(x)[0], atol=2e-6)


def test_quantized_rows_are_those_of_the_quantization_module():
    torch.manual_seed(5)
    inputs = torch.randn(2, 3, 48)
    weight, bias = torch.randn(48, 16), torch.zeros(48)
    first = recurrent.states(inputs[:1], weight, bias)[0]
    expected = recurrent.stepwise(inputs, weight, bias, True)[1]
    assert not torch.equal(quantization.activations(first), first)
    assert torch.allclose(recurrent.states(inputs, weight, bias, True)[1], expected, atol=1e-5)
