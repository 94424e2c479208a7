"""Screen-space renderers, which warp a picture by its depth without a mesh."""
