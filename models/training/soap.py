"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al. 2024, arXiv:2409.11321)."""

import torch

EVERY = 10  # steps between two updates of a basis
LARGEST = 512  # an axis longer than this keeps its own basis


class SOAP(torch.optim.Optimizer):
    """Tensors count as matrices of their first axis by the rest; vectors are left to Adam.

    betas are Adam's, and the decay of both preconditioners is the second one.
    """

    def __init__(self, params, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.update(parameter, group)

    def update(self, parameter, group):
        gradient = parameter.grad.float().flatten(1) if parameter.dim() > 1 else parameter.grad[None]
        state, (first, second) = self.state[parameter], group["betas"]
        if not state:
            self.prepare(state, gradient, parameter.dim() > 1, second)
            return
        state["step"] += 1
        state["mean"].lerp_(gradient, 1 - first)
        turned = rotate(gradient, state["bases"])
        state["square"].mul_(second).addcmul_(turned, turned, value=1 - second)
        direction = rotate(state["mean"], state["bases"]) / (state["square"].sqrt() + group["eps"])
        rate = (1 - second ** state["step"]) ** 0.5 / (1 - first ** state["step"]) * group["lr"]
        change = rotate_back(direction, state["bases"]).reshape(parameter.shape)
        parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(change, alpha=-rate)
        for axis, covariance in enumerate(state["covariances"]):
            if covariance is not None:
                covariance.lerp_(products(gradient, axis), 1 - second)
        if state["step"] % EVERY == 0:
            self.turn(state)

    @staticmethod
    def prepare(state, gradient, is_matrix, decay):
        """The first gradient only gives the bases."""
        state["step"] = 0
        state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        used = [is_matrix and length <= LARGEST for length in gradient.shape]
        covariances = [products(gradient, axis) * (1 - decay) if u else None for axis, u in enumerate(used)]
        state["covariances"] = covariances
        state["bases"] = [None if c is None else torch.linalg.eigh(c.double())[1].float() for c in covariances]

    @staticmethod
    def turn(state):
        """One step of power iteration brings the bases up to date, in order of their eigenvalues."""
        for axis, (covariance, basis) in enumerate(zip(state["covariances"], state["bases"])):
            if covariance is None:
                continue
            image = covariance @ basis
            order = (basis * image).sum(0).argsort(descending=True)
            state["square"] = state["square"].index_select(axis, order)
            state["bases"][axis] = torch.linalg.qr(image[:, order])[0]


def products(gradient, axis):
    return gradient @ gradient.t() if axis == 0 else gradient.t() @ gradient


def rotate(matrix, bases):
    left, right = bases
    matrix = matrix if left is None else left.t() @ matrix
    return matrix if right is None else matrix @ right


def rotate_back(matrix, bases):
    left, right = bases
    matrix = matrix if left is None else left @ matrix
    return matrix if right is None else matrix @ right.t()
