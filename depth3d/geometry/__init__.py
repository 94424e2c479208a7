"""Builds layered meshes with a filled background from depth maps, and camera paths to view them."""
