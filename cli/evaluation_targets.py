"""What the options of `isopts evaluate` ask to compare, and with what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from isopts.cli.device import choose_device
from isopts.cli.evaluation_runs import is_run_of_images, read_run_images, reference_beside
from isopts.cli.threads import use_threads
from isopts.config import config_from_dict
from isopts.data.posed_views import PosedViews
from isopts.data.views import ViewsConfig, read_views
from isopts.errors import InputError
from isopts.evaluate.dtu_scan import scan_number
from isopts.evaluate.files import Targets
from isopts.evaluate.mask_culling import CullingConfig
from isopts.evaluate.report import Metric
from isopts.run.folder import RunFolder
from isopts.run.record import read_record


@dataclass(frozen=True)
class Asked:
    """What the options ask for. metrics: those against a reference that were named, none for all. The others: as the
    options of their names."""

    metrics: tuple[Metric, ...]
    views_dir: Path | None
    mask_from: str
    cull: bool
    cull_pixels: float | None
    dtu: Path | None
    scan: int | None
    device: str
    threads: int

    @property
    def own_images(self) -> bool:
        """Whether runs of fit-mvr are compared with their images: unless other figures are asked for."""
        return self.cull or self.views_dir is not None or not (self.metrics or self.dtu)


def split_paths(paths: list[Path], asked: Asked) -> tuple[list[Path], Path | None]:
    """Predictions, each once though patterns of a shell may name it twice, and the reference if one is given."""
    optional = asked.views_dir is not None or asked.dtu is not None
    folder_last = paths[-1].is_dir()
    predictions = paths if folder_last else paths[:-1]
    optional |= bool(predictions) and all(is_run_of_images(path) for path in predictions)
    if len(paths) > 1 and not (optional and folder_last):
        return list(dict.fromkeys(paths[:-1])), paths[-1]
    if not optional:
        raise InputError(
            f"'{paths[0]}' is given, but nothing to compare it with; add a mesh or cloud REF, --views or --dtu "
            "(only runs of fit-mvr need none of them)."
        )
    return list(dict.fromkeys(paths)), None


def choose_targets(predictions: Sequence[Path], reference: Path | None, asked: Asked) -> list[Targets]:
    """What each prediction is compared with."""
    culling = _culling_config(asked, predictions)
    scans = _dtu_scans(predictions, asked.dtu, asked.scan)
    own_suffices = all(is_run_of_images(path) and RunFolder(path).checkpoint.is_file() for path in predictions)
    views = None if own_suffices else _masked_views(asked.views_dir, asked.mask_from)  # a run knows if it had masks
    if reference is None and asked.views_dir is not None:
        reference = reference_beside(asked.views_dir)
    targets = [
        _choose_target(prediction, Targets(reference, views, None, culling, asked.dtu, scan), asked)
        for prediction, scan in zip(predictions, scans, strict=True)
    ]
    if asked.metrics and all(target.reference is None for target in targets):
        option = asked.metrics[0].replace("_", "-")
        raise InputError(f"--{option} is given, but no reference; add a mesh or cloud REF after the predictions.")
    return targets


def _choose_target(prediction: Path, given: Targets, asked: Asked) -> Targets:
    """`given`, and for a run of fit-mvr its images and the reference beside them where the options leave them open."""
    if not is_run_of_images(prediction):
        return given
    masks_only = asked.views_dir is not None and not RunFolder(prediction).checkpoint.is_file()
    wants_reference = given.reference is None and (asked.metrics or not asked.dtu)
    if masks_only or not (asked.own_images or wants_reference):
        return given
    own = read_run_images(prediction, asked.views_dir, asked.mask_from, choose_device(asked.device))
    use_threads(asked.threads, own.decoder)
    given = replace(given, reference=given.reference or own.reference)
    return replace(given, views=own.views, fit=own.fit) if asked.own_images else given


def _masked_views(folder: Path | None, mask_from: str) -> PosedViews | None:
    config = config_from_dict(ViewsConfig, {"masks": {"source": mask_from}}, "The command line")
    return None if folder is None else read_views(folder, config)


def _culling_config(asked: Asked, predictions: Sequence[Path]) -> CullingConfig | None:
    if not asked.cull and asked.cull_pixels is not None:
        raise InputError("--cull-pixels is given without --cull; add --cull, or leave it out.")
    if asked.views_dir is None and not all(is_run_of_images(path) for path in predictions):
        if asked.cull:
            raise InputError("--cull needs masks to cull by; add --views DIR.")
        if asked.mask_from != "auto":
            raise InputError(
                f"--mask-from {asked.mask_from} is given without --views; add --views DIR, or leave it out."
            )
    return CullingConfig(dilation_pixels=asked.cull_pixels) if asked.cull else None


def _dtu_scans(predictions: Sequence[Path], dtu: Path | None, given: int | None) -> list[int | None]:
    """The scan of each prediction: as given, else by the name of the folder of views that its run was made from."""
    if dtu is None:
        if given is not None:
            raise InputError(f"--scan {given} is given without --dtu; add --dtu DIR, or leave it out.")
        return [None] * len(predictions)
    return [given or _scan_of_run(prediction) for prediction in predictions]


def _scan_of_run(prediction: Path) -> int:
    record = read_record(prediction / "run.json")
    number = None if record is None else scan_number(Path(record.input))
    if number is None:
        raise InputError(f"'{prediction}' does not say which scan of DTU's it is of; add --scan, such as --scan 65.")
    return number
