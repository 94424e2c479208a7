"""Converts depth maps to triangle meshes, layers and Gaussian splats."""
