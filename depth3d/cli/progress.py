"""Progress bar with ETA on a terminal; nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(title: str, *, quiet: bool, unit: str = "frame") -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with (done, total); it draws on a terminal only, and never with ``quiet``."""
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
