"""Numerical kernels: tensors in, tensors out. One folder per op; the same Warp source runs on CPU and CUDA."""
