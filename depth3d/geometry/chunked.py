"""Runs work on chosen pixels in chunks, on two threads: bounded memory for large pictures."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["chunked"]

Indices = NDArray[np.int64]
Result = TypeVar("Result")

THREADS = 2  # numpy releases the interpreter lock
_PIXELS = 50_000  # at a time


def chunked(work: Callable[[Indices], Result], places: Indices, pixels: int = _PIXELS) -> list[Result]:
    """Call ``work`` on ``places`` (flat indices), ``pixels`` of them at a time; return the results in order.

    Two chunks run at once, so ``work`` may only write its own pixels.
    """
    parts = [places[start : start + pixels] for start in range(0, len(places), pixels)]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, parts))
