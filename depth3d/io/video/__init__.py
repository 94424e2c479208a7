"""Clips: decoding, encoding, muxing, stereo metadata."""
