"""What runs a network: torch, or OpenVINO. Neither is imported before it is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import ModelCard
from depth3d.errors import ModelError

__all__ = ["CPU_BATCH", "Engine", "cores", "identity", "open_engine"]

PRECISIONS = ("auto", "float32", "bfloat16")
CPU_BATCH = 4  # pictures that run side by side, each on its share of the threads


class Engine(Protocol):
    """Runs one network."""

    batch: int

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3, H, W) normalised -> (N, H', W') as the card's ``output`` says."""
        ...


def open_engine(
    card: ModelCard, path: Path | None, *, device: str, engine: str, threads: int | None, precision: str
) -> Engine:
    """The engine called ``engine`` with the network of ``card`` and the weights of ``path`` in it.

    Raises ``ModelError`` for an unknown engine, precision or device, or a checkpoint that does not fit.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"there is no precision {precision!r}: {', '.join(PRECISIONS)}")
    if engine == "torch":
        from depth3d.depth.engines.torch import TorchEngine

        return TorchEngine(card, path, device=device, threads=threads or cores(), precision=precision)
    if engine == "openvino":
        from depth3d.depth.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(card, path, threads=threads or cores(), precision=precision)
    raise ModelError(f"there is no engine {engine!r}: torch or openvino")


def identity(card: ModelCard, path: Path | None) -> str | None:
    """What tells these weights from others on this machine: name, size and time; None if they are no file."""
    if path is None:
        return None
    status = path.stat()
    return f"{card.name} {path.name} {status.st_size} {status.st_mtime_ns}"


def cores() -> int:
    """Threads for a network: OMP_NUM_THREADS if set, else the cores that this process may use."""
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
