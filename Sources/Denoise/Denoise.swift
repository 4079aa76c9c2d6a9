/// Denoise.
