"""Inference with torch on CPU or GPU: channels last, folded batch norms, bfloat16 where it is native and accurate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from depth3d.depth import checkpoint
from depth3d.depth.card import ModelCard
from depth3d.depth.engines.base import CPU_BATCH, identity
from depth3d.depth.engines.cpu.packed import can_pack
from depth3d.depth.engines.cpu.packing import pack
from depth3d.depth.engines.fold import fold_batch_norms
from depth3d.depth.engines.precision import PrecisionProbe, Run, has_bfloat16, run_until_decided
from depth3d.errors import ModelError

__all__ = ["TorchEngine", "choose_device"]

GPU_BATCH = 8


class TorchEngine:
    """Run one network on one device; on the CPU the images of a batch run in parallel, one forward pass each."""

    def __init__(self, card: ModelCard, path: Path | None, *, device: str, threads: int, precision: str) -> None:
        self.device = choose_device(device)
        self.threads = threads
        self._side_by_side = self.device.type == "cpu" and threads > 1
        self.batch = CPU_BATCH if self._side_by_side else 1 if self.device.type == "cpu" else GPU_BATCH
        self._pool = ThreadPoolExecutor(min(threads, CPU_BATCH)) if self._side_by_side else None
        network = checkpoint.load_network(card, path)
        if getattr(network, "foldable", False):
            fold_batch_norms(network)
        # Typed as Any, because torch's stubs accept `memory_format` here only since version 2.14.
        move: Any = network.to(self.device).to
        self.network: nn.Module = move(memory_format=torch.channels_last)
        self._run: Run = self._exact
        probe = precision == "auto" and card.bfloat16 and _native_bfloat16(self.device)
        if probe or precision == "bfloat16":
            for name in getattr(network, "float32_parts", ()):
                _replace(network, name, _InFloat32(network.get_submodule(name)))
        if precision == "bfloat16":
            self._on_decided(True)
            self._run = self._quick
        elif probe:
            known = identity(card, path)
            key = None if known is None else f"torch {torch.__version__} {self.device} {known}"
            self._run = PrecisionProbe(self._exact, self._quick, key, self._on_decided)
        else:
            self._on_decided(False)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network: (N, 3, H, W) normalized float32 -> (N, H', W') float32, in the card's unit."""
        if self._pool is None or len(inputs) == 1:
            return self._limited(inputs, self.threads)
        # One thread per image is faster than all threads on one image, since threads do not wait for each other
        # within a layer. Until the precision is decided, images run one after another.
        found, waiting = run_until_decided(self._run, lambda one: self._limited(one, self.threads), inputs)
        share = self.threads // min(self.threads, CPU_BATCH)
        found += self._pool.map(lambda one: self._limited(one[None], share), waiting)
        return np.concatenate(found)

    def run_clip(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run a network for clips: (T, 3, H, W) consecutive frames -> (T, H, W) maps."""
        before = torch.get_num_threads()
        if self.device.type == "cpu":
            torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                found: NDArray[np.float32] = (
                    self.network(torch.from_numpy(inputs).to(self.device), len(inputs)).float().cpu().numpy()
                )
                return found
        finally:
            torch.set_num_threads(before)

    def _limited(self, inputs: NDArray[np.float32], threads: int) -> NDArray[np.float32]:
        """Run with ``threads`` torch threads; torch keeps this number per calling thread."""
        before = torch.get_num_threads()
        if self.device.type == "cpu" and before != threads:
            torch.set_num_threads(threads)
        try:
            return self._run(inputs)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                "the GPU has too little memory for this network; use `device='cpu'` or a smaller one"
            ) from error
        finally:
            torch.set_num_threads(before)

    def _exact(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            x = torch.from_numpy(inputs).to(self.device).contiguous(memory_format=torch.channels_last)
            found: NDArray[np.float32] = self.network(x).float().cpu().numpy()
            return found

    def _quick(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.autocast(self.device.type, torch.bfloat16):
            return self._exact(inputs)

    def _on_decided(self, quick: bool) -> None:
        """Prepare the weights for the decided precision: converted to bfloat16 once, or packed in float32."""
        if not quick:
            self._pack()
            return
        kept = {id(part) for wrap in self.network.modules() if isinstance(wrap, _InFloat32) for part in wrap.modules()}
        for module in self.network.modules():
            if type(module) in (nn.Linear, nn.Conv2d, nn.ConvTranspose2d) and id(module) not in kept:
                module.to(torch.bfloat16)

    def _pack(self) -> None:
        """Pack the weights for the CPU. Call it only for a network that stays in float32."""
        if self.device.type != "cpu" or not can_pack():
            return
        for name, wrap in list(self.network.named_modules()):
            if isinstance(wrap, _InFloat32):
                _replace(self.network, name, wrap.module)
        for part in getattr(self.network, "packable", ()):
            pack(self.network.get_submodule(part))


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)


class _InFloat32(nn.Module):
    """Run ``module`` in float32 inside a bfloat16 network."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor:
        with torch.autocast(inputs[0].device.type, enabled=False):
            return cast(Tensor, self.module(*(x if x.dtype == torch.float64 else x.float() for x in inputs)))


def _native_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    return device.type == "cpu" and has_bfloat16()


def choose_device(name: str) -> torch.device:
    """Return the device with this name; "auto" is a GPU if there is one. Raises ``ModelError`` for other names."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"unknown device {name!r}; expected auto, cpu, cuda, cuda:1 ... or mps") from error
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, False):
        raise ModelError(
            f"device {name!r} is not available: this machine or this build of torch does not support it; use 'cpu'"
        )
    return device
