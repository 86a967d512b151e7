import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.triangles import cast_rays, cast_rays_at, closest_points, prepare_mesh, reference


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def soup(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Random triangles that share vertices; some have no area (two or three equal corners, or three on a line)."""
    vertices = torch.rand((count, 3), generator=generator, dtype=torch.float64)
    vertices[2] = (vertices[0] + vertices[1]) / 2
    faces = torch.randint(0, count, (3 * count, 3), generator=generator)
    faces[0] = torch.tensor([0, 1, 2])
    faces[1] = torch.tensor([3, 3, 4])
    faces[2] = torch.tensor([5, 5, 5])
    return vertices, faces


SQUARE = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=torch.float64)
SQUARE_FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])


def test_closest_points_of_a_square_by_hand() -> None:
    queries = torch.tensor(
        [[0.3, 0.2, 2.0], [2.0, 0.5, 0.0], [-3.0, -4.0, 0.0], [0.25, 0.75, 0.0]], dtype=torch.float64
    )
    found = closest_points(queries, SQUARE, SQUARE_FACES)
    expected = torch.tensor([[0.3, 0.2, 0], [1, 0.5, 0], [0, 0, 0], [0.25, 0.75, 0]], dtype=torch.float64)
    torch.testing.assert_close(found.points, expected, atol=1e-7, rtol=0)
    torch.testing.assert_close(found.distances, torch.tensor([2, 1, 5, 0.0], dtype=torch.float64), atol=1e-6, rtol=0)
    assert found.faces[0] == 0
    assert found.faces[3] == 1


def test_closest_points_equal_the_definition(device: torch.device, generator: torch.Generator) -> None:
    vertices, faces = (tensor.to(device) for tensor in soup(40, generator))
    queries = (3 * torch.rand((501, 3), generator=generator, dtype=torch.float64) - 1).to(device)
    found = closest_points(queries, vertices, faces)
    points, distances, _ = reference.closest_points(queries, vertices, faces)
    torch.testing.assert_close(found.distances, distances, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.points, points, atol=2e-5, rtol=0)  # two faces can be nearly equally near
    _, on_face, _ = reference.closest_points(queries[:50], vertices, faces[found.faces[:50]])
    assert (on_face <= distances[:50] + 1e-6).all()


def test_faces_without_area_count_as_their_edges(generator: torch.Generator) -> None:
    vertices, faces = soup(12, generator)
    queries = torch.rand((100, 3), generator=generator, dtype=torch.float64)
    found = closest_points(queries, vertices, faces[:3])
    _, distances, _ = reference.closest_points(queries, vertices, faces[:3])
    torch.testing.assert_close(found.distances, distances, atol=1e-6, rtol=0)
    assert set(found.faces.tolist()) == {0, 1, 2}


def test_a_geo_referenced_offset_costs_nothing(generator: torch.Generator) -> None:
    offset = torch.tensor([4.5e5, 5.4e6, 310.0], dtype=torch.float64)
    queries = torch.rand((200, 3), generator=generator, dtype=torch.float64)
    near = closest_points(queries, SQUARE, SQUARE_FACES)
    far = closest_points(queries + offset, SQUARE + offset, SQUARE_FACES)
    torch.testing.assert_close(far.distances, near.distances, atol=2e-7, rtol=0)
    torch.testing.assert_close(far.points - offset, near.points, atol=1e-8, rtol=0)


def test_results_do_not_depend_on_the_number_of_threads(generator: torch.Generator) -> None:
    vertices, faces = soup(300, generator)
    queries = torch.rand((20000, 3), generator=generator)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = closest_points(queries, vertices, faces)
        torch.set_num_threads(3)
        three = closest_points(queries, vertices, faces)
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(first, second) for first, second in zip(one, three, strict=True))


def test_queries_that_are_empty_or_not_finite() -> None:
    empty = closest_points(torch.zeros((0, 3)), SQUARE, SQUARE_FACES)
    assert [tuple(tensor.shape) for tensor in empty] == [(0, 3), (0,), (0,)]
    found = closest_points(torch.tensor([[torch.nan, 0, 0], [0, 0, 1]]), SQUARE, SQUARE_FACES)
    assert found.faces.tolist() == [-1, 0] or found.faces.tolist() == [-1, 1]
    assert found.distances[0].isnan()
    assert found.distances[1] == 1


@pytest.mark.parametrize(
    ("vertices", "faces", "message"),
    [
        (SQUARE, torch.zeros((0, 3), dtype=torch.int64), "got one without"),
        (SQUARE, torch.tensor([[0, 1, 4]]), "got 0 ... 4"),
        (SQUARE, torch.tensor([[0, 1, -1]]), "got -1 ... 1"),
        (SQUARE * torch.nan, SQUARE_FACES, "finite"),
    ],
)
def test_meshes_that_cannot_be_queried(vertices: torch.Tensor, faces: torch.Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        closest_points(torch.zeros((1, 3)), vertices, faces)
    with pytest.raises(InputError, match=message):
        cast_rays(torch.zeros((1, 3)), torch.ones((1, 3)), vertices, faces)


def test_rays_against_a_square_by_hand() -> None:
    origins = torch.tensor(
        [[0.75, 0.25, 3.0], [0.25, 0.5, -1.0], [2.0, 2.0, 1.0], [0.5, 0.5, 1.0]], dtype=torch.float64
    )
    directions = torch.tensor([[0, 0, -2.0], [0, 0, 1.0], [0, 0, -1.0], [0, 0, 1.0]], dtype=torch.float64)
    hits = cast_rays(origins, directions, SQUARE, SQUARE_FACES)
    assert hits.distances.tolist() == [1.5, 1.0, torch.inf, torch.inf]
    assert hits.faces.tolist() == [0, 1, -1, -1]
    expected = torch.tensor([[0.25, 0.5, 0.25], [0.5, 0.25, 0.25], [0, 0, 0], [0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(hits.barycentric, expected, atol=1e-6, rtol=0)


def test_rays_equal_the_definition(device: torch.device, generator: torch.Generator) -> None:
    vertices, faces = (tensor.to(device) for tensor in soup(30, generator))
    faces = faces[3:]
    origins = (3 * torch.rand((800, 3), generator=generator, dtype=torch.float64) - 1).to(device)
    directions = torch.rand((800, 3), generator=generator, dtype=torch.float64).to(device) - origins
    hits = cast_rays(origins, directions, vertices, faces)
    distances, _, barycentric = reference.cast_rays(origins, directions, vertices, faces)
    same = hits.distances.isinf() == distances.isinf()
    assert same.float().mean() > 0.995  # a ray through an edge may go either way
    both = same & distances.isfinite()
    assert both.float().mean() > 0.5
    torch.testing.assert_close(hits.distances[both], distances[both], atol=2e-5, rtol=1e-4)
    hit_points = (vertices[faces[hits.faces[both]]] * hits.barycentric[both][..., None]).sum(1)
    along = origins[both] + distances[both, None] * directions[both]
    torch.testing.assert_close(hit_points, along, atol=1e-4, rtol=0)
    assert barycentric[both].min() >= 0


def test_a_prepared_mesh_is_asked_again_and_again(device: torch.device, generator: torch.Generator) -> None:
    offset = torch.tensor([4.5e5, 5.4e6, 310.0], dtype=torch.float64, device=device)
    vertices, faces = (tensor.to(device) for tensor in soup(30, generator))
    prepared = prepare_mesh(vertices + offset, faces)
    for _ in range(3):
        origins = (3 * torch.rand((200, 3), generator=generator, dtype=torch.float64) - 1).to(device)
        directions = torch.rand((200, 3), generator=generator, dtype=torch.float64).to(device) - origins
        hits = cast_rays_at(prepared, origins + offset, directions)
        once = cast_rays(origins + offset, directions, vertices + offset, faces)
        assert all(torch.equal(first, second) for first, second in zip(hits, once, strict=True))
        assert (hits.faces >= 0).any()
