"""A gated recurrent unit for training on a CPU, in C (recurrent.c): `nn.GRU` is several times slower."""

import torch
import torch.nn.functional as F

import native
import quantization


class States(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, weight, biases, quantized):
        hops, count, gates = inputs.shape
        width = gates // 3
        inputs, matrix = inputs.contiguous(), weight.t().contiguous()
        states = inputs.new_empty(hops, count, width)
        seen = torch.empty_like(states) if quantized else states.new_empty(0)
        kept = inputs.new_empty(hops, count, 4 * width)
        past = torch.zeros(count, width)
        native.call(
            native.library("recurrent.c", inputs.dtype, WIDTH=width).recurrent_forward,
            hops, count, inputs, matrix, biases.contiguous(), int(quantized), past, states, seen, kept,
        )  # fmt: skip
        ctx.save_for_backward(weight, states, seen, kept)
        return states

    @staticmethod
    def backward(ctx, change):
        weight, states, seen, kept = ctx.saved_tensors
        hops, count, width = states.shape
        change = change.to(states.dtype).contiguous()
        inputs, products = (states.new_empty(hops, count, 3 * width) for _ in range(2))
        carried, sums = torch.zeros(count, width), torch.zeros(4, width)
        native.call(
            native.library("recurrent.c", states.dtype, WIDTH=width).recurrent_backward,
            hops, count, change, states, kept, weight.contiguous(), carried, inputs, products, sums,
        )  # fmt: skip
        # The first hop saw zeros.
        before = seen[1:] if len(seen) else states[:-1]
        of_weight = products[1:].flatten(0, 1).t() @ before.flatten(0, 1)
        of_biases = torch.stack([sums[:3].flatten(), sums[[0, 1, 3]].flatten()])
        return inputs, of_weight.float(), of_biases, None


def stepwise(inputs, weight, biases, quantized=False):
    """As `states`, hop by hop in PyTorch, on any device."""
    state, outputs = inputs.new_zeros(inputs.shape[1], weight.shape[1], dtype=torch.float32), []
    for now in inputs.float() + biases[0].float():
        seen = quantization.activations(state) if quantized else state
        past = F.linear(seen, weight.float(), biases[1].float())
        reset_in, update_in, new_in = now.chunk(3, -1)
        reset_past, update_past, new_past = past.chunk(3, -1)
        reset, update = (reset_in + reset_past).sigmoid(), (update_in + update_past).sigmoid()
        new = (new_in + reset * new_past).tanh()
        state = new + update * (state - new)
        outputs.append(state)
    return torch.stack(outputs)


def states(inputs, weight, biases, quantized=False):
    """States (T, N, H) of the unit, which starts at zero.

    inputs (T, N, 3H) is the product of what comes in, in float32 or bfloat16, weight (3H, H) is that
    of the product of the last state, of which every row is quantized if asked; biases (2, 3H) are
    those of the two products.
    """
    if inputs.device.type == "cpu":
        return States.apply(inputs, weight, biases, quantized)
    return stepwise(inputs, weight, biases, quantized)
