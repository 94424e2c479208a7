"""Combines many views in one picture: Looking Glass quilts and lenticular prints; also pitch test strips."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.stereoformats import StereoFormat

__all__ = ["QUILT_SIZES", "fit_into", "interlace", "lenticular_size", "pitch_test", "quilt", "quilt_grid"]

# Quilt sizes recommended by Looking Glass for its displays; they divide evenly into tiles.
QUILT_SIZES = {
    "quilt-portrait": Size(3360, 3360),
    "quilt-go": Size(4092, 4092),
    "quilt-16": Size(5999, 5999),
    "quilt-32": Size(8190, 8190),
}


def quilt_grid(layout: StereoFormat) -> tuple[int, int, float]:
    """Columns, rows and display aspect from the tag of a quilt's file name ("_qs8x6a0.75").

    Raises ``InvalidInput`` if the format is not a quilt format.
    """
    found = re.fullmatch(r"_qs(\d+)x(\d+)a([\d.]+)", layout.tag)
    if found is None:
        raise InvalidInput(f"{layout.name} is not a quilt format")
    return int(found[1]), int(found[2]), float(found[3])


def fit_into(image: Image, size: Size) -> tuple[Image, tuple[int, int]]:
    """Scale the picture to fit ``size``; also return the upper left corner (x, y) that centers it there."""
    scale = min(size.width / image.size.width, size.height / image.size.height)
    inner = Size(
        min(size.width, max(1, round(image.size.width * scale))),
        min(size.height, max(1, round(image.size.height * scale))),
    )
    return image.resized(inner), ((size.width - inner.width) // 2, (size.height - inner.height) // 2)


def quilt(views: Iterable[Image], columns: int, rows: int, tile: Size, corner: tuple[int, int]) -> Image:
    """Arrange views in tiles of one size: view 0 (leftmost) at the bottom left, the last one at the top right.

    Parameters
    ----------
    views : Iterable[Image]
        Columns * rows pictures, leftmost first, at most of size ``tile``.
    corner : tuple[int, int]
        Upper left corner (x, y) of each picture in its tile; the rest is black.
    """
    whole = np.zeros((rows * tile.height, columns * tile.width, 3), np.uint8)
    count = 0
    for count, view in enumerate(views, start=1):
        row, column = divmod(count - 1, columns)
        top = (rows - 1 - row) * tile.height + corner[1]
        left = column * tile.width + corner[0]
        pixels = view.eight_bit().pixels
        whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    if count != columns * rows:
        raise InvalidInput(f"quilt: {count} views, expected {columns * rows}")
    return Image(whole)


def lenticular_size(photo: Size, width_meters: float, dpi: float) -> Size:
    """Size in pixels of a print of this width with the photo's aspect ratio.

    Raises ``InvalidInput`` for more than 200 megapixels or fewer than 64 pixels across.
    """
    width = round(width_meters / 0.0254 * dpi)
    size = Size(width, max(1, round(width / photo.aspect)))
    if width < 64 or size.pixels > 200_000_000:
        raise InvalidInput(f"a print of {size} pixels: expected 64 pixels across to 200 megapixels; change `dpi`")
    return size


def interlace(views: Iterable[Image], count: int, size: Size, *, lpi: float, dpi: float) -> Image:
    """Interlace views for a lenticular sheet: under every lens one column of each view.

    A lens mirrors left and right, so the leftmost view is at the right under its lens. The pitch may be a fractional
    number of pixels: the view of each column is computed from its position under its lens, so errors do not add up.

    Parameters
    ----------
    views : Iterable[Image]
        ``count`` pictures, leftmost first; each is enlarged to ``size``.
    """
    place = (np.arange(size.width) + 0.5) * (lpi / dpi) % 1.0
    column_view = count - 1 - np.minimum((place * count).astype(int), count - 1)
    print_ = np.empty((size.height, size.width, 3), np.uint8)
    for number, view in enumerate(views):
        columns = np.flatnonzero(column_view == number)
        print_[:, columns] = view.eight_bit().resized(size).pixels[:, columns]
    return Image(print_)


def pitch_test(width_meters: float, *, lpi: float, dpi: float) -> Image:
    """Bands of black and white lines at pitches around ``lpi``; the band that looks uniform has the sheet's pitch."""
    width = round(width_meters / 0.0254 * dpi)
    band, margin = max(60, round(dpi * 0.18)), max(20, round(dpi * 0.02))
    pitches = lpi + np.arange(-10, 11) * 0.002 * lpi
    picture = np.full((len(pitches) * (band + margin) + margin, width, 3), 255, np.uint8)
    text = band / 60
    room = int(130 * text)
    for number, pitch in enumerate(pitches):
        top = margin + number * (band + margin)
        line = np.where((np.arange(width - room) + 0.5) * (pitch / dpi) % 1.0 < 0.5, 0, 255)
        picture[top : top + band, room:] = line[None, :, None]
        _write(picture, f"{pitch:.2f}", (int(8 * text), top + int(0.68 * band)), text)
    return Image(picture)


def _write(picture: NDArray[Any], text: str, place: tuple[int, int], scale: float) -> None:
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), max(1, round(2 * scale)), cv2.LINE_AA)
