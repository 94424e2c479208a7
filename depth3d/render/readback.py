"""Copies a framebuffer from the GPU to a numpy array."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from depth3d.image import Image, linear_to_srgb, rounded

__all__ = ["read_image", "read_light"]

_ROWS = 256  # converted at a time


def read_image(target: Any, *, alpha: bool = False) -> Image:
    """Read a framebuffer whose row 0 is the picture's top row; alpha on request."""
    width, height = target.size
    raw = np.frombuffer(target.read(components=4, alignment=1), np.uint8).reshape(height, width, 4)
    if alpha:
        return Image(raw[..., :3], raw[..., 3])
    # Mesa drops the fourth channel pixel by pixel, which takes nearly three times as long.
    return Image(np.asarray(cv2.cvtColor(raw, cv2.COLOR_RGBA2RGB), np.uint8))


def read_light(target: Any) -> Image:
    """Read a framebuffer of floats in linear light as a picture of 16 bits; row 0 is the picture's top row."""
    width, height = target.size
    light = np.frombuffer(target.read(components=3, alignment=1, dtype="f4"), np.float32).reshape(height, width, 3)
    pixels = np.empty(light.shape, np.uint16)
    for top in range(0, height, _ROWS):
        rows = slice(top, top + _ROWS)
        pixels[rows] = rounded(linear_to_srgb(light[rows]) * np.float32(65535), pixels.dtype)
    return Image(pixels)
