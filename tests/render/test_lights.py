import math

import numpy as np
import pytest
import torch

from isopts.render.lights import AMBIENT, Lights, fixed_lights, view_lights


def unit(count: int, seed: int = 0) -> torch.Tensor:
    directions = torch.randn((count, 3), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(directions, dim=1)


def test_lambert_by_hand():
    red = Lights("directional", torch.tensor([[0.0, 0, 1]]), torch.tensor([[1.0, 0, 0]]))
    normals = torch.tensor([[0.0, 0, 1], [0, math.sin(1), math.cos(1)], [0, 0, -1]])
    found = red.irradiance(torch.rand((3, 3)), normals) - AMBIENT
    torch.testing.assert_close(found, torch.tensor([[1.0, 0, 0], [math.cos(1), 0, 0], [0, 0, 0]]))


def test_a_point_light_is_where_it_is():
    lamp = Lights("point", torch.tensor([[0.0, 0, 2]]), torch.ones((1, 3)))
    points = torch.tensor([[0.0, 0, 0], [2, 0, 0], [0, 0, 3]])
    found = lamp.irradiance(points, torch.tensor([[0.0, 0, 1]]).expand(3, 3)) - AMBIENT
    torch.testing.assert_close(found[:, 0], torch.tensor([1.0, math.sqrt(0.5), 0.0]))


@pytest.mark.parametrize("kind", ["directional", "point"])
def test_lights_of_a_view_are_on_its_side_and_change(kind):
    generator = np.random.default_rng(0)
    rotation = torch.linalg.qr(torch.randn((3, 3), generator=torch.Generator().manual_seed(1)))[0].double()
    first, second = (view_lights(rotation, kind, generator) for _ in range(2))
    for lights in (first, second):
        toward = torch.nn.functional.normalize(lights.places, dim=1) @ -rotation[2].float()
        angles = torch.rad2deg(torch.acos(toward))
        assert angles.min() > 24.9
        assert angles.max() < 60.1
    assert (first.places - second.places).abs().max() > 0.1


@pytest.mark.parametrize("kind", ["directional", "point"])
def test_fixed_lights_leave_no_side_dark(kind):
    lights = fixed_lights(kind, np.random.default_rng(0))
    normals = unit(2000)
    irradiance = lights.irradiance(0.5 * normals, normals)
    assert irradiance.sum(dim=1).min() > 3 * AMBIENT + 0.3
    assert irradiance.max() < 1.2
