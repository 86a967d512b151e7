import numpy as np
import trimesh

from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.components import face_components, largest_component, solid_components, supported_components


def two_spheres() -> TriangleMesh:
    """Part 0: small with many faces. Part 1: large with few."""
    small, large = trimesh.creation.icosphere(subdivisions=3, radius=0.1), trimesh.creation.icosphere(subdivisions=1)
    vertices = np.concatenate([small.vertices, [[9.0, 9, 9]], large.vertices + 3])
    faces = np.concatenate([small.faces, large.faces + len(small.vertices) + 1])
    return TriangleMesh(vertices, faces, vertices.astype(np.float32), (vertices * 10).astype(np.uint8))


def test_the_largest_part_is_the_one_with_the_most_area() -> None:
    mesh = two_spheres()
    largest = largest_component(mesh)
    assert (len(largest.vertices), len(largest.faces)) == (42, 80)
    np.testing.assert_array_equal(largest.vertices[largest.faces], mesh.vertices[mesh.faces[-80:]])
    np.testing.assert_array_equal(largest.normals, mesh.normals[-42:])
    np.testing.assert_array_equal(largest.colors, mesh.colors[-42:])


def test_parts_are_numbered() -> None:
    part = face_components(two_spheres())
    assert set(part[:-80]) == {part[0]}
    assert set(part[-80:]) == {1 - part[0]}


def test_no_faces_have_no_parts() -> None:
    empty = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3)))
    assert len(largest_component(empty).faces) == 0


def test_supported_parts_stay_and_others_go() -> None:
    mesh = two_spheres()
    near_small = mesh.vertices[:, 0] < 1
    assert len(supported_components(mesh, near_small).faces) == len(mesh.faces) - 80
    assert len(supported_components(mesh, ~near_small).faces) == 80
    assert len(supported_components(mesh, np.ones(len(near_small), bool), area_share=0.001).faces) == len(mesh.faces)
    assert len(supported_components(mesh, np.ones(len(near_small), bool), area_share=0.1).faces) == 80
    assert len(supported_components(mesh, np.zeros(len(near_small), bool)).faces) == 80


def ball(radius: float, center: tuple[float, float, float], inside_out: bool = False) -> TriangleMesh:
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=radius)
    faces = np.asarray(sphere.faces)[:, ::-1] if inside_out else np.asarray(sphere.faces)
    return TriangleMesh(np.asarray(sphere.vertices) + center, faces)


def together(*meshes: TriangleMesh) -> TriangleMesh:
    first = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + start for mesh, start in zip(meshes, first, strict=False)]
    return TriangleMesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))


def test_bubbles_and_specks_go_and_bodies_stay() -> None:
    """Far from the origin, where a part's volume is a small difference of large numbers."""
    offset = np.array([5e5, 4.6e6, 100.0])
    body, second = ball(1.0, (0, 0, 0)), ball(0.5, (3, 0, 0))
    bubble, speck = ball(0.6, (0.1, 0, 0), inside_out=True), ball(0.05, (2, 2, 2))
    mesh = together(bubble, body, speck, second)
    found = solid_components(TriangleMesh(mesh.vertices + offset, mesh.faces))
    kept = together(body, second)
    np.testing.assert_allclose(found.vertices[found.faces] - offset, kept.vertices[kept.faces], atol=1e-8)
    assert len(solid_components(mesh, area_share=0.0).faces) == 3 * len(body.faces)


def test_where_all_is_inside_out_the_largest_part_stays() -> None:
    large, small = ball(1.0, (0, 0, 0), inside_out=True), ball(0.5, (3, 0, 0), inside_out=True)
    found = solid_components(together(small, large))
    np.testing.assert_allclose(found.vertices[found.faces], large.vertices[large.faces])
    empty = TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3)))
    assert solid_components(empty) is empty
