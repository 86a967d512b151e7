"""Alignment of surfels' patches: how far a source view shows them from where its camera says."""

from isopts.kernels.patch_alignment.op import Alignment, align_patches

__all__ = ["Alignment", "align_patches"]
