import numpy as np
import pytest

from isopts.geometry.contradictions import cut_shares
from isopts.geometry.silhouette_maps import silhouette_maps


def test_masks_that_agree_cut_nothing_off(ball_in_unit_frame):
    cameras, masks = ball_in_unit_frame
    assert cut_shares(cameras, silhouette_maps(masks)).max() < 0.01


@pytest.mark.parametrize("kind", ["half", "shifted", "speck"])
def test_the_wrong_view_is_found(ball_in_unit_frame, kind):
    cameras, masks = ball_in_unit_frame
    match kind:
        case "half":
            masks[7][:, : masks[7].shape[1] // 2] = False
        case "shifted":
            masks[7] = np.roll(masks[7], 25, axis=1)
        case "speck":
            masks[7] = np.zeros_like(masks[7])
            masks[7][2:5, 2:5] = True
    shares = cut_shares(cameras, silhouette_maps(masks))
    assert shares.argmax() == 7
    assert shares[7] > {"half": 0.4, "shifted": 0.15, "speck": 0.95}[kind]
    shares[7] = 0
    assert shares.max() < 0.01


def test_a_wrong_pose_is_found(ball_in_unit_frame):
    cameras, masks = ball_in_unit_frame
    cameras.translations[3, 0] += 0.4
    assert cut_shares(cameras, silhouette_maps(masks)).argmax() == 3
