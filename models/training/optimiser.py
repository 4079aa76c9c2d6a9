"""Muon for the matrices inside the network, AdamW for everything else.

Muon (Jordan et al. 2024) orthogonalises the momentum of each weight matrix by a Newton-Schulz
iteration; the scale that makes its steps comparable to AdamW's is from Liu et al. (2025).
"""

import torch

MATRIX_RATE = 3.0  # Muon's learning rate over AdamW's
MOMENTUM = 0.95
DECAY = 0.01


def orthogonalised(matrix, steps=5):
    """The nearest matrix, nearly, with all singular values 1."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / (matrix.norm() + 1e-7)
    wide = x.shape[0] <= x.shape[1]
    x = x if wide else x.T
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.T


class Optimiser(torch.optim.Optimizer):
    """One optimiser over both kinds; set `group["lr"]` to AdamW's rate for every group."""

    def __init__(self, network, rate):
        outermost = {id(p) for m in (network.encode1, network.head) for p in m.parameters()}
        parameters = list(network.parameters())
        matrices = [p for p in parameters if p.dim() > 1 and id(p) not in outermost]
        chosen = {id(p) for p in matrices}
        others = [p for p in parameters if id(p) not in chosen]
        super().__init__(
            [{"params": matrices, "muon": True}, {"params": others, "muon": False}], {"lr": rate}
        )

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            update = self.muon if group["muon"] else self.adam
            for p in group["params"]:
                if p.grad is not None:
                    update(p, self.state[p], group["lr"])

    @staticmethod
    def muon(p, state, rate):
        momentum = state.setdefault("momentum", torch.zeros_like(p))
        momentum.lerp_(p.grad, 1 - MOMENTUM)
        ahead = p.grad.lerp(momentum, MOMENTUM).flatten(1)
        scale = 0.2 * max(ahead.shape) ** 0.5
        p.mul_(1 - rate * DECAY)
        p.sub_(orthogonalised(ahead).view_as(p), alpha=rate * MATRIX_RATE * scale)

    @staticmethod
    def adam(p, state, rate, first=0.9, second=0.99):
        count = state["count"] = state.get("count", 0) + 1
        mean = state.setdefault("mean", torch.zeros_like(p))
        square = state.setdefault("square", torch.zeros_like(p))
        mean.lerp_(p.grad, 1 - first)
        square.lerp_(p.grad.square(), 1 - second)
        root = (square / (1 - second**count)).sqrt() + 1e-8
        p.sub_(mean / (1 - first**count) / root, alpha=rate)
