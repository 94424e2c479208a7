"""Depth estimation: networks, stereo matching, edge-aligned upsampling, temporal stabilization; torch is used here."""
