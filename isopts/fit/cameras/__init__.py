"""Cameras that are corrected with the surface."""
