"""Keeps freed memory in the process while a clip is converted, so that the arrays of the next frame are made of it.

The C library of Linux returns blocks of a few megabytes, as pictures are, to the system as soon as they are freed. The
next frame gets new pages, each of which the system clears at its first use: a fifth of the time of depth edges.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from depth3d.geometry.chunked import return_freed_memory

__all__ = ["keep_freed_memory"]

# Parameters of mallopt(3). The largest allowed: beyond, blocks are always mapped and unmapped one by one.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_LARGEST_BLOCK, _PAD, _KEPT = 32 << 20, 64 << 20, 1 << 30
_USUAL_KEPT = 2 * _LARGEST_BLOCK  # what glibc itself comes to keep after it has seen blocks of the largest size


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Keep freed memory in the block; after it, return it to the system. Does nothing where the C library is not glibc.

    Who has set one of glibc's own variables (``MALLOC_TRIM_THRESHOLD_`` and others) keeps these settings.
    """
    library = _glibc()
    if library is None or any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        yield
        return
    for parameter, value in ((_MMAP_THRESHOLD, _LARGEST_BLOCK), (_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _PAD)):
        library.mallopt(parameter, value)
    try:
        yield
    finally:
        library.mallopt(_TRIM_THRESHOLD, _USUAL_KEPT)
        library.mallopt(_TOP_PAD, 0)
        return_freed_memory()


def _glibc() -> Any:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") else None
