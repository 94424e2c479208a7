"""Open an inference engine by name. An engine's libraries are imported only when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.base import Engine, cores
from depth3d.errors import ModelError

__all__ = ["ENGINES", "PRECISIONS", "open_engine"]

PRECISIONS = ("auto", "float32", "bfloat16")
ENGINES = {
    "torch": "depth3d.depth.engines.torch:TorchEngine",
    "openvino": "depth3d.depth.engines.openvino:OpenVinoEngine",
    "onnxruntime": "depth3d.depth.engines.onnx.runtime:OnnxRuntimeEngine",  # `tiny` only, see `ModelCard.graph`
    "opencv": "depth3d.depth.engines.opencv:OpenCvEngine",  # the same networks
    "onnx": "depth3d.depth.engines.onnx.file:OnnxEngine",  # used for every .onnx file, whatever engine is asked for
}
"""Name of the engine -> "module:class". The class takes (card, path, device=, threads=, precision=)."""


def open_engine(
    card: ModelCard,
    path: Path | None,
    *,
    device: str,
    engine: str,
    threads: int | None,
    precision: str,
    many: bool = False,
) -> Engine:
    """Load the network of ``card`` with the weights at ``path`` into the engine called ``engine``.

    "auto" is OpenCV for a network that it can run on the CPU, which saves the import of torch; for ``many`` pictures
    onnxruntime, which starts 0.2 s later and takes two thirds of the time, if it can be imported; else torch.

    Raises
    ------
    ModelError
        If the engine, precision or device is unknown, or the checkpoint is of another network.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"unknown precision {precision!r}; expected one of {', '.join(PRECISIONS)}")
    if path is not None and path.suffix.lower() == ".onnx":
        engine = "onnx"
    settings: dict[str, Any] = {"device": device, "threads": threads or cores(), "precision": precision}
    if engine == "auto":
        if card.graph is not None and path is not None and device in ("auto", "cpu") and precision != "bfloat16":
            if many and _can_import("onnxruntime"):
                return _open("onnxruntime", card, path, settings)
            opened: Any = _open("opencv", card, path, settings)
            opened.falls_back = True
            return cast(Engine, opened)
        engine = "torch"
    if engine not in ENGINES:
        raise ModelError(f"unknown engine {engine!r}; expected auto or one of {', '.join(ENGINES)}")
    return _open(engine, card, path, settings)


def _can_import(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:  # not built for this platform, or a library of the system is missing
        return False
    return True


def _open(engine: str, card: ModelCard, path: Path | None, settings: Mapping[str, Any]) -> Engine:
    module, _, name = ENGINES[engine].partition(":")
    opened: Engine = getattr(import_module(module), name)(card, path, **settings)
    return opened
