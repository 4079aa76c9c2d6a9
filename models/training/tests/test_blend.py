import torch

from blend import blend


def checkpoint(value, step):
    weights = {"weight": torch.full((2, 3), value), "count": torch.tensor(step)}
    return {"raw": weights, "average": dict(weights), "step": step}


def test_a_share_of_each_weight_comes_from_each_checkpoint():
    result = blend(checkpoint(1.0, 5), checkpoint(3.0, 9), 0.75)
    assert result["step"] == 9 and result["raw"]["count"] == 9
    for part in ("raw", "average"):
        assert torch.equal(result[part]["weight"], torch.full((2, 3), 2.5))


def test_weights_with_a_share_of_their_own_take_that():
    result = blend(checkpoint(1.0, 5), checkpoint(3.0, 9), 0.75, [("wei", 0.5), ("weight", 0)])
    assert torch.equal(result["average"]["weight"], torch.full((2, 3), 2.0))
