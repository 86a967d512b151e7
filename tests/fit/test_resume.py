"""A resumed run is the run that was stopped, whatever the command line says and however early it was stopped."""

import pytest

from isopts.config import dump_config, load_config
from isopts.errors import ConfigError, InputError
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.resume import continued_run, stored_config
from isopts.fit.views.config import MvrConfig
from isopts.run.folder import RunFolder
from isopts.run.record import RunRecord


def configuration(*changes):
    return load_config(PointsConfig, "points_fast", changes)


@pytest.fixture
def folder(tmp_path):
    """A run that was killed before its first checkpoint."""
    folder = RunFolder(tmp_path)
    folder.write_record(RunRecord(command="fit-points", input="scan.ply", input_sha256="abc"))
    folder.config.write_text(dump_config(configuration("seed=7", "field.grid.finest_resolution=31")))
    return folder


def test_the_configuration_is_kept_before_the_first_checkpoint(folder):
    stored = stored_config(folder.path, PointsConfig, "fit-points")
    assert stored.seed == 7
    assert continued_run(folder, stored, "fit-points", "abc") == (stored, None)


def test_the_same_command_line_may_be_repeated_though_the_grid_followed_the_scan(folder):
    config, _ = continued_run(folder, configuration("seed=7"), "fit-points", "abc")
    assert config.field.grid.finest_resolution == 31


def test_another_configuration_is_refused_by_name(folder):
    with pytest.raises(ConfigError, match=r"\(fit\.steps was 600, now 5, seed was 7, now 0\)"):
        continued_run(folder, configuration("fit.steps=5"), "fit-points", "abc")


@pytest.mark.parametrize(
    ("command", "sha256", "message"),
    [("fit-mvr", "abc", "holds a fit-points run"), ("fit-points", "abd", r"not the input .*'scan\.ply'")],
)
def test_another_scan_or_command_is_refused(folder, command, sha256, message):
    with pytest.raises(InputError, match=message):
        continued_run(folder, configuration("seed=7"), command, sha256)


def test_a_run_without_configuration_is_to_be_started_again(folder):
    folder.config.unlink()
    with pytest.raises(InputError, match="--overwrite"):
        stored_config(folder.path, PointsConfig, "fit-points")


def test_nothing_to_resume(tmp_path):
    with pytest.raises(InputError, match="leave out --resume"):
        stored_config(tmp_path / "absent", PointsConfig, "fit-points")


def test_a_run_of_another_command_keeps_its_own_kind_of_configuration(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_record(RunRecord(command="fit-mvr", input="views", input_sha256="abc"))
    config = load_config(MvrConfig, "mvr_fast", ["fit.seconds=7", "data.holdout=[3]"])
    folder.config.write_text(dump_config(config))
    assert stored_config(tmp_path, MvrConfig, "fit-mvr") == config
    assert continued_run(folder, config, "fit-mvr", "abc") == (config, None)
    with pytest.raises(ConfigError, match=r"data\.holdout was \(3,\), now \(\)"):
        continued_run(folder, load_config(MvrConfig, "mvr_fast", ["fit.seconds=7"]), "fit-mvr", "abc")
    with pytest.raises(InputError, match="holds a fit-mvr run"):
        continued_run(folder, configuration(), "fit-points", "abc")
    with pytest.raises(InputError, match="holds a fit-mvr run; choose another folder with -o"):
        stored_config(tmp_path, PointsConfig, "fit-points")
