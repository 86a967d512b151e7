"""Which view the others cannot be brought to agree with: the photo-consistency of each pair of views, during a fit."""

from collections.abc import Mapping

import torch

from isopts.fit.stored_state import stored_tensor
from isopts.kernels.patch_consistency import INVALID

_PREFIX = "agreement."
_MEMORY = 0.5  # share of what was known that a new extraction of iso-points leaves
_PATCHES_MIN = 100.0  # of a view, below which its mean says nothing
_PARTNERS_MIN, _PARTNER_PATCHES = 2, 20.0  # views it is compared with, each at so many: either of two is wrong
_OUTLIER = 4.0  # robust standard deviations below the median view
_TO_SIGMA = 1.4826  # of a median absolute deviation


class ViewAgreement:
    """sums, counts (V, V): NCC, negative as 0, of the patches of each pair of views, and how many. left_out (V,) bool:
    views that are no longer looked at."""

    def __init__(self, views: int, device: torch.device):
        self.sums = torch.zeros((views, views), device=device)
        self.counts = torch.zeros((views, views), device=device)
        self.left_out = torch.zeros(views, dtype=torch.bool, device=device)

    def add(self, references: torch.Tensor, sources: torch.Tensor, scores: torch.Tensor) -> None:
        """Patches of views (N,) compared with (N, S) others, with these scores (N, S)."""
        valid, count = scores > INVALID, len(self.sums)
        pairs = (references[:, None] * count + sources)[valid].long()
        weights = scores[valid].clamp_min(0)
        self.sums += torch.bincount(pairs, weights, count * count).view(count, count).to(self.sums)
        self.counts += torch.bincount(pairs, minlength=count * count).view(count, count).to(self.counts)

    def ratios(self) -> torch.Tensor:
        """(V,) mean NCC of each view with those that are not left out, over what these have with each other; NaN where
        there is too little to tell. Of views of a part without texture, or in a shadow that moves, it is near 1: their
        neighbours fare no better."""
        kept = ~self.left_out
        both = kept[:, None] & kept
        sums, counts = (torch.where(both, part + part.T, 0) for part in (self.sums, self.counts))
        sum_, count = sums.sum(dim=1), counts.sum(dim=1)
        without = (sum_ - sums) / (count - counts).clamp_min(1)  # [v, u]: mean of u with all but v
        expected = (counts * without).sum(dim=1)
        partners = (counts >= _PARTNER_PATCHES).sum(dim=1)
        enough = (count >= _PATCHES_MIN) & (partners >= _PARTNERS_MIN) & (expected > 0)
        return torch.where(enough, sum_ / expected, torch.nan)

    def leave_out(self, ratio_min: float, left_min: int) -> int | None:
        """The view whose ratio is the lowest, below `ratio_min` and no part of their spread, now left out; None where
        there is none, or `left_min` are left."""
        ratios = self.ratios()
        known = ratios[ratios.isfinite()]
        if int((~self.left_out).sum()) <= left_min or len(known) == 0:
            return None
        median = known.median()
        spread = _TO_SIGMA * (known - median).abs().median()
        if known.min() >= min(ratio_min, float(median - _OUTLIER * spread)):
            return None
        view = int(ratios.nan_to_num(torch.inf).argmin())
        self.left_out[view] = True
        return view

    def left_out_views(self) -> list[int]:
        """Their numbers."""
        return torch.nonzero(self.left_out)[:, 0].tolist()

    def tensors(self) -> dict[str, torch.Tensor]:
        """For a checkpoint."""
        return {_PREFIX + name: getattr(self, name).float() for name in ("sums", "counts", "left_out")}

    def restore(self, tensors: Mapping[str, torch.Tensor], source: str) -> None:
        """Continue where a checkpoint was taken. Raises InputError, which names `source`, where it is damaged."""
        for name, shape in (("sums", self.sums.shape), ("counts", self.sums.shape), ("left_out", self.left_out.shape)):
            part = getattr(self, name)
            setattr(self, name, stored_tensor(tensors, _PREFIX + name, tuple(shape), source).to(part))

    def fade(self) -> None:
        """Earlier patches, of a surface that has moved since, count less."""
        self.sums *= _MEMORY
        self.counts *= _MEMORY
