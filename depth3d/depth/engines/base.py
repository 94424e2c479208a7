"""Shared by all inference engines: their interface, the thread count and the identity of a weights file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import ModelCard

__all__ = ["CPU_BATCH", "Engine", "cores", "identity"]

CPU_BATCH = 4  # images that run in parallel on a CPU, each on its share of the threads


class Engine(Protocol):
    """One network, ready to run. ``batch`` = number of images that one call handles best."""

    batch: int

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network: (N, 3, H, W) normalized images -> (N, H', W') maps in the unit of the card's ``output``."""
        ...


def identity(card: ModelCard, path: Path | None) -> str | None:
    """Return a key of a weights file: name, size in bytes and modification time; None without a file."""
    if path is None:
        return None
    status = path.stat()
    return f"{card.name} {path.name} {status.st_size} {status.st_mtime_ns}"


def cores() -> int:
    """Return the number of threads for a network: OMP_NUM_THREADS if set, else the cores that this process may use."""
    requested = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if requested.isdigit() and int(requested) > 0:
        return int(requested)
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(available, _quota() or available))


def _quota() -> int | None:
    """Return the number of cores that the container may use (cgroup v2), or None for no limit."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, int(limit) // int(period))
    except (OSError, ValueError):
        return None
