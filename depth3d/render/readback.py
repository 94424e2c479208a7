"""Copies a framebuffer from the GPU to a numpy array."""

from __future__ import annotations

from typing import Any

import numpy as np

from depth3d.image import Image

__all__ = ["read_image"]


def read_image(target: Any, *, alpha: bool = False) -> Image:
    """Read a framebuffer whose row 0 is the picture's top row; alpha on request."""
    width, height = target.size
    channels = 4 if alpha else 3
    raw = np.frombuffer(target.read(components=channels, alignment=1), np.uint8).reshape(height, width, channels)
    return Image(raw[..., :3], raw[..., 3] if alpha else None)
