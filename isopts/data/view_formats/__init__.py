"""Formats of posed images, one per file; each turns its cameras into the convention of `geometry/cameras.py`."""
