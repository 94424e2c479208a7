"""Progress bar with remaining time, only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(title: str, *, quiet: bool, unit: str = "frame") -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that updates a progress bar; no bar without a terminal or with ``quiet``."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from tqdm import tqdm

    meter = tqdm(desc=title, unit=unit, leave=False, dynamic_ncols=True, file=sys.stderr)

    def update(done: int, total: int) -> None:
        meter.total = total
        meter.update(done - meter.n)

    try:
        yield update
    finally:
        meter.close()
