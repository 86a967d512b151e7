import numpy as np
import torch

from isopts.render.procedural_texture import ProceduralTexture


def points(count: int) -> torch.Tensor:
    return 2 * torch.rand((count, 3), generator=torch.Generator().manual_seed(0)) - 1


def test_colors_vary_and_channels_are_independent():
    colors = ProceduralTexture(np.random.default_rng(0)).albedo(points(20_000))
    assert 0.2 <= colors.min() < 0.3
    assert 0.85 < colors.max() <= 0.95
    assert (colors.std(dim=0) > 0.1).all()
    assert (torch.corrcoef(colors.T) - torch.eye(3)).abs().max() < 0.3


def test_it_is_continuous_with_detail_of_several_sizes():
    texture, at = ProceduralTexture(np.random.default_rng(0)), points(20_000)
    colors = texture.albedo(at)
    changes = []
    for step in (1e-4, 0.01, 0.1, 1.0):
        moved = texture.albedo(at + torch.tensor([step, 0, 0]))
        changes.append(float((moved - colors).square().mean().sqrt()))
    assert changes[0] < 0.002
    assert changes[0] < changes[1] / 20
    assert changes[1] < changes[2] / 1.5 < changes[3] / 1.5 + 0.02
    assert float((texture.albedo(at + 1e-5) - colors).abs().max()) < 0.01  # no seams


def test_the_generator_decides():
    at = points(100)
    first, same, other = (ProceduralTexture(np.random.default_rng(seed)).albedo(at) for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert (first - other).abs().max() > 0.2
