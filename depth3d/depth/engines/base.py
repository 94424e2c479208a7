"""What the engines share: their interface, thread counts and the identity of a weights file."""

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
    """Runs one network. ``batch``: how many images one call handles best."""

    batch: int

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3, H, W) normalized -> (N, H', W') in the unit of the card's ``output``."""
        ...


def identity(card: ModelCard, path: Path | None) -> str | None:
    """Key of a weights file on this machine: name, size and modification time; None without a file."""
    if path is None:
        return None
    status = path.stat()
    return f"{card.name} {path.name} {status.st_size} {status.st_mtime_ns}"


def cores() -> int:
    """Number of threads for a network: OMP_NUM_THREADS if set, else the cores that this process may use."""
    wish = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if wish.isdigit() and int(wish) > 0:
        return int(wish)
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(own, _quota() or own))


def _quota() -> int | None:
    """The cores that the container may use (cgroup v2), or None for no limit."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, int(limit) // int(period))
    except (OSError, ValueError):
        return None
