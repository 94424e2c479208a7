"""Depth becomes sheets of triangles, torn at silhouettes and filled behind; and paths for the camera."""
