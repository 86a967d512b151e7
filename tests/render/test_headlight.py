import torch

from isopts.render.headlight import headlight


def test_what_faces_the_eye_is_light_and_the_rim_dark(ball):
    points = torch.tensor([[0.0, 0.0, 0.6], [0.6, 0.0, 0.0], [0.0, 0.0, -0.6]])
    colors = headlight(ball.value_and_gradient)(points, torch.tensor([[0.0, 0.0, -1.0]]).expand(3, 3))
    torch.testing.assert_close(colors, torch.tensor([[0.9], [0.15], [0.15]]).expand(3, 3))
