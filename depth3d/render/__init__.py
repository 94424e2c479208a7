"""Sheets and a camera become pictures, on the GPU. The only room that imports moderngl."""
