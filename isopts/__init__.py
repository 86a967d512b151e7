"""Surfaces as neural signed distance fields, steered by iso-points."""

__version__ = "0.1.0"
