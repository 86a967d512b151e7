"""Fitting: losses, weights and schedules as pure functions, one loop, one module per kind of input."""
