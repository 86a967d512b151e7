"""What fit-points does: from a scan to a field."""
