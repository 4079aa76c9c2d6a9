"""A gated recurrent unit for training on a CPU, about three times as fast as `nn.GRU` there.

recurrent.c is compiled for the machine and the width when it is first used; `CC` names the
compiler.
"""

import ctypes
import functools
import os
import subprocess
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F

import quantization


@functools.cache
def library(width):
    """The compiled recurrent.c for one width."""
    source = Path(__file__).with_name("recurrent.c")
    flags = ["-O3", "-march=native", "-ffast-math", "-fPIC", "-shared", f"-DWIDTH={width}"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recurrent.so"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, *flags, str(source), "-o", str(path), "-lm"], check=True)
        return ctypes.CDLL(str(path))


def pointer(tensor):
    return ctypes.c_void_p(tensor.data_ptr())


class States(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, weight, bias, quantized):
        hops, count, gates = inputs.shape
        width = gates // 3
        inputs = inputs.float().contiguous()
        states, seen = (inputs.new_empty(hops, count, width) for _ in range(2))
        kept = inputs.new_empty(hops, count, 4 * width)
        matrix, bias = weight.t().contiguous(), bias.contiguous()
        library(width).recurrent_forward(
            ctypes.c_long(hops), ctypes.c_long(count), pointer(inputs), pointer(matrix),
            pointer(bias), ctypes.c_int(quantized), pointer(states), pointer(seen), pointer(kept),
        )  # fmt: skip
        ctx.save_for_backward(weight, states, seen, kept)
        return states

    @staticmethod
    def backward(ctx, change):
        weight, states, seen, kept = ctx.saved_tensors
        hops, count, width = states.shape
        change = change.float().contiguous()
        inputs, products = (states.new_empty(hops, count, 3 * width) for _ in range(2))
        weight = weight.contiguous()
        library(width).recurrent_backward(
            ctypes.c_long(hops), ctypes.c_long(count), pointer(change), pointer(states),
            pointer(kept), pointer(weight), pointer(inputs), pointer(products),
        )  # fmt: skip
        flat = products.flatten(0, 1)
        return inputs, flat.t() @ seen.flatten(0, 1), flat.sum(0), None


def stepwise(inputs, weight, bias, quantized=False):
    """As `states`, hop by hop in PyTorch, on any device."""
    state, outputs = inputs.new_zeros(inputs.shape[1], weight.shape[1], dtype=torch.float32), []
    for now in inputs.float():
        seen = quantization.activations(state) if quantized else state
        past = F.linear(seen, weight.float(), bias.float())
        reset_in, update_in, new_in = now.chunk(3, -1)
        reset_past, update_past, new_past = past.chunk(3, -1)
        reset, update = (reset_in + reset_past).sigmoid(), (update_in + update_past).sigmoid()
        new = (new_in + reset * new_past).tanh()
        state = new + update * (state - new)
        outputs.append(state)
    return torch.stack(outputs)


def states(inputs, weight, bias, quantized=False):
    """States (T, N, H) of the unit, which starts at zero.

    inputs (T, N, 3H) is the product of what comes in, weight (3H, H) and bias (3H) are those of the
    product of the last state, of which every row is quantized if asked.
    """
    if inputs.device.type == "cpu":
        return States.apply(inputs, weight, bias, quantized)
    return stepwise(inputs, weight, bias, quantized)
