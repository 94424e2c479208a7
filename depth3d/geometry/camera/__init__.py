"""Camera paths, keyframes, lens and focus."""
