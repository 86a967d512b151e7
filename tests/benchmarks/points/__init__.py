"""Parts of tests/benchmarks/points_vs_poisson.py."""
