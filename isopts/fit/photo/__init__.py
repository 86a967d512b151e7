"""Photo-consistency of iso-points."""
