"""Depth networks in ONNX files, ``model="FILE.onnx"``.

Size and layout of the input come from the file. Other settings are read from its metadata (keys
``depth3d.mean`` and so on) or from a JSON file beside it (``FILE.json``), for example::

    {"size": [384, 384], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "output": "inverse_depth"}

``mean`` and ``std`` (for values in [0, 1]) are required, because ONNX files do not contain them. Optional are ``size``
(for inputs of variable size), ``layout`` ("nchw" or "nhwc"), ``multiple``, ``keep_aspect``, ``output``
("inverse_depth", the default, "depth" or "log_depth") and ``metric`` (true: depth is in meters).
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeGuard, get_args

from depth3d.depth.card import UNCHANGED, InputRule, ModelCard, Normalization, Output, ShorterSideRule
from depth3d.depth.engines.onnx.file import open_onnx
from depth3d.errors import ModelError
from depth3d.image import Size
from depth3d.quantities import short

__all__ = ["card_for"]

_PREFIX = "depth3d."
_LARGEST_SIDE = 4096  # of an input, pixels
_KEYS = ("size", "mean", "std", "layout", "multiple", "keep_aspect", "output", "metric")
# Published files that normalize their input themselves.
_KNOWN = {"model-f6b98070.onnx": UNCHANGED, "model-small.onnx": UNCHANGED}


class FixedSize(InputRule):
    """One fixed input size, width x height in pixels, for images of any shape."""

    def __init__(self, size: Size, normalization: Normalization) -> None:
        super().__init__(max(size), keep_aspect=False, multiple=1, normalization=normalization)
        object.__setattr__(self, "fixed", size)

    def net_size(self, picture: Size) -> Size:
        """Return the fixed size."""
        fixed: Size = self.fixed  # type: ignore[attr-defined]
        return fixed


def card_for(path: Path) -> ModelCard:
    """Describe the ONNX file at ``path`` as a card; cached until the file or its sidecar changes.

    Raises
    ------
    ModelError
        If no runtime is installed, the file cannot be read, or a required setting is missing.
    """
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file; check the path")
    sidecar = path.with_suffix(".json")
    stamp = sidecar.stat().st_mtime_ns if sidecar.is_file() else 0
    return _card(path, path.stat().st_mtime_ns, sidecar, stamp)


@lru_cache(maxsize=4)
def _card(path: Path, _time: int, sidecar: Path, _stamp: int) -> ModelCard:
    model = open_onnx(path)
    facts = _facts(model.metadata, sidecar)
    layout = facts.get("layout") or _layout(model.shape)
    if layout not in ("nchw", "nhwc") or model.kind not in ("float", "float32", "f32", "float16", "f16"):
        raise ModelError(
            f"{path}: the input is {model.shape} of type {model.kind}, expected floats of shape (1, 3, H, W) or"
            " (1, H, W, 3)"
        )
    normalization = _KNOWN.get(path.name)
    if "mean" in facts and "std" in facts:
        normalization = Normalization(_three(path, facts["mean"]), _three(path, facts["std"]))
    if normalization is None:
        raise ModelError(
            f"{path}: the normalization of the input is not known; write it to {sidecar.name} beside the file, for"
            ' example {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, or mean 0 and std 1 for 0..1'
        )
    output = facts.get("output", "inverse_depth")
    if output not in get_args(Output):
        raise ModelError(f"{path}: `output` is {output!r}, expected one of {', '.join(get_args(Output))}")
    return ModelCard(
        name=path.name,
        build="depth3d.depth.onnx:card_for",  # never called: `OnnxEngine` reads the file
        weights=None,
        input=_rule(path, sidecar, model.shape, str(layout), facts, normalization),
        output=output,
        metric=bool(facts.get("metric", False)) and output == "depth",
        settings={"layout": layout},
        bfloat16=False,
        license="that of the file",
        source="ONNX file",
    )


def _facts(metadata: dict[str, str], sidecar: Path) -> dict[str, Any]:
    """Return the settings in the file's metadata, overridden by those of the sidecar."""
    facts: dict[str, Any] = {}
    for key in _KEYS:
        if _PREFIX + key in metadata:
            try:
                facts[key] = json.loads(metadata[_PREFIX + key])
            except (ValueError, RecursionError):
                facts[key] = metadata[_PREFIX + key]  # a string without quotes
    try:
        given = json.loads(sidecar.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return facts
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{sidecar}: not valid JSON ({error}); correct or delete the file") from error
    unknown = sorted(set(given) - set(_KEYS)) if isinstance(given, dict) else ["?"]
    if unknown:
        raise ModelError(f"{sidecar}: unknown entry {unknown[0]!r}; a JSON object may have {', '.join(_KEYS)}")
    facts.update(given)
    return facts


def _layout(shape: tuple[int | None, ...]) -> str:
    if len(shape) != 4:
        return ""
    return "nchw" if shape[1] == 3 else "nhwc" if shape[3] == 3 else ""


def _rule(
    path: Path,
    sidecar: Path,
    shape: tuple[int | None, ...],
    layout: str,
    facts: dict[str, Any],
    normalization: Normalization,
) -> InputRule:
    height, width = shape[2:4] if layout == "nchw" else shape[1:3]
    if height is not None and width is not None:
        return FixedSize(Size(width, height), normalization)
    size = facts.get("size")
    if isinstance(size, list) and len(size) == 2 and all(_is_side(side) for side in size):
        return FixedSize(Size(*size), normalization)
    multiple = facts.get("multiple", 32)
    if _is_side(size) and _is_side(multiple):
        if not facts.get("keep_aspect", True):
            return FixedSize(Size(size, size), normalization)
        return ShorterSideRule(size, multiple=multiple, normalization=normalization)
    raise ModelError(
        f"{path}: its input has a variable size; choose one in {sidecar.name} beside it:"
        ' "size": 384 (the shorter side, with "multiple": 32) or "size": [WIDTH, HEIGHT]'
    )


def _is_side(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_SIDE


def _three(path: Path, values: Any) -> tuple[float, float, float]:
    try:
        one, two, three = (float(value) for value in ([values] * 3 if isinstance(values, int | float) else values))
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"{path}: `mean` and `std` must be three numbers each, got {short(values)}") from None
    if not all(map(math.isfinite, (one, two, three))):
        raise ModelError(f"{path}: `mean` and `std` must be finite numbers, got {short(values)}")
    return one, two, three
