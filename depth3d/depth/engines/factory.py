"""Open an inference engine by name. An engine's libraries are imported only when it is opened."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.base import Engine, cores
from depth3d.errors import ModelError

__all__ = ["ENGINES", "PRECISIONS", "open_engine"]

PRECISIONS = ("auto", "float32", "bfloat16")
ENGINES = {
    "torch": "depth3d.depth.engines.torch:TorchEngine",
    "openvino": "depth3d.depth.engines.openvino:OpenVinoEngine",
    "onnx": "depth3d.depth.engines.onnx:OnnxEngine",  # chosen by the file
}
"""Name of the engine -> "module:class". The class takes (card, path, device=, threads=, precision=)."""


def open_engine(
    card: ModelCard, path: Path | None, *, device: str, engine: str, threads: int | None, precision: str
) -> Engine:
    """Load the network of ``card`` with the weights at ``path`` into the engine called ``engine``.

    Raises
    ------
    ModelError
        For an unknown engine, precision or device, or a checkpoint of another network.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"unknown precision {precision!r}; expected one of {', '.join(PRECISIONS)}")
    if path is not None and path.suffix.lower() == ".onnx":
        engine = "onnx"
    if engine not in ENGINES:
        raise ModelError(f"unknown engine {engine!r}; expected one of {', '.join(ENGINES)}")
    module, _, name = ENGINES[engine].partition(":")
    opened: Engine = getattr(import_module(module), name)(
        card, path, device=device, threads=threads or cores(), precision=precision
    )
    return opened
