import os

import pytest

from isopts.errors import InputError
from isopts.run.atomic import replacing


def test_writes_through_a_temporary_file_of_the_same_suffix(tmp_path):
    target = tmp_path / "mesh.ply"
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".ply")
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["mesh.ply"]


def test_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    target = tmp_path / "mesh.ply"
    target.write_text("old")

    def interrupted_write():
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_write()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["mesh.ply"]


def test_a_symbolic_link_is_written_through(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)
    with replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_missing_folder_and_folder_as_target_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"), replacing(tmp_path / "none" / "a.ply"):
        pass
    with pytest.raises(InputError, match="is a folder"), replacing(tmp_path):
        pass


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="no permission"), replacing(tmp_path / "a.ply"):
            pass
    finally:
        tmp_path.chmod(0o700)
