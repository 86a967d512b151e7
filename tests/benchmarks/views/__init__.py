"""Parts of tests/benchmarks/views_methods.py."""
