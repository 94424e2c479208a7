"""Runs work on chosen pixels in chunks, or on bands of rows: bounded memory for large pictures."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["BAND_PIXELS", "CACHED_PIXELS", "Band", "chunked", "return_freed_memory", "row_bands"]

Indices = NDArray[np.int64]
Result = TypeVar("Result")

THREADS = 2  # numpy releases the interpreter lock
_PIXELS = 50_000  # at a time
BAND_PIXELS = 4_000_000
CACHED_PIXELS = 300_000  # a few arrays of so many floats fit into the processor's cache


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
