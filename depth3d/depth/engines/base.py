"""Shared by inference engines: their interface, the thread count, the identity of a weights file, ONNX graphs."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import ModelCard
from depth3d.errors import WeightsError
from depth3d.image import Size

__all__ = ["CPU_BATCH", "Engine", "cores", "identity", "read_graph"]

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


def read_graph(card: ModelCard, path: Path | None, size: Size) -> bytes:
    """Return ``card`` with the weights at ``path`` as an ONNX file for inputs of ``size``; see ``ModelCard.graph``.

    Raises ``WeightsError`` if the weights are of another network.
    """
    from safetensors import SafetensorError

    assert card.graph is not None
    module, _, name = card.graph.partition(":")
    try:
        file: bytes = getattr(import_module(module), name)(card, path, size)
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise WeightsError(f"{path}: not the weights of {card.name} ({error})") from error
    return file


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
