"""A solid texture: colours as a function of place, so that no surface needs to be unrolled."""

import numpy as np
import torch

_CELLS = 64  # of the noise's period, along a side
_OCTAVES = (3.0, 6.0, 12.0, 24.0, 48.0)  # noise cells in one radius of the object
_AMPLITUDES = (1.0, 0.8, 0.7, 0.6, 0.4)
_DARKEST, _BRIGHTEST = 0.2, 0.95
_CONTRAST = 1.0  # standard deviations of the noise to steepness


class ProceduralTexture:
    """Value noise of five octaves, independent for red, green and blue: detail from a third of the object's radius
    to a fiftieth. Each octave is turned and shifted at random, so that no lattice shows."""

    def __init__(self, generator: np.random.Generator) -> None:
        values = generator.normal(size=(3, _CELLS, _CELLS, _CELLS)).astype(np.float32)
        self._values = torch.from_numpy(np.pad(values, ((0, 0), *((0, 1),) * 3), mode="wrap"))[None]
        turns = [np.linalg.qr(generator.normal(size=(3, 3)))[0] for _ in _OCTAVES]
        self._turns = [torch.from_numpy(turn.astype(np.float32)) for turn in turns]
        self._shifts = torch.from_numpy(generator.uniform(0, _CELLS, size=(len(_OCTAVES), 3)).astype(np.float32))

    def albedo(self, points: torch.Tensor) -> torch.Tensor:
        """(N, 3) linear RGB, 0.2 ... 0.95, at points (N, 3) float32 of the unit frame."""
        total = torch.zeros_like(points)
        for frequency, amplitude, turn, shift in zip(_OCTAVES, _AMPLITUDES, self._turns, self._shifts, strict=True):
            total += amplitude * self._noise(frequency * points @ turn + shift)
        deviation = 0.55 * float(np.linalg.norm(_AMPLITUDES))  # interpolation averages the lattice's values
        return _DARKEST + (_BRIGHTEST - _DARKEST) * torch.sigmoid(_CONTRAST * total / deviation)

    def _noise(self, places: torch.Tensor) -> torch.Tensor:
        """(N, 3) at `places` (N, 3) in cells: smoothly from lattice point to lattice point, with period _CELLS."""
        cell = places.floor()
        within = places - cell
        smooth = torch.remainder(cell, _CELLS) + within * within * (3 - 2 * within)
        grid = (2 * smooth / _CELLS - 1)[None, :, None, None]
        found = torch.nn.functional.grid_sample(self._values, grid, mode="bilinear", align_corners=True)
        return found[0, :, :, 0, 0].T
