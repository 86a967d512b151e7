"""Multi-resolution dense and hashed grid: features of points and their Jacobian."""
