import torch

from isopts.isopoints.project import ProjectionConfig, approach, project


def random_points(count: int, generator: torch.Generator, half_side: float = 0.9) -> torch.Tensor:
    return (2 * torch.rand((count, 3), generator=generator) - 1) * half_side


def test_points_land_on_the_nearest_point_of_a_sphere(fields, generator) -> None:
    points = random_points(500, generator)
    projection = project(fields.sphere, points, ProjectionConfig(step_length_max=2.0))
    directions = torch.nn.functional.normalize(points, dim=1)
    assert projection.converged.all()
    torch.testing.assert_close(projection.points, 0.6 * directions, atol=2e-6, rtol=0)
    torch.testing.assert_close(projection.normals, directions, atol=1e-5, rtol=0)
    assert (projection.values.abs() <= 1e-5).all()


def test_kinks_at_the_surface_do_not_stop_it(fields, generator) -> None:
    points = random_points(500, generator)
    projection = project(fields.kinked, points, ProjectionConfig(step_length_max=1.0))
    assert projection.converged.all()
    assert (projection.points.norm(dim=1) - 0.6).abs().max() < 1e-4


def test_plain_newton_cycles_where_damping_converges(generator) -> None:
    def cube_root(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # Newton doubles the distance each step
        x = points[:, 0]
        slope = x.abs().clamp_min(1e-9).pow(-2 / 3) / 3
        return x.sign() * x.abs().pow(1 / 3), torch.stack([slope, torch.zeros_like(x), torch.zeros_like(x)], dim=1)

    points = random_points(200, generator, 0.05)
    projection = project(cube_root, points, ProjectionConfig(tolerance=0.05, steps_max=20))
    assert projection.converged.all()
    assert projection.points[:, 0].abs().max() <= 0.05**3 * 1.01


def test_a_step_is_no_longer_than_the_limit(fields) -> None:
    points = torch.tensor([[0.95, 0.0, 0.0]])
    once = project(fields.sphere, points, ProjectionConfig(steps_max=1))
    torch.testing.assert_close(once.points, torch.tensor([[0.85, 0.0, 0.0]]))
    assert not once.converged.any()
    assert project(fields.sphere, points, ProjectionConfig(steps_max=4)).converged.all()


def test_points_without_a_zero_set_are_not_converged_and_no_worse(generator) -> None:
    def positive(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return points.square().sum(dim=1) + 0.1, 2 * points

    points = torch.cat([random_points(100, generator), torch.zeros(1, 3)])
    projection = project(positive, points, ProjectionConfig())
    assert not projection.converged.any()
    assert (projection.values <= positive(points)[0]).all()
    assert projection.points.isfinite().all()


def test_places_where_the_field_is_not_a_number_never_converge(fields) -> None:
    def broken(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        value, gradient = fields.sphere(points)
        return torch.where(points[:, 0] > 0, value, torch.nan), gradient

    points = torch.tensor([[0.5, 0.0, 0.0], [-0.5, 0.0, 0.0]])
    projection = project(broken, points, ProjectionConfig())
    assert projection.converged.tolist() == [True, False]


def test_only_points_that_still_move_are_evaluated(fields) -> None:
    sizes = []

    def counted(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        sizes.append(len(points))
        return fields.sphere(points)

    points = torch.tensor([[0.6, 0.0, 0.0], [0.65, 0.0, 0.0], [0.95, 0.0, 0.0]])
    project(counted, points, ProjectionConfig())
    assert sizes == [3, 2, 1, 1, 1]


def test_no_points_give_no_points(fields) -> None:
    projection = project(fields.sphere, torch.zeros((0, 3)), ProjectionConfig())
    assert projection.points.shape == (0, 3)
    assert projection.converged.shape == (0,)


def test_the_input_is_left_alone_and_double_precision_is_kept(fields, generator) -> None:
    points = random_points(50, generator).double()
    before = points.clone()
    projection = project(fields.torus, points, ProjectionConfig(tolerance=1e-12, steps_max=20))
    assert torch.equal(points, before)
    assert projection.points.dtype == torch.float64
    assert projection.converged.all()


def test_one_approaching_step_reaches_an_exact_distance(fields) -> None:
    points, normals = approach(fields.sphere, torch.tensor([[0.0, 0.63, 0.0]]), 0.1)
    torch.testing.assert_close(points, torch.tensor([[0.0, 0.6, 0.0]]))
    torch.testing.assert_close(normals, torch.tensor([[0.0, 1.0, 0.0]]))
