import torch

from soap import LARGEST, SOAP


def rotation(size):
    return torch.linalg.qr(torch.randn(size, size))[0]


def path_of(make, left, right, start, scales):
    """Losses of a regression whose weight is seen through two rotations."""
    weight = torch.nn.Parameter(left.t() @ start @ right.t())
    optimiser, losses = make([weight]), []
    generator = torch.Generator().manual_seed(2)
    for _ in range(80):
        inputs = torch.randn(32, len(scales), generator=generator) * scales
        loss = ((left @ weight @ right) @ inputs.t()).square().mean()
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return torch.tensor(losses)


def test_it_takes_the_same_path_through_a_rotated_space_and_adam_does_not():
    torch.manual_seed(6)
    start, scales = torch.randn(12, 16), torch.logspace(0, -1, 16)
    upright = torch.eye(12), torch.eye(16), start, scales
    turned = rotation(12), rotation(16), start, scales
    for make, same in ((SOAP, True), (torch.optim.Adam, False)):
        a, b = (path_of(lambda p: make(p, 1e-2), *space) for space in (upright, turned))
        assert a[-1] < 0.7 * a[0]
        assert torch.allclose(a, b, rtol=1e-2) == same


def test_vectors_are_left_to_adam():
    torch.manual_seed(7)
    a, b = (torch.nn.Parameter(torch.linspace(-1, 1, 7)) for _ in range(2))
    soap, adam = SOAP([a], 1e-2, eps=1e-8), torch.optim.Adam([b], 1e-2, betas=(0.9, 0.95))
    for step, gradient in enumerate(torch.randn(20, 7)):
        a.grad, b.grad = gradient.clone(), gradient.clone()
        soap.step()
        if step > 0:  # the first gradient only prepares
            adam.step()
    assert torch.allclose(a, b, atol=1e-6)


def test_every_shape_of_a_network_is_moved_against_its_gradient():
    torch.manual_seed(7)
    shapes = [(5,), (4, 3), (6, 2, 1, 3), (2, LARGEST + 1)]
    parameters = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    optimiser = SOAP(parameters, 1e-2)
    before = sum(p.square().sum() for p in parameters).item()
    for _ in range(60):
        optimiser.zero_grad()
        sum(p.square().sum() for p in parameters).backward()
        optimiser.step()
    assert sum(p.square().sum() for p in parameters).item() < 0.6 * before


def test_it_goes_on_from_its_saved_state():
    def run(steps, optimiser, parameter):
        for _ in range(steps):
            optimiser.zero_grad()
            (parameter - 3).square().sum().backward()
            optimiser.step()

    torch.manual_seed(8)
    start = torch.randn(4, 6)
    whole, part = (torch.nn.Parameter(start.clone()) for _ in range(2))
    run(30, SOAP([whole], 1e-2), whole)
    first = SOAP([part], 1e-2)
    run(13, first, part)
    second = SOAP([part], 1e-2)
    second.load_state_dict(first.state_dict())
    run(17, second, part)
    assert torch.equal(whole, part)
