"""Photo-consistency of surfels: correlation of patches between a reference view and source views."""

from isopts.kernels.patch_consistency.op import HALF_SIZE_MAX, INVALID, PatchLimits, PatchViews, patch_consistency

__all__ = ["HALF_SIZE_MAX", "INVALID", "PatchLimits", "PatchViews", "patch_consistency"]
