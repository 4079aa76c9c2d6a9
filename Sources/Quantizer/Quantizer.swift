/// Quantizer.
