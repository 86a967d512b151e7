import pytest
import torch

from isopts.errors import InputError
from isopts.geometry.surface_sampling import sample_surface

# a unit square in the plane z = 2 from two triangles, and a triangle of area 2 in the plane x = 0
VERTICES = torch.tensor(
    [[0, 0, 2], [1, 0, 2], [1, 1, 2], [0, 1, 2], [0, 0, 0], [0, 2, 0], [0, 0, -2]], dtype=torch.float64
)
FACES = torch.tensor([[0, 1, 2], [0, 0, 1], [0, 2, 3], [4, 5, 6]])


def test_every_area_gets_its_share() -> None:
    samples = sample_surface(VERTICES, FACES, 30001, torch.Generator().manual_seed(1))
    share = torch.bincount(samples.faces, minlength=4) / 30001
    torch.testing.assert_close(share, torch.tensor([1 / 6, 0, 1 / 6, 2 / 3]), atol=1e-4, rtol=0)
    square = samples.points[samples.faces != 3]
    assert (square[:, 2] - 2).abs().max() < 1e-12
    quadrants = torch.bincount((2 * (square[:, 0] > 0.5) + (square[:, 1] > 0.5)).long()) / len(square)
    torch.testing.assert_close(quadrants, torch.full((4,), 0.25), atol=0.015, rtol=0)
    triangle = samples.points[samples.faces == 3]
    torch.testing.assert_close(
        triangle.mean(0), torch.tensor([0, 2 / 3, -2 / 3], dtype=torch.float64), atol=0.02, rtol=0
    )
    assert (triangle[:, 1] - triangle[:, 2] <= 2 + 1e-12).all()


def test_the_seed_decides() -> None:
    first, again, other = (
        sample_surface(VERTICES, FACES, 50, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first.points, again.points)
    assert not torch.equal(first.points, other.points)


def test_no_samples_and_no_area() -> None:
    generator = torch.Generator()
    assert sample_surface(VERTICES, FACES, 0, generator).points.shape == (0, 3)
    for faces in (FACES[1:2], FACES[:0]):
        with pytest.raises(InputError, match="without area"):
            sample_surface(VERTICES, faces, 10, generator)
