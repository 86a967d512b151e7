"""Adam that leaves entries without a gradient alone: a step costs what was touched."""
