"""Canvas of a stereo picture: both eyes keep their shape, black bars fill up what a screen's shape leaves."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidOption
from depth3d.image import Image, Size
from depth3d.stereoformats import StereoFormat
from depth3d.stereopair import StereoPair

__all__ = ["canvas_pair", "canvas_picture", "canvas_sizes", "check_canvas"]

# Packings that are one picture of an eye's size; bars go around it. Side by side and top-bottom get them in each half.
_EYES = ("side", "stack", "rows", "columns", "checker", "anaglyph", "file", "pair", "wiggle")


def canvas_sizes(canvas: str, eye: Size, pixel_aspect: Fraction = Fraction(1)) -> tuple[Size, Size]:
    """Return the size of an eye's picture and of the canvas around it, in square pixels.

    Parameters
    ----------
    canvas : str
        "WIDTH:HEIGHT" is a shape: the picture keeps its pixels. "WIDTHxHEIGHT" is a size: the picture is scaled to fit.
    eye : Size
        Pixels of the picture.
    pixel_aspect : Fraction
        Width over height of one of its pixels.
    """
    shown = Size(max(1, round(eye.width * pixel_aspect)), eye.height)
    if ":" in canvas:
        across, down = (int(side) for side in canvas.split(":"))
        inner = shown
        width = max(inner.width, math.ceil(inner.height * across / down - 1e-6))
        height = max(inner.height, math.ceil(inner.width * down / across - 1e-6))
        # A difference of a pixel or two is no other shape.
        width = inner.width if width - inner.width <= 2 else width + width % 2
        height = inner.height if height - inner.height <= 2 else height + height % 2
        return inner, Size(width, height)
    whole = Size(*(int(side) for side in canvas.lower().split("x"))).even()
    scale = min(whole.width / shown.width, whole.height / shown.height)
    inner = Size(max(1, round(shown.width * scale)), max(1, round(shown.height * scale))).even()
    return Size(min(inner.width, whole.width), min(inner.height, whole.height)), whole


def check_canvas(canvas: str | None, layout: StereoFormat) -> None:
    """Raise ``InvalidOption`` for a format that is not two eyes on a flat screen (VR, quilts, prints)."""
    if canvas is not None and (layout.packing not in _EYES or layout.name == "vr-photo"):
        raise InvalidOption("canvas", f"does not apply to the format {layout.name}, which has a shape of its own")


def canvas_pair(pair: StereoPair, canvas: str | None) -> StereoPair:
    """Return both eyes scaled and padded to ``canvas``; None leaves them as they are."""
    if canvas is None:
        return pair
    inner, whole = canvas_sizes(canvas, pair.size)
    eyes = (eye if eye.size == inner else eye.resized(inner) for eye in (pair.left, pair.right))
    left, right = (canvas_picture(eye, whole, (1, 1)) for eye in eyes)
    return StereoPair(left, right, pair.notes)


def canvas_picture(picture: Image, whole: Size, cells: tuple[int, int]) -> Image:
    """Return a packed picture with black around each of its ``cells`` (columns, rows), ``whole`` in all.

    The offset is even, so that interlaced rows and columns stay in theirs.
    """
    if picture.size == whole:
        return picture
    columns, rows = cells
    cell = Size(whole.width // columns, whole.height // rows)
    inner = Size(picture.size.width // columns, picture.size.height // rows)
    left, top = (cell.width - inner.width) // 4 * 2, (cell.height - inner.height) // 4 * 2

    def padded(plane: NDArray[np.generic], value: int) -> NDArray[np.generic]:
        filled = np.full((whole.height, whole.width, *plane.shape[2:]), value, plane.dtype)
        for row in range(rows):
            for column in range(columns):
                y, x = row * cell.height + top, column * cell.width + left
                from_y, from_x = row * inner.height, column * inner.width
                part = plane[from_y : from_y + inner.height, from_x : from_x + inner.width]
                filled[y : y + inner.height, x : x + inner.width] = part
        return filled

    full = np.iinfo(picture.pixels.dtype).max
    alpha = None if picture.alpha is None else padded(picture.alpha, int(full))
    return Image(padded(picture.pixels, 0), alpha, picture.focal_35mm, picture.notes)
