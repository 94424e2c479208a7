"""Renders pictures from layered meshes and depth maps on the GPU. The only folder that imports moderngl."""
