import numpy as np
import trimesh

from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.components import face_components, largest_component, supported_components


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
