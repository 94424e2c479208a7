"""Load checkpoint files into networks strictly: no missing, unknown or misshapen tensors, and no code execution."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from depth3d.depth.card import ModelCard
from depth3d.depth.identify import identify
from depth3d.errors import ModelError, WeightsError

__all__ = ["build", "load", "load_network", "read", "recognize"]


def build(card: ModelCard, *, fill: bool = False) -> nn.Module:
    """Build the network of ``card`` in evaluation mode.

    If the card has a weights file, the parameters stay uninitialized unless ``fill`` is true.
    """
    function = card.build
    if isinstance(function, str):
        module, _, name = function.partition(":")
        function = getattr(import_module(module), name)
    if card.weights is None or fill:
        network = function(card)
    else:
        with _NoRandomFill():
            network = function(card)
    return cast(nn.Module, network).eval().requires_grad_(False)


def read(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint file by name, without executing code from the file.

    Raises ``WeightsError`` if the file is missing, damaged, or contains anything but tensors.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file; check the path")
    try:
        if _is_safetensors(path):
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except Exception as error:
        raise WeightsError(f"{path}: not a readable checkpoint: {_reason(error)}") from error
    for key in ("model", "state_dict"):  # a training checkpoint: the network is one entry among others
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path}: not a checkpoint: it holds other things than named tensors")
    for key, tensor in state.items():
        kind = _unusable(tensor)
        if kind is not None:
            raise WeightsError(f"{path}: tensor {key} is {kind}, expected a dense tensor")
    named = {str(key).removeprefix("module."): value for key, value in state.items()}
    if "backbone.embeddings.cls_token" in named and "head.conv1.weight" in named:
        from depth3d.depth.models.depth_anything import from_transformers

        return from_transformers(named)
    return named


def load(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Load the tensors of ``state`` (official keys) into ``network``, after applying its ``renames`` and ``ignored``.

    Raises ``ModelError``, naming the tensors that are missing, unexpected or of another shape, and ``WeightsError`` for
    a tensor of a wrong type.
    """
    renames = [(re.compile(pattern), new) for pattern, new in getattr(network, "renames", ())]
    ignored = [re.compile(pattern) for pattern in getattr(network, "ignored", ())]
    wanted = network.state_dict()
    given: dict[str, Tensor] = {}
    unexpected: list[str] = []
    for official, tensor in state.items():
        if any(pattern.fullmatch(official) for pattern in ignored):
            continue
        key = official
        for pattern, new in renames:
            key = pattern.sub(new, key)
        if key in wanted:
            given[key] = tensor
        else:
            unexpected.append(official)
    missing = [key for key in wanted if key not in given and not key.endswith("num_batches_tracked")]
    wrong = [
        f"{key} is {tuple(given[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in given
        if given[key].shape != wanted[key].shape
    ]
    for key, tensor in given.items():
        if wanted[key].is_floating_point() != tensor.is_floating_point():
            raise WeightsError(f"{name}: tensor {key} has type {_kind(tensor)}, expected {_kind(wanted[key])}")
    faults = [*_listed("missing", missing), *_listed("unexpected", unexpected), *_listed("of another shape", wrong)]
    if faults:
        raise ModelError(f"{name}: the checkpoint does not belong to this network (tensors {'; '.join(faults)})")
    network.load_state_dict(given, strict=False, assign=True)
    network.float().requires_grad_(False)


def load_network(card: ModelCard, path: Path | None) -> nn.Module:
    """Build the network of ``card`` on the CPU in float32 and load the weights at ``path`` (None: no file needed)."""
    network = build(card)
    if path is not None:
        load(network, read(path), f"{card.name} ({path.name})")
    return network


def recognize(state: Mapping[str, Tensor], cards: Iterable[ModelCard], path: Path) -> ModelCard:
    """Find the card of the network that ``state``, read from ``path``, belongs to; see `identify`."""
    return identify({key: tuple(tensor.shape) for key, tensor in state.items()}, cards, path)


def _listed(word: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return [f"{word}: {', '.join(names[:8])}{more}"]


def _unusable(tensor: Tensor) -> str | None:
    """Return the reason why a tensor cannot be a parameter; None if it can."""
    if tensor.is_quantized:
        return f"quantized ({_kind(tensor)})"
    if tensor.layout != torch.strided:
        return f"sparse ({str(tensor.layout).removeprefix('torch.')})"
    if tensor.is_meta:
        return "without values (meta)"
    return None


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _is_safetensors(path: Path) -> bool:
    """Whether the file is in safetensors format: it starts with the length of a JSON header and the header."""
    with path.open("rb") as file:
        start = file.read(9)
    length = int.from_bytes(start[:8], "little")
    return path.suffix == ".safetensors" or (start[8:] == b"{" and length < path.stat().st_size)


def _reason(error: Exception) -> str:
    line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    if "weights_only" in str(error) or "weights only" in str(error).lower():
        # torch's own message suggests disabling this protection.
        return "it is damaged, or contains Python objects other than tensors, which could run code; get it again"
    return line


class _NoRandomFill(TorchFunctionMode):
    """Skip random initialization: the checkpoint overwrites it, and it takes seconds for large networks."""

    _FILLS = frozenset({torch.Tensor.uniform_, torch.Tensor.normal_, torch.Tensor.erfinv_})

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in self._FILLS:
            return args[0]
        return func(*args, **(kwargs or {}))
