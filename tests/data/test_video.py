from importlib.util import find_spec
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from isopts.data.video import require_video, write_video
from isopts.errors import InputError


def frames():
    for number in range(5):
        frame = np.zeros((21, 32, 3), np.uint8)
        frame[:, 6 * number : 6 * number + 6] = (240, 30 * number, 60)
        yield frame


def test_a_gif_has_the_frames_and_starts_again(tmp_path):
    write_video(tmp_path / "a.gif", frames())
    found = imageio.imread(tmp_path / "a.gif")
    assert found.shape == (5, 21, 32, 3)
    assert np.abs(found.astype(int) - np.stack(list(frames()))).max() < 8
    properties = imageio.immeta(tmp_path / "a.gif")
    assert (properties["duration"], properties["loop"]) == (50, 0)


@pytest.mark.skipif(find_spec("imageio_ffmpeg") is None, reason="needs pip install imageio-ffmpeg")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_mp4_has_the_frames_without_an_odd_row(tmp_path):  # imageio's reader leaves its pipes open
    write_video(tmp_path / "a.mp4", frames())
    found = np.stack(list(imageio.imiter(tmp_path / "a.mp4", plugin="FFMPEG")))
    assert found.shape == (5, 20, 32, 3)
    assert np.abs(found.astype(int) - np.stack(list(frames()))[:, :20]).mean() < 20


def test_what_cannot_be_written_is_said_before(monkeypatch):
    monkeypatch.setattr("isopts.data.video.find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs imageio's ffmpeg plugin, which is not installed"):
        require_video(Path("a.MP4"))
    with pytest.raises(InputError, match=r"ends in \.gif or \.mp4"):
        require_video(Path("a.avi"))
    assert require_video(Path("a.gif")) is None
