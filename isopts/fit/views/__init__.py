"""What fit-mvr does: from posed images to a field and its colours."""
