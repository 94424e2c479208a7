"""Inference with onnxruntime on the CPU, for networks that describe themselves as an ONNX graph (``ModelCard.graph``).

It takes two thirds of OpenCV's time for the built-in network, and a tenth of a second to import where torch takes two.
"""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.base import CPU_BATCH, read_graph
from depth3d.errors import ModelError, in_words
from depth3d.image import Size

__all__ = ["OnnxRuntimeEngine", "import_runtime"]

_KEPT = 4  # networks (one per input size and number of threads) held in memory


def import_runtime() -> Any:
    """Import onnxruntime; its builds for Windows would report to their maker how they are used."""
    runtime: Any = importlib.import_module("onnxruntime")
    runtime.disable_telemetry_events()
    return runtime


class OnnxRuntimeEngine:
    """Run the graph of ``card`` on the CPU in float32.

    A single image is run by all threads; the images of a batch run side by side, one thread each.
    """

    def __init__(self, card: ModelCard, path: Path | None, *, device: str, threads: int, precision: str) -> None:
        if card.graph is None or path is None:
            raise ModelError(f"onnxruntime cannot run {card.name}; use `engine='torch'`")
        if device not in ("auto", "cpu") or precision == "bfloat16":
            raise ModelError("onnxruntime runs networks on the CPU in float32; omit `device` and `precision`")
        try:
            self._runtime = import_runtime()
        except ImportError as error:  # not built for this platform, or a library of the system is missing
            raise ModelError(f"onnxruntime cannot be imported ({in_words(error)}); use `engine='opencv'`") from error
        self._card, self._path, self._threads = card, path, threads
        self.batch = CPU_BATCH if threads > 1 else 1
        self._pool = ThreadPoolExecutor(min(threads, CPU_BATCH)) if threads > 1 else None
        self._session = lru_cache(maxsize=_KEPT)(self._open)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3, H, W) normalized float32 -> (N, H, W) float32, in the unit of the card's ``output``."""
        size = Size(inputs.shape[3], inputs.shape[2])
        if self._pool is None or len(inputs) == 1:
            session = self._session(size, self._threads)
            found = [self._run(session, inputs[number : number + 1]) for number in range(len(inputs))]
        else:
            session = self._session(size, 1)  # one for all threads
            found = list(self._pool.map(lambda one: self._run(session, one), np.split(inputs, len(inputs))))
        return np.concatenate(found)

    def _run(self, session: Any, one: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            (depth,) = session.run(None, {"input": one})
        except Exception as error:  # it has exception classes of its own
            raise ModelError(
                f"{self._card.name}: onnxruntime failed ({in_words(error)}); use `engine='torch'`"
            ) from error
        return np.asarray(depth[:, 0], np.float32)

    def _open(self, size: Size, threads: int) -> Any:
        graph = read_graph(self._card, self._path, size)
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        # Threads that wait for each other at full speed cost a fifth of the time of others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return self._runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # it has exception classes of its own
            raise ModelError(
                f"{self._card.name}: onnxruntime cannot read the network ({in_words(error)}); use `engine='torch'`"
            ) from error
