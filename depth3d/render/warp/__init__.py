"""Screen-space renderers: a picture and its depth warped without a mesh."""
