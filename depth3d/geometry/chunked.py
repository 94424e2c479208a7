"""Runs work on chosen pixels in chunks, on bands of rows, or on the parts of a picture that need it."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BAND_PIXELS",
    "CACHED_PIXELS",
    "PART_MULTIPLE",
    "Band",
    "Part",
    "chunked",
    "parts_around",
    "return_freed_memory",
    "row_bands",
]

Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]
Result = TypeVar("Result")

THREADS = 2  # numpy releases the interpreter lock
_PIXELS = 50_000  # at a time
BAND_PIXELS = 4_000_000
CACHED_PIXELS = 300_000  # a few arrays of so many floats fit into the processor's cache
PART_MULTIPLE = 12  # pixels: parts of a picture begin and end at multiples of so many rows and columns
_UNDIVIDED = 60_000  # pixels


class Band(NamedTuple):
    """A band of rows of a picture, with more rows on both sides that its computation reads.

    Parameters
    ----------
    read : slice
        Rows of the picture that are read.
    inside : slice
        The rows of the band among those read.
    rows : slice
        The rows of the band in the picture.
    """

    read: slice
    inside: slice
    rows: slice


def row_bands(
    shape: tuple[int, ...], halo: int, *, least: int = 64, multiple: int = 1, pixels: int | None = None
) -> Iterator[Band]:
    """Split a picture into bands of about ``pixels``; results in a band need ``halo`` more rows on both sides.

    Parameters
    ----------
    shape : tuple[int, ...]
        Of the picture: height and width first.
    halo : int
        Rows read above and below each band, as far as the picture has them.
    least : int
        Fewest rows of a band (the last one may have fewer).
    multiple : int
        Bands and halos start at multiples of this row, for work on a grid.
    pixels : int | None
        About the size of a band; None = ``BAND_PIXELS``.
    """
    height, width = shape[:2]
    step = max(least, (pixels or BAND_PIXELS) // width) // multiple * multiple or multiple
    for top in range(0, height, step):
        bottom = min(top + step, height)
        first = max(0, (top - halo) // multiple * multiple)
        yield Band(slice(first, min(height, bottom + halo)), slice(top - first, bottom - first), slice(top, bottom))


class Part(NamedTuple):
    """A rectangle of a picture, with more pixels all around that its computation reads: rows and columns of each.

    Parameters
    ----------
    read : tuple[slice, slice]
        Pixels of the picture that are read.
    inside : tuple[slice, slice]
        The pixels of the part among those read.
    at : tuple[slice, slice]
        The pixels of the part in the picture.
    """

    read: tuple[slice, slice]
    inside: tuple[slice, slice]
    at: tuple[slice, slice]


def parts_around(mask: Mask, reach: int, halo: int, side: int = 96) -> list[Part]:
    """Cover the pixels of a mask and all within ``reach`` of them by rectangles that do not overlap.

    Work around outlines costs as much as there are outlines, not as much as there are pixels, and stays in the cache.

    Parameters
    ----------
    mask : Mask
        (H, W).
    reach : int
        Rows and columns.
    halo : int
        More rows and columns that are read on all sides, as far as the picture has them.
    side : int
        Pixels: parts are about so high, and no nearer to each other sideways.
    """
    height, width = mask.shape
    if mask.size <= _UNDIVIDED:
        return [_part((0, height), (0, width), halo, mask.shape)]
    cells = _any_of(_any_of(mask.view(np.uint8)).T).T
    cells = np.asarray(cv2.dilate(cells, np.ones((2 * -(-reach // PART_MULTIPLE) + 1,) * 2, np.uint8)))
    step, gap = (max(side, times * halo) // PART_MULTIPLE for times in (4, 2))
    strips = np.maximum.reduceat(cells, np.arange(0, len(cells), step))
    strips = np.asarray(cv2.morphologyEx(strips, cv2.MORPH_CLOSE, np.ones((1, gap + 1), np.uint8)))
    changes = np.diff(np.pad(strips, ((0, 0), (1, 1))).view(np.int8), axis=1)
    starts, stops = np.argwhere(changes == 1).tolist(), np.nonzero(changes == -1)[1].tolist()
    found = []
    for (strip, left), right in zip(starts, stops, strict=True):
        first = strip * step
        needed = np.flatnonzero(cells[first : first + step, left:right].any(1)) + first
        rows, columns = (int(needed[0]), int(needed[-1]) + 1), (left, right)
        found.append(_part(rows, columns, halo, mask.shape))
    return found


def _any_of(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pool every ``PART_MULTIPLE`` rows to one; whole rows at a time, which is many times as fast as a reduction."""
    found = rows[::PART_MULTIPLE].copy()
    for start in range(1, min(PART_MULTIPLE, len(rows))):
        more = rows[start::PART_MULTIPLE]
        found[: len(more)] |= more
    return found


def _part(rows: tuple[int, int], columns: tuple[int, int], halo: int, shape: tuple[int, ...]) -> Part:
    """The part of these rows and columns, first and last + 1, counted in ``PART_MULTIPLE`` pixels."""
    read, inside, at = [], [], []
    for ends, side in zip((rows, columns), shape, strict=True):
        start, end = (min(place * PART_MULTIPLE, side) for place in ends)
        first = max(0, start - halo)
        read.append(slice(first, min(side, end + halo)))
        inside.append(slice(start - first, end - first))
        at.append(slice(start, end))
    return Part((read[0], read[1]), (inside[0], inside[1]), (at[0], at[1]))


def return_freed_memory() -> None:
    """Give freed memory back to the system (glibc only; elsewhere it does nothing).

    The C library keeps freed blocks of up to 32 MB, for every thread its own: over the bands of a large picture that
    adds up to hundreds of megabytes.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def chunked(work: Callable[[Indices], Result], places: Indices, pixels: int = _PIXELS) -> list[Result]:
    """Call ``work`` on ``places`` (flat indices), ``pixels`` of them at a time; return the results in order.

    Two chunks run at once, so ``work`` may only write its own pixels.
    """
    parts = [places[start : start + pixels] for start in range(0, len(places), pixels)]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, parts))
