"""Choice of views for surfels: one that sees each best, and others a suitable baseline away."""

from isopts.kernels.view_choice.op import ViewChoice, ViewChoiceLimits, choose_views

__all__ = ["ViewChoice", "ViewChoiceLimits", "choose_views"]
