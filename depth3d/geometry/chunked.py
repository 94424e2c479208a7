"""Work on chosen pixels, some at a time: large pictures need no large tables, and two cores share them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["in_parts"]

Indices = NDArray[np.int64]
Result = TypeVar("Result")

THREADS = 2  # numpy lets go of the interpreter's lock
_PIXELS = 50_000  # at a time


def in_parts(work: Callable[[Indices], Result], places: Indices, pixels: int = _PIXELS) -> list[Result]:
    """``work`` on ``places`` (flat indices), ``pixels`` of them at a time; results in order.

    Two parts run at once: each may only write pixels of its own.
    """
    parts = [places[start : start + pixels] for start in range(0, len(places), pixels)]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, parts))
