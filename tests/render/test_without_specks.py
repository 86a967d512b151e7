import torch

from isopts.render.sampled_field import sample_field
from isopts.render.without_specks import without_specks


def test_a_speck_is_passed_and_a_limb_is_not(device):
    def value(points):
        body = points.norm(dim=1) - 0.5
        speck = (points - torch.tensor([0.8, 0.8, 0.8], device=device)).norm(dim=1) - 0.08
        limb = (points - torch.tensor([-0.8, 0.0, 0.0], device=device)).norm(dim=1) - 0.2
        return torch.minimum(body, torch.minimum(speck, limb))

    grid = sample_field(value, 64, device)
    cleaned = without_specks(grid)
    changed = cleaned != grid
    at = 2 * torch.nonzero(changed) / 64 - 1
    assert len(at) > 10
    assert ((at - 0.8).norm(dim=1) < 0.08).all()
    assert (cleaned[changed] > 0).all()
    assert cleaned[6, 32, 32] < 0  # inside the limb


def test_a_field_without_inside_stays(device):
    grid = torch.ones((5, 5, 5), device=device)
    assert torch.equal(without_specks(grid), grid)
