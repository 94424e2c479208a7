"""Networks on torch: CPU or GPU, channels last, batch norms folded in, bfloat16 where it is native and harmless."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

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
from depth3d.depth.engines.precision import Run, Trial, decide, has_bfloat16
from depth3d.errors import ModelError

__all__ = ["TorchEngine", "load_network"]

GPU_BATCH = 8


def load_network(card: ModelCard, path: Path | None) -> nn.Module:
    """The network of ``card`` on the CPU in float32, with the weights of ``path``."""
    network = checkpoint.build(card)
    if path is not None:
        checkpoint.load(network, checkpoint.read(path), f"{card.name} ({path.name})")
    return network


class TorchEngine:
    """One network on one device; on the CPU the pictures of a batch run side by side, one forward pass each."""

    def __init__(self, card: ModelCard, path: Path | None, *, device: str, threads: int, precision: str) -> None:
        self.device = _device(device)
        self.threads = threads
        self._side_by_side = self.device.type == "cpu" and threads > 1
        self.batch = CPU_BATCH if self._side_by_side else 1 if self.device.type == "cpu" else GPU_BATCH
        self._pool = ThreadPoolExecutor(min(threads, CPU_BATCH)) if self._side_by_side else None
        network = load_network(card, path)
        if getattr(network, "foldable", False):
            fold_batch_norms(network)
        # The stubs of torch know no `memory_format` here.
        self.network: nn.Module = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._run: Run = self._exact
        trial = precision == "auto" and card.bfloat16 and _native_bfloat16(self.device)
        if trial or precision == "bfloat16":
            for name in getattr(network, "float32_parts", ()):
                _replace(network, name, _InFloat32(network.get_submodule(name)))
        if precision == "bfloat16":
            self._settle(True)
            self._run = self._quick
        elif trial:
            known = identity(card, path)
            who = None if known is None else f"torch {torch.__version__} {self.device} {known}"
            self._run = Trial(self._exact, self._quick, who, self._settle)
        else:
            self._settle(False)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3, H, W) normalised float32 -> (N, H', W') float32."""
        if self._pool is None or len(inputs) == 1:
            return self._limited(inputs, self.threads)
        # One thread for each picture beats all threads for one: none waits for another within a layer, and where
        # other work shares the cores, none burns time in waiting. In order as long as bfloat16 is undecided.
        found, waiting = decide(self._run, lambda one: self._limited(one, self.threads), inputs)
        share = self.threads // min(self.threads, CPU_BATCH)
        found += self._pool.map(lambda one: self._limited(one[None], share), waiting)
        return np.concatenate(found)

    def _limited(self, inputs: NDArray[np.float32], threads: int) -> NDArray[np.float32]:
        """Run on so many threads; the number is a property of the calling thread."""
        before = torch.get_num_threads()
        if self.device.type == "cpu" and before != threads:
            torch.set_num_threads(threads)
        try:
            return self._run(inputs)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                "the GPU has too little memory for this network; use --device cpu or a smaller one"
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

    def _settle(self, quick: bool) -> None:
        """Once the precision is decided: bfloat16 weights are stored, not converted in every run; float32 is packed."""
        if not quick:
            self._pack()
            return
        kept = {id(part) for wrap in self.network.modules() if isinstance(wrap, _InFloat32) for part in wrap.modules()}
        for module in self.network.modules():
            if type(module) in (nn.Linear, nn.Conv2d, nn.ConvTranspose2d) and id(module) not in kept:
                module.to(torch.bfloat16)

    def _pack(self) -> None:
        """The network is to run in float32 for good."""
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
    """Runs ``module`` in float32 inside of a bfloat16 network."""

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
