/// Kernels.
