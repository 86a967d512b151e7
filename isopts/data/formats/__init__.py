"""File formats, one per module: bytes to arrays and back, nothing about what they mean."""
