"""Keeps SVT-AV1 from making this process real-time, which root would get, and from printing a page about itself."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["kept_scheduling"]

# Errors only. It prints to the terminal itself, past FFmpeg's log.
os.environ.setdefault("SVT_LOG", "1")


@contextlib.contextmanager
def kept_scheduling() -> Iterator[None]:
    """Schedule threads after this block as before it, and new ones as the calling thread; Linux only.

    libsvtav1 asks for the highest real-time priority (SCHED_FIFO, 99), for the thread that opens it, too, and whatever
    that starts later inherits it. Root gets it, in containers as well: then nothing else on the machine runs.
    """
    if not hasattr(os, "sched_setscheduler") or not Path("/proc/self/task").is_dir():
        yield
        return
    before, own = _policies(), os.sched_getscheduler(0)
    parameter = os.sched_getparam(0)
    try:
        yield
    finally:
        for thread, policy in _policies().items():
            if before.get(thread, own) == own and policy != own:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.sched_setscheduler(thread, own, parameter)


def _policies() -> dict[int, int]:
    """The scheduling policy of each thread of this process."""
    found = {}
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has ended
            found[int(thread.name)] = os.sched_getscheduler(int(thread.name))
    return found
