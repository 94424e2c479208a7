"""Fast float32 convolutions for the CPU."""
