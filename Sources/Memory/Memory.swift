/// Memory.
