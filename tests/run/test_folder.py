import os

import pytest

from isopts.errors import InputError
from isopts.run.folder import RunFolder
from isopts.run.record import RunRecord


def opened(path, **flags):
    """For a moment."""
    with RunFolder.open(path, **flags) as folder:
        return folder


def run_with_status(path, status):
    folder = opened(path)
    folder.write_record(RunRecord(command="fit-points", status=status, step=40))
    for file in (folder.config, folder.log, folder.checkpoint, folder.isopoints, folder.mesh, folder.metrics):
        file.write_text("old")
    folder.preview.write_text("old")
    folder.step_isopoints(40).write_text("old")
    folder.step_mesh(40).write_text("old")
    return folder


def names(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*"))


def test_new_and_empty_folders_are_opened(tmp_path):
    assert opened(tmp_path / "runs" / "scan").path.is_dir()
    assert opened(tmp_path / "runs" / "scan", overwrite=True).path.is_dir()


@pytest.mark.parametrize(("status", "text"), [("finished", "a finished run"), ("running", "unfinished run .step 40.")])
def test_a_run_is_kept_without_a_flag(tmp_path, status, text):
    run_with_status(tmp_path, status)
    before = names(tmp_path)
    with pytest.raises(InputError, match=f"{text}.*--resume.*--overwrite"):
        opened(tmp_path)
    assert names(tmp_path) == before


def test_a_run_that_was_killed_is_as_far_as_its_log(tmp_path):
    folder = run_with_status(tmp_path, "running")
    folder.log.write_text('{"step": 50}\n{"step": 700}\n{"step": 7')
    with pytest.raises(InputError, match=r"unfinished run \(step 700\)"):
        opened(tmp_path)


@pytest.mark.parametrize("status", ["finished", "interrupted"])
def test_resume_keeps_everything(tmp_path, status):
    run_with_status(tmp_path, status)
    before = names(tmp_path)
    assert opened(tmp_path, resume=True).read_record().status == status
    assert names(tmp_path) == before


def test_overwrite_removes_what_a_run_writes_and_nothing_else(tmp_path):
    folder = run_with_status(tmp_path, "finished")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "meshes" / "annotated.ply").write_text("mine")
    opened(tmp_path, overwrite=True)
    assert (folder.read_record().status, folder.read_record().step) == ("interrupted", 0)
    assert names(tmp_path) == ["meshes", "meshes/annotated.ply", "notes.txt", "run.json"]
    folder.write_record(RunRecord(command="fit-points"))
    assert folder.read_record().status == "running"


@pytest.mark.parametrize("flags", [{}, {"overwrite": True}, {"resume": True}])
@pytest.mark.parametrize("name", ["thesis.tex", "mesh.ply", "run.json"])
def test_a_folder_that_is_no_run_is_never_touched(tmp_path, name, flags):
    (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=r"holds no run of isopts|no run in"):
        opened(tmp_path, **flags)
    assert (tmp_path / name).read_text() == "{}"


def test_nothing_to_resume(tmp_path):
    with pytest.raises(InputError, match="leave out --resume"):
        opened(tmp_path / "typo", resume=True)
    assert not (tmp_path / "typo").exists()


def test_both_flags_are_refused(tmp_path):
    with pytest.raises(InputError, match="exclude each other"):
        opened(tmp_path, overwrite=True, resume=True)


def test_a_file_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match="choose another place"):
            opened(path)


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be locked")
@pytest.mark.parametrize("flags", [{}, {"overwrite": True}, {"resume": True}])
def test_two_runs_do_not_write_into_one_folder(tmp_path, flags):
    """As where two scans of one name are fitted at the same time."""
    with RunFolder.open(tmp_path / "runs" / "scan") as folder:
        if flags:
            folder.write_record(RunRecord(command="fit-points"))
        folder.log.write_text("mine") if flags else None
        with pytest.raises(InputError, match="Another isopts is writing into"):
            opened(folder.path, **flags)
        assert not flags or folder.log.read_text() == "mine"
    opened(folder.path, **flags)
