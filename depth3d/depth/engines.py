"""What runs a network: torch, or OpenVINO."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from depth3d.depth import checkpoint
from depth3d.depth.card import ModelCard
from depth3d.errors import ModelError

__all__ = ["Engine", "TorchEngine", "cores", "load_network", "open_engine"]

GPU_BATCH = 8


class Engine(Protocol):
    """Runs one network."""

    batch: int

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3, H, W) normalised -> (N, H', W') as the card's ``output`` says."""
        ...


def open_engine(card: ModelCard, path: Path | None, *, device: str, engine: str, threads: int | None) -> Engine:
    """The engine called ``engine`` with the network of ``card`` and the weights of ``path`` in it.

    Raises ``ModelError`` for an unknown engine, an unknown or missing device, or a checkpoint that does not fit.
    """
    if engine == "torch":
        return TorchEngine(card, load_network(card, path), device=device, threads=threads)
    raise ModelError(f"there is no engine {engine!r}: torch or openvino")


def load_network(card: ModelCard, path: Path | None) -> nn.Module:
    """The network of ``card`` on the CPU in float32, with the weights of ``path``."""
    network = checkpoint.build(card)
    if path is not None:
        checkpoint.load(network, checkpoint.read(path), f"{card.name} ({path.name})")
    return network


class TorchEngine:
    """torch on the CPU or a GPU."""

    def __init__(
        self, card: ModelCard, network: nn.Module, *, device: str = "auto", threads: int | None = None
    ) -> None:
        self.device = _device(device)
        self.threads = threads or cores()
        self.batch = 1 if self.device.type == "cpu" else GPU_BATCH
        # The stubs of torch know no `memory_format` here.
        self.network: nn.Module = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3, H, W) normalised float32 -> (N, H', W') float32."""
        before = torch.get_num_threads()
        if self.device.type == "cpu" and before != self.threads:
            torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                x = torch.from_numpy(inputs).to(self.device).contiguous(memory_format=torch.channels_last)
                found: NDArray[np.float32] = self.network(x).float().cpu().numpy()
                return found
        except torch.OutOfMemoryError as error:
            raise ModelError(
                "the GPU has too little memory for this network; use --device cpu or a smaller one"
            ) from error
        finally:
            torch.set_num_threads(before)


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


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"there is no device {name!r}: auto, cpu, cuda, cuda:1 ... or mps") from error
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, False):
        raise ModelError(f"the device {name!r} is not on this machine, or this build of torch cannot use it; use cpu")
    return device
