"""Depth maps from and to files, and depth inside photos."""
