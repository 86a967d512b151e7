"""What the options of `isopts evaluate` ask to compare, and with what."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isopts.errors import InputError

if TYPE_CHECKING:
    from isopts.data.posed_views import PosedViews
    from isopts.evaluate.files import Targets
    from isopts.evaluate.mask_culling import CullingConfig
    from isopts.evaluate.report import Metric


def split_paths(paths: list[Path], views_dir: Path | None, dtu: Path | None) -> tuple[list[Path], Path | None]:
    """Predictions, and the reference if there is one."""
    optional = views_dir is not None or dtu is not None
    if len(paths) > 1 and not (optional and paths[-1].is_dir()):
        return paths[:-1], paths[-1]
    if not optional:
        raise InputError(
            f"'{paths[0]}' is given, but nothing to compare it with; add a mesh or cloud REF, --views or --dtu."
        )
    if views_dir is not None:
        beside = (views_dir if views_dir.is_dir() else views_dir.parent) / "reference.ply"
        return paths, beside if beside.is_file() else None
    return paths, None


def choose_metrics(asked: dict["Metric", bool], reference: Path | None) -> tuple["Metric", ...]:
    """Those asked for, or all."""
    named = [metric for metric, wanted in asked.items() if wanted]
    if named and reference is None:
        option = named[0].replace("_", "-")
        raise InputError(f"--{option} is given, but no reference; add a mesh or cloud REF after the predictions.")
    return tuple(named or asked)


def choose_targets(
    predictions: Sequence[Path],
    reference: Path | None,
    views: tuple[Path | None, str],
    culling: tuple[bool, float | None],
    dtu: tuple[Path | None, int | None],
) -> "Targets":
    """From the options --views and --mask-from, --cull and --cull-pixels, --dtu and --scan."""
    from isopts.evaluate.files import Targets

    scans = _dtu_scans(predictions, *dtu)
    config = _culling_config(*culling, views[0])
    return Targets(reference, _masked_views(*views), config, dtu[0], scans)


def _masked_views(folder: Path | None, mask_from: str) -> "PosedViews | None":
    from isopts.config import config_from_dict
    from isopts.data.views import ViewsConfig, read_views

    if folder is None and mask_from != "auto":
        raise InputError(f"--mask-from {mask_from} is given without --views; add --views DIR, or leave it out.")
    config = config_from_dict(ViewsConfig, {"masks": {"source": mask_from}}, "The command line")
    return None if folder is None else read_views(folder, config)


def _culling_config(cull: bool, pixels: float | None, views_dir: Path | None) -> "CullingConfig | None":
    from isopts.evaluate.mask_culling import CullingConfig

    if not cull and pixels is not None:
        raise InputError("--cull-pixels is given without --cull; add --cull, or leave it out.")
    if cull and views_dir is None:
        raise InputError("--cull needs masks to cull by; add --views DIR.")
    return CullingConfig(dilation_pixels=pixels) if cull else None


def _dtu_scans(predictions: Sequence[Path], dtu: Path | None, given: int | None) -> tuple[int, ...]:
    """The scan of each prediction: as given, else by the name of the folder of views that its run was made from."""
    if dtu is None:
        if given is not None:
            raise InputError(f"--scan {given} is given without --dtu; add --dtu DIR, or leave it out.")
        return ()
    return tuple(given or _scan_of_run(prediction) for prediction in predictions)


def _scan_of_run(prediction: Path) -> int:
    from isopts.evaluate.dtu_scan import scan_number
    from isopts.run.record import read_record

    record = read_record(prediction / "run.json")
    number = None if record is None else scan_number(Path(record.input))
    if number is None:
        raise InputError(f"'{prediction}' does not say which scan of DTU's it is of; add --scan, such as --scan 65.")
    return number
