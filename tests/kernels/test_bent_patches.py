"""Patches that are as curved as the surface, and that do without what is linear across them."""

import pytest
import torch

from isopts.kernels.patch_consistency import INVALID, PatchLimits, PatchViews, patch_consistency

BACKENDS = pytest.mark.parametrize("backend", ["warp", "reference"])


@BACKENDS
@pytest.mark.parametrize("radius", [0.4, 1.0])
def test_a_ball_is_found_where_it_is_by_patches_that_bend(on_the_plane, photographs, device, backend, radius):
    """Flat ones find it deeper, by the mean of their sag, 4 square pixels / radius and more where they are oblique."""
    centers = torch.tensor([[0.2, -0.1, 4.0], [1.4, 0.3, 3.6], [-0.5, 1.2, 4.4]])
    views = photographs(centers, [(141, 121), (161, 111), (131, 151)], radius)
    across = 0.3 * radius * (torch.rand(200, 2, generator=torch.Generator().manual_seed(4)) - 0.5)
    normals = torch.cat([across, (radius**2 - across.square().sum(dim=1, keepdim=True)).sqrt()], dim=1) / radius
    points, normals = (radius * (normals - torch.tensor([0.0, 0.0, 1.0]))).to(device), normals.to(device)
    choice = on_the_plane(200)[2:]
    bends = (torch.eye(3).to(normals) - normals[:, :, None] * normals[:, None]) / radius
    steps = torch.linspace(-0.02, 0.02, 81).tolist()

    def offset(bends: torch.Tensor | None) -> float:
        """Along the normals, at which all surfels together agree best."""
        options = {"bends": bends, "backend": backend}
        scores = [patch_consistency(points + step * normals, normals, *choice, views, **options) for step in steps]
        valid = torch.stack(scores).amin(dim=0) > INVALID
        assert valid.float().mean() > 0.7
        return steps[int(torch.stack([score[valid].mean() for score in scores]).argmax())]

    sag = 4 / 70**2 / radius
    assert abs(offset(bends)) < 0.15 * sag + 0.0005
    assert offset(None) < -0.7 * sag


@BACKENDS
def test_a_slope_of_light_does_not_count_in_detrended_patches(on_the_plane, three, device, backend):
    """Greys that rise and fall across a view, as on curved surfaces whose light moved."""
    arguments = on_the_plane(300)
    lit = three._replace(greys=three.greys.clone())
    start, (width, height) = int(three.first[1]), three.sizes[1].tolist()
    waves = 4.0 * ((torch.arange(width) % 40 - 20).abs() - 10).to(device)
    view = lit.greys[start : start + width * height].view(height, width)
    view.copy_((0.3 * view + 88 + waves).round())

    def scores(views: PatchViews, detrend: bool) -> torch.Tensor:
        return patch_consistency(*arguments, views, PatchLimits(detrend=detrend), backend=backend)[:, 0]

    assert scores(three, True).median() > 0.97
    assert scores(lit, False).median() < 0.85
    assert scores(lit, True).median() > 0.97
