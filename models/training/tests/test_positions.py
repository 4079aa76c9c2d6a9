import pytest
import torch

import positions


def test_other_types_are_an_error():
    with pytest.raises(TypeError, match="positions.c takes float32 or bfloat16"):
        positions.product(torch.zeros(1, 4, 16, dtype=torch.float64), torch.zeros(4, 4))


def gradients(run, x, weight):
    leaves = [leaf.detach().clone().requires_grad_() for leaf in (x, weight)]
    y = run(*leaves)
    (y * torch.linspace(-1, 2, y.numel()).reshape(y.shape)).sum().backward()
    return [y.detach(), *(leaf.grad for leaf in leaves)]


@pytest.mark.parametrize("rows, channels", [(24, 48), (16, 64), (4, 16), (5, 9)])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_products_are_those_of_matrices_with_their_gradients(rows, channels, dtype, tolerance):
    torch.manual_seed(3)
    x, weight = torch.randn(2, 5, rows, channels).to(dtype), torch.randn(rows, rows) / rows
    compiled = gradients(positions.product, x, weight)
    reference = gradients(lambda a, w: w @ a, x.float(), weight)
    for a, b in zip(compiled, reference):
        assert (a.float() - b).abs().max() <= tolerance * b.abs().max()
