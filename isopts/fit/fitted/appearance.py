"""The colours of a fitted surface, and the cameras that it was fitted to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from isopts.config import config_from_dict
from isopts.errors import InputError
from isopts.field.build import Field, FieldConfig
from isopts.field.radiance import RadianceConfig, build_radiance, with_features
from isopts.fit.colors.exposure import Exposures
from isopts.fit.stored_state import stored_tensor
from isopts.geometry.camera_corrections import CameraCorrections
from isopts.geometry.cameras import Cameras

_RADIANCE, _CAMERA = "radiance.", "camera."
CORRECTIONS = "camera_corrections"
"""Tensor of a checkpoint: (V, 7) of CameraCorrections.vectors."""
_EXPOSURES = "camera_exposures"  # (V, 6) of Exposures.vectors

_CAMERA_PARTS = ("intrinsics", "rotations", "translations", "sizes")
_CHUNK = 65_536


@dataclass(frozen=True)
class Appearance:
    """radiance: the colour field, on its device. cameras: of the fitted images, unit frame, float32, there too; refined
    where the fit refined them. corrections: what was, float64, on the CPU; None: nothing.
    has_colors: whether the fit looked at colours; else `radiance` is as it began. exposures: of the fitted images,
    which `colors` are without; None: they are of one."""

    radiance: nn.Module
    cameras: Cameras
    corrections: CameraCorrections | None = None
    has_colors: bool = True
    exposures: Exposures | None = None

    @property
    def given_cameras(self) -> Cameras:
        """As they were given."""
        return self.cameras if self.corrections is None else self.corrections.undone(self.cameras)

    @torch.no_grad()
    def colors(self, field: Field, points: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        """(N, 3) in 0 ... 1, of surface points (N, 3) seen along unit `directions` (N, 3), unit frame."""
        pieces = []
        for some, along in zip(points.split(_CHUNK), directions.split(_CHUNK), strict=True):
            _, gradients, features = with_features(field, some)
            pieces.append(self.radiance(some, functional.normalize(gradients, dim=1), along, features).clamp(0, 1))
        return torch.cat(pieces) if pieces else points

    def frontal_colors(self, field: Field, points: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
        """(N, 3) in 0 ... 1: each point (N, 3) as the camera sees it that is nearest to its unit normal (N, 3)."""
        centers = self.cameras.centers()
        directions = []
        for some, along in zip(points.split(_CHUNK), normals.split(_CHUNK), strict=True):
            rays = functional.normalize(some[:, None] - centers, dim=2)
            best = torch.einsum("nvi,ni->nv", rays, along).argmin(dim=1)
            directions.append(rays[torch.arange(len(some), device=some.device), best])
        return self.colors(field, points, torch.cat(directions) if directions else points)

    def tensors(self) -> dict[str, torch.Tensor]:
        """For a checkpoint."""
        stored = {_RADIANCE + name: tensor for name, tensor in self.radiance.state_dict().items()}
        stored |= {_CAMERA + name: getattr(self.cameras, name) for name in _CAMERA_PARTS}
        if self.exposures is not None:
            stored[_EXPOSURES] = self.exposures.vectors()
        return stored if self.corrections is None else stored | {CORRECTIONS: self.corrections.vectors()}


def stored_appearance(
    config: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], source: str, device: torch.device
) -> Appearance | None:
    """From a checkpoint's configuration and `tensors`; None where it is of a fit without colours.

    Raises:
        ConfigError, InputError: it is damaged.
    """
    if "radiance" not in config:
        return None
    settings = config_from_dict(RadianceConfig, config["radiance"], source)
    field = config_from_dict(FieldConfig, config["field"], source)
    features = field.sdf.features if field.decoder == "sdf" else 0
    radiance = build_radiance(settings, features, torch.Generator())
    state = {name.removeprefix(_RADIANCE): part for name, part in tensors.items() if name.startswith(_RADIANCE)}
    expected = radiance.state_dict()
    wrong = [name for name in expected if not _is_like(state.get(name), expected[name])]
    if wrong:
        raise InputError(f"{source} is damaged: its colours are incomplete ({', '.join(wrong)}).")
    radiance.load_state_dict({name: state[name] for name in expected})
    cameras = _stored_cameras(tensors, source).to(device, torch.float32)
    corrections = _stored_corrections(tensors, len(cameras), source)
    has_colors = config.get("losses", {}).get("color", 1) > 0
    exposures = None
    if _EXPOSURES in tensors:
        exposures = Exposures.from_vectors(stored_tensor(tensors, _EXPOSURES, (len(cameras), 6), source).to(device))
    return Appearance(radiance.to(device), cameras, corrections, has_colors, exposures)


def _is_like(tensor: Any, expected: torch.Tensor) -> bool:
    return isinstance(tensor, torch.Tensor) and tensor.shape == expected.shape and bool(tensor.isfinite().all())


def _stored_cameras(tensors: Mapping[str, torch.Tensor], source: str) -> Cameras:
    parts = {name: tensors.get(_CAMERA + name) for name in _CAMERA_PARTS}
    sizes = parts["sizes"]
    if not isinstance(sizes, torch.Tensor) or sizes.is_floating_point() or sizes.ndim != 2 or sizes.shape[1] != 2:
        raise InputError(f"{source} is damaged: its cameras have no sizes.")
    shapes = {"intrinsics": (3, 3), "rotations": (3, 3), "translations": (3,)}
    for name, shape in shapes.items():
        parts[name] = stored_tensor(tensors, _CAMERA + name, (len(sizes), *shape), source)
    return Cameras(**parts)


def _stored_corrections(tensors: Mapping[str, torch.Tensor], views: int, source: str) -> CameraCorrections | None:
    if CORRECTIONS not in tensors:
        return None
    return CameraCorrections.from_vectors(stored_tensor(tensors, CORRECTIONS, (views, 7), source).double())
