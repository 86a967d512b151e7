import numpy as np
import pytest
import torch

from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.render.camera_rig import camera_rig, join_surfaces
from isopts.render.srgb import decode_srgb, encode_srgb


@pytest.fixture
def camera() -> Cameras:
    """At (1, 2, 3), looking along z; its image spans -1 ... 1 in x and -0.5 ... 0.5 in y at depth 2."""
    intrinsics = np.array([[100.0, 0, 49.5], [0, 100, 24.5], [0, 0, 1]])
    cameras = Cameras.stack([Camera(intrinsics, np.eye(3), -np.array([1.0, 2, 3]))], [(100, 50)])
    return cameras.to("cpu", torch.float32)


def test_a_pyramid_from_the_center_to_the_image(camera):
    picture = np.zeros((2, 3, 3), np.uint8)
    rig = camera_rig(camera, [picture], height=2.0)
    low, high = rig.vertices.amin(dim=0), rig.vertices.amax(dim=0)
    expected = torch.tensor([[0.0, 1.5, 3.0], [2.0, 2.5, 5.0]])
    torch.testing.assert_close(torch.stack([low, high]), expected, atol=0.08, rtol=0)


def test_the_image_is_painted_as_the_camera_sees_it(camera):
    """Left is -x and above is -y: camera axes are x right, y down."""
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 1] = [255, 0, 0]
    rig = camera_rig(camera, [picture], height=2.0)
    red = torch.nonzero((rig.colors == torch.tensor([1.0, 0, 0])).all(dim=1))[:, 0]
    assert len(red) == 4
    middle = rig.vertices[rig.faces[red]].mean(dim=(0, 1))
    assert middle[0] > 1
    assert middle[1] < 2
    front = TriangleMesh(rig.vertices.numpy(), rig.faces[red].numpy()).face_normals()[:, 2]
    assert sorted(np.round(front).tolist()) == [-1, -1, 1, 1]
    np.testing.assert_allclose(front, rig.corner_normals[red][:, 0, 2], atol=1e-3)


def test_wires_are_closed_and_the_right_way_out(camera):
    rig = camera_rig(camera, [np.full((1, 1, 3), 255, np.uint8)], height=2.0)
    wires = rig.faces[(rig.colors < 0.5).all(dim=1)].numpy()
    vertices = rig.vertices.numpy()
    assert len(wires) == 8 * 6
    assert TriangleMesh(vertices, wires).volume() > 0


def test_joined_surfaces_keep_their_faces(camera):
    rig = camera_rig(camera, [np.zeros((1, 1, 3), np.uint8)], height=1.0)
    both = join_surfaces([rig, rig])
    assert len(both.vertices) == 2 * len(rig.vertices)
    torch.testing.assert_close(both.vertices[both.faces[len(rig.faces) :]], rig.vertices[rig.faces])


def test_srgb_there_and_back():
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(encode_srgb(decode_srgb(values)), values)
    assert float(decode_srgb(np.array([188], np.uint8))) == pytest.approx(0.5, abs=0.005)
    assert encode_srgb(torch.tensor([-1.0, 2.0])).tolist() == [0, 255]
