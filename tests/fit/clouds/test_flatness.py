"""Lines are refused, planes are remarked on."""

import pytest
import torch

from isopts.errors import InputError
from isopts.fit.clouds.flatness import describe_flatness

POINTS = torch.rand((1000, 3), generator=torch.Generator().manual_seed(0))
TURN = torch.linalg.qr(torch.randn((3, 3), generator=torch.Generator().manual_seed(1))).Q


def shape(*extents: float) -> torch.Tensor:
    return POINTS * torch.tensor(extents) @ TURN + 5


@pytest.mark.parametrize("width", [0.0, 5e-4])
def test_a_line_is_refused(width: float) -> None:
    with pytest.raises(InputError, match="on one line"):
        describe_flatness(shape(1.5, width, width))


@pytest.mark.parametrize("thickness", [0.0, 5e-4])
def test_a_plane_is_remarked_on(thickness: float) -> None:
    assert "--open" in describe_flatness(shape(1.5, 1.0, thickness))
    assert "--open" in describe_flatness(shape(1.5, 0.01, thickness))


def test_a_thin_rod_and_a_thin_plate_are_surfaces() -> None:
    assert describe_flatness(shape(1.5, 0.005, 0.005)) is None
    assert describe_flatness(shape(1.5, 1.0, 0.005)) is None
