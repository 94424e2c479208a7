"""Depth estimation: networks, stereo matching, edge-aligned upsampling and temporal stabilization; uses torch."""
