"""Measures a stereo file and reports on it."""
