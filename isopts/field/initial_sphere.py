"""Start a field as a sphere by a short fit; the result is kept in the user's cache folder."""

import hashlib
import logging
import os
import pickle
import tempfile
from pathlib import Path

import torch
from torch import nn

from isopts.geometry.fibonacci_directions import fibonacci_directions

logger = logging.getLogger(__name__)
_BATCH = 512  # points in space, and as many on the sphere
_RECIPE = "2"  # part of the cache key: change it when the fit below changes


def start_as_sphere(field: nn.Module, radius: float, steps: int, learning_rate: float) -> None:
    """Fit `field` in place to |x| - radius on [-1, 1]^3, or load an earlier fit of the same initial parameters.

    The fit depends on nothing but the initial parameters and the arguments. A cached file that cannot be read is fitted
    again; a cache folder that cannot be written is done without.
    """
    path = cache_folder() / "initial_spheres" / f"{_key(field, radius, steps, learning_rate)}.pt"
    state = _read(path, field)
    if state is None:
        logger.info("fitting the initial sphere (once; cached in %s)", path.parent)
        _fit(field, radius, steps, learning_rate)
        _write(path, field.state_dict())
    else:
        field.load_state_dict(state)


def cache_folder() -> Path:
    """ISOPTS_CACHE, else `isopts` in XDG_CACHE_HOME, else ~/.cache/isopts."""
    if chosen := os.environ.get("ISOPTS_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "isopts"


def _key(field: nn.Module, *recipe: float) -> str:
    digest = hashlib.sha256(f"{_RECIPE} {recipe}".encode())
    for name, tensor in field.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:32]


def _fit(field: nn.Module, radius: float, steps: int, learning_rate: float) -> None:
    """Values and gradients of the exact distance, on uniform points and on the sphere itself."""
    reference = next(field.parameters())
    generator = torch.Generator().manual_seed(0)
    sphere = radius * fibonacci_directions(_BATCH)
    optimizer = torch.optim.Adam(field.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=learning_rate / 100)
    for _ in range(steps):
        space = torch.rand((_BATCH, 3), generator=generator) * 2 - 1
        points = torch.cat((space, sphere)).to(reference)
        distance = points.norm(dim=1)
        value, gradient = field.value_and_gradient(points)
        slope_error = (gradient - points / distance.clamp_min(1e-6)[:, None]).square().sum(1)
        loss = (value - (distance - radius)).abs().mean() + 0.1 * slope_error.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def _read(path: Path, field: nn.Module) -> dict[str, torch.Tensor] | None:
    """A cached state that fits the field, or None."""
    expected = field.state_dict()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        fits = state.keys() == expected.keys() and all(
            tensor.shape == expected[name].shape and bool(tensor.isfinite().all()) for name, tensor in state.items()
        )
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError, EOFError, ValueError, AttributeError, pickle.UnpicklingError):
        fits = False  # torn, foreign or not a dictionary of tensors
    if not fits:
        logger.warning("ignoring the damaged cache file %s", path)
    return state if fits else None


def _write(path: Path, state: dict[str, torch.Tensor]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                torch.save(state, file)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        logger.warning("the initial sphere is not cached: %s", error)
