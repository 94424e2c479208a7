"""Depth maps as triangle meshes and layers."""
