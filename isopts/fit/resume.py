"""What a resumed run continues: its own configuration, from its latest checkpoint."""

from pathlib import Path
from typing import TypeVar

from isopts.config import StrictModel, config_differences, config_from_dict, load_config
from isopts.errors import ConfigError, InputError
from isopts.fit.clouds.config import PointsConfig
from isopts.run.checkpoint import Checkpoint, load_checkpoint
from isopts.run.folder import RunFolder

Config = TypeVar("Config", bound=StrictModel)


def stored_config(path: Path, model: type[Config], command: str) -> Config:
    """The configuration of the `command`'s run in the folder `path`, complete before its first step.

    Raises:
        InputError: no run is there, or another command's, or it was stopped before it had a configuration.
        ConfigError: config.yml was edited into something invalid.
    """
    folder = RunFolder(path)
    record = folder.read_record()
    if record is None:
        raise InputError(f"There is no run in '{path}' to resume; leave out --resume to start one.")
    if record.command != command:
        raise InputError(f"'{path}' holds a {record.command} run; choose another folder with -o.")
    if not folder.config.is_file():
        raise InputError(f"The run in '{path}' was stopped before its first step; start it again with --overwrite.")
    try:
        return load_config(model, folder.config)
    except ConfigError as error:
        raise ConfigError(
            f"{error} A run of another version of isopts cannot be resumed; start it again with --overwrite."
        ) from None


def continued_run(folder: RunFolder, requested: Config, command: str, sha256: str) -> tuple[Config, Checkpoint | None]:
    """The configuration and the checkpoint to continue with; None before the first one.

    Args:
        requested: must be the configuration of the run. sha256: of the input, which must be the run's too.

    Raises:
        InputError: another input or another command.
        ConfigError: another configuration.
    """
    stored, record = stored_config(folder.path, type(requested), command), folder.read_record()
    if record.input_sha256 != sha256:
        raise InputError(
            f"This is not the input that the run in '{folder.path}' was started with ('{record.input}'); "
            "give the same, or another folder with -o."
        )
    _require_same(stored, requested, folder)
    if not folder.checkpoint.is_file():
        return stored, None
    checkpoint = load_checkpoint(folder.checkpoint)
    _require_same(config_from_dict(type(requested), checkpoint.config, str(folder.checkpoint)), stored, folder)
    return stored, checkpoint


def _require_same(stored: Config, requested: Config, folder: RunFolder) -> None:
    differences = config_differences(stored, requested)
    if (
        isinstance(stored, PointsConfig) and stored.follow_noise and requested.follow_noise
    ):  # chosen from the scan, whatever was requested
        differences.pop("field.grid.finest_resolution", None)
    if differences:
        changes = ", ".join(f"{name} was {was!r}, now {now!r}" for name, (was, now) in differences.items())
        raise ConfigError(
            f"The run in '{folder.path}' has another configuration ({changes}); "
            "--resume alone continues with the run's own, --overwrite starts again."
        )
