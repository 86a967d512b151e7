import numpy as np
import pytest

from isopts.errors import InputError
from isopts.geometry.hull_region import hull_region
from isopts.geometry.silhouette_maps import silhouette_maps
from isopts.geometry.sphere import Sphere

CENTER, RADIUS = np.array([30.0, -20.0, 10.0]), 4.0


def assert_around_the_ball(sphere, slack=1.5):
    assert np.linalg.norm(np.array(sphere.center) - CENTER) < 0.1 * RADIUS
    assert 1.1 < sphere.radius / RADIUS < slack


def test_the_region_is_around_the_ball(ball):
    cameras, masks = ball
    assert_around_the_ball(hull_region(cameras, silhouette_maps(masks)))


def test_three_views_are_enough(ball):
    cameras, masks = ball
    chosen = [1, 9, 20]
    sphere = hull_region(cameras.select(chosen), silhouette_maps([masks[view] for view in chosen]))
    assert np.linalg.norm(np.array(sphere.center) - CENTER) < RADIUS
    assert 1.1 < sphere.radius / RADIUS < 2.5


def test_wrong_masks_are_tolerated_when_asked_to(ball):
    cameras, masks = ball
    masks[4], masks[11] = np.zeros_like(masks[4]), np.zeros_like(masks[11])
    masks[4][5:9, 5:9] = masks[11][-9:-5, -9:-5] = True
    maps = silhouette_maps(masks)
    assert_around_the_ball(hull_region(cameras, maps, tolerated=2))
    with pytest.raises(InputError, match="no point in common: masks or camera poses contradict"):
        hull_region(cameras, maps)


@pytest.mark.parametrize(("offset", "radius"), [((0, 0, 0), 5.0), ((3, -2, 1), 12.0), ((5, 5, 5), 30.0)])
def test_a_sphere_that_holds_the_object_is_made_smaller(ball, offset, radius):
    cameras, masks = ball
    within = Sphere(tuple(CENTER + offset), radius)
    assert_around_the_ball(hull_region(cameras, silhouette_maps(masks), within=within))


def test_only_what_is_within_the_sphere_counts(ball):
    """Two objects: the sphere is around one of them, where the masks alone would give both."""
    cameras, masks = ball
    turned = [mask | np.roll(mask, (30, -40), axis=(0, 1)) for mask in masks]
    within = Sphere(tuple(CENTER), 1.3 * RADIUS)
    sphere = hull_region(cameras, silhouette_maps(turned), within=within)
    assert np.linalg.norm(np.array(sphere.center) - CENTER) < 0.3 * RADIUS
    with pytest.raises(InputError, match="no point in common"):
        hull_region(cameras, silhouette_maps(masks), within=Sphere(tuple(CENTER + 3 * RADIUS), RADIUS))


def test_masks_without_object_are_refused(ball):
    cameras, masks = ball
    with pytest.raises(InputError, match="No mask shows an object"):
        hull_region(cameras, silhouette_maps([np.zeros_like(mask) for mask in masks]))
