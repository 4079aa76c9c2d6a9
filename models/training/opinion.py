"""What the network behind DNSMOS P.835 (Reddy et al., 2022) thinks of an output, as a loss.

The published network (`sig_bak_ovr.onnx` of Microsoft's DNS Challenge, CC BY 4.0) in PyTorch, so that
gradients pass through it: spectra of 20 ms in decades of power, convolutions, the largest value of
every channel, three layers. A loss made of the measure itself makes it useless as a measure, so
scores of networks trained with it are given beside one that they did not see.
"""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from scipy.signal import firwin

LENGTH, HOP = 320, 160  # 20 ms of 16 kHz, half overlapping
CONVOLUTIONS = 7
POOLED = (3, 4, 5)  # convolutions behind which time and frequency are halved
DITHER = 1e-7  # power of a bin: ten times that of 16-bit rounding; silent bins are no lever with it


class Opinion:
    """Of samples (B, N) at 48 kHz: raw opinions of signal, background and overall (B, 3), 1 to 5.

    `dtype` is that of the convolutions: bfloat16 halves their time where the processor has it.
    """

    def __init__(self, path, device="cpu", dtype=torch.bfloat16):
        weights = {
            tensor.name: torch.tensor(numpy_helper.to_array(tensor), device=device)
            for tensor in onnx.load(path).graph.initializer
        }
        prefix = "mos_estimator_logpow/"
        names = ["conv2d"] + [f"conv2d_{k}" for k in range(1, CONVOLUTIONS)]
        kernels = [weights[f"{name}/kernel:0"].to(dtype) for name in names]
        self.kernels = [k.contiguous(memory_format=torch.channels_last) for k in kernels]
        self.biases = [weights[f"{name}/bias:0"].to(dtype) for name in names]
        # One channel in: as a product over the nine neighbours it leaves the channels last.
        self.first = kernels[0][:, 0].permute(1, 2, 0).reshape(9, -1)
        self.dense = [
            [
                weights[f"{prefix}{name}/{part}/ReadVariableOp/resource:0"]
                for part in ("MatMul", "BiasAdd")
            ]
            for name in ("dense", "dense_1", "dense_3")
        ]
        transform = [weights[f"time2freq/stft-{part}/kernel:0"][..., 0] for part in ("real", "imag")]
        self.transform = torch.cat(transform).T.contiguous()
        self.low_pass = torch.tensor(firwin(193, 7800, fs=48000), dtype=torch.float32, device=device)

    def features(self, samples):
        """Decades of power (B, T, 161)."""
        size = len(self.low_pass)
        narrow = F.pad(samples, (size // 2, size // 2)).unfold(-1, size, 3) @ self.low_pass
        real, imaginary = (narrow.unfold(-1, LENGTH, HOP) @ self.transform).chunk(2, -1)
        return (real.square() + imaginary.square() + DITHER).log10()

    def __call__(self, samples):
        x = F.pad(self.features(samples).to(self.biases[0].dtype), (1, 1, 1, 1))
        x = x.unfold(1, 3, 1).unfold(2, 3, 1).flatten(-2)
        x = F.relu(torch.addmm(self.biases[0], x.flatten(0, 2), self.first).view(*x.shape[:3], -1))
        x = x.permute(0, 3, 1, 2)
        for k in range(1, CONVOLUTIONS):
            x = F.relu(F.conv2d(x, self.kernels[k], self.biases[k], padding=1))
            if k in POOLED:
                x = F.max_pool2d(x, 2)
        x = x.float().amax((2, 3))
        for k, (matrix, bias) in enumerate(self.dense):
            x = x @ matrix + bias
            x = F.relu(x) if k < 2 else x
        return x
