"""The exact sides of a map in a saved plot: past margin, remains of ticks, frame, and pixels mixed with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["OFF", "Box", "exact_sides"]

Box = tuple[int, int, int, int]

OFF = 14  # levels by which a pixel differs from the background
_OUTWARD, _INWARD = 6, 0.12  # px, and share of the box: where a side is looked for
_THIN = 4  # rows that may be frame or mixed with it
_MIXED = 0.88  # a row with less than this share of the row inside is mixed with something else
_EVEN = 6.0  # levels: less variation along a row says nothing about mixtures


def exact_sides(pixels: NDArray[np.uint8], box: Box, background: NDArray[np.int16]) -> Box:
    """Return (x, y, width, height) of the map alone.

    Parameters
    ----------
    pixels : NDArray[np.uint8]
        (H, W, 3), the whole plot.
    box : tuple[int, int, int, int]
        About where the map is.
    background : NDArray[np.int16]
        (3,), the color around it.
    """
    for _ in range(2):  # the second time along exact sides
        x, y, wide, tall = box
        sides = []
        for turned in range(4):
            view = np.rot90(pixels, turned)
            height, width = pixels.shape[:2]
            across = (x, y, width - x - wide, height - y - tall)[turned]
            down = (y, width - x - wide, height - y - tall, x)[turned]
            length, depth = ((wide, tall), (tall, wide))[turned % 2]
            sides.append(_side(view, down, depth, slice(across, across + length), background))
        top, right, bottom, left = sides
        new = (left, top, pixels.shape[1] - right - left, pixels.shape[0] - bottom - top)
        if min(new[2:]) < 16:
            return box
        box = new
    return box


def _side(view: NDArray[np.uint8], start: int, depth: int, columns: slice, background: NDArray[np.int16]) -> int:
    """Return the first row of the map that begins about at row ``start`` and is ``depth`` rows high."""
    inset = max(2, (columns.stop - columns.start) // 30)
    columns = slice(columns.start + inset, columns.stop - inset)
    first = max(0, start - _OUTWARD)
    last = start + max(_OUTWARD, int(_INWARD * depth), int(_INWARD / 2 * max(view.shape)))
    last = min(last, start + depth // 3)
    rows = view[first : start + depth // 2 + 1, columns].astype(np.int16)
    off = (np.abs(rows - background).max(axis=2) > OFF).mean(axis=1)
    reach = last - first
    usual = float(np.median(off[reach:])) if len(off) > reach else 1.0
    full = np.flatnonzero(off[:reach] >= 0.5 * usual)
    if not len(full):
        return start
    # Letters and ticks beyond a gap belong to the margin: the map begins where all rows from here on are full.
    empty = np.flatnonzero(off[:reach] < 0.25 * usual)
    inside = int(full[0])
    later = empty[empty > inside]
    if len(later) and len(full[full > later[-1]]):
        inside = int(full[full > later[-1]][0])
    colors = rows.astype(np.float32)
    for row in range(min(inside + _THIN, len(colors) - 6), inside - 1, -1):
        if _mixed(colors, row):
            return first + row + 1
    return first + inside


def _mixed(colors: NDArray[Any], row: int) -> bool:
    """Return True if a row is the next ones with an even color mixed in."""
    line = colors[row]
    for step in (1, 2):
        inner = colors[row + step]
        varied = float(inner.std(axis=0).mean())
        change = float(np.abs(line.mean(axis=0) - inner.mean(axis=0)).max())
        usual = float(np.abs(colors[row + step + 2].mean(axis=0) - inner.mean(axis=0)).max())
        if varied > _EVEN:
            about = inner - inner.mean(axis=0)
            slope = float((about * (line - line.mean(axis=0))).sum() / (about**2).sum())
            left = line - line.mean(axis=0) - slope * about
            if slope < _MIXED and float((left**2).mean()) ** 0.5 < max(5.0, 0.35 * (1 - slope) * varied):
                return True
        if change > 12 and change > 3 * usual and float((line - inner).std(axis=0).mean()) < 0.4 * change:
            return True
    return False
