"""Inference with OpenCV on the CPU, for networks that describe themselves as an ONNX graph (``ModelCard.graph``).

OpenCV is imported anyway; importing torch takes several seconds, a hundred times what the small network itself needs.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.base import Engine
from depth3d.errors import ModelError, WeightsError
from depth3d.image import Size

__all__ = ["OpenCvEngine"]

_log = logging.getLogger("depth3d")

SMALLEST_SIDE = 64
"""Pixels. OpenCV 5.0 computes 5x5 convolutions of maps that are 1 pixel high from memory that nobody has written; at
1/32 of its size an input of 32 pixels is such a map. It goes to torch."""


class OpenCvEngine:
    """Run the graph of ``card`` on the CPU in float32, image by image; one graph for each input size.

    ``falls_back``: torch runs what OpenCV cannot (an older version), instead of an error.
    """

    batch = 1
    falls_back = False

    def __init__(self, card: ModelCard, path: Path | None, *, device: str, threads: int, precision: str) -> None:
        if card.graph is None or path is None:
            raise ModelError(f"OpenCV cannot run {card.name}; use `engine='torch'`")
        if device not in ("auto", "cpu") or precision == "bfloat16":
            raise ModelError("OpenCV runs networks on the CPU in float32; omit `device` and `precision`")
        self._card, self._path, self._threads = card, path, threads
        self._torch: Engine | None = None
        self._prepared = lru_cache(maxsize=2)(self._prepare)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3, H, W) normalized float32 -> (N, H, W) float32, in the unit of the card's ``output``."""
        if min(inputs.shape[2:]) < SMALLEST_SIDE:
            return self._with_torch(inputs)
        try:
            return self._run(self._prepared(Size(inputs.shape[3], inputs.shape[2])), inputs)
        except ModelError as error:
            if not self.falls_back or isinstance(error, WeightsError):
                raise
            _log.debug("%s", error)
            return self._with_torch(inputs)

    def _run(self, network: cv2.dnn.Net, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        before = cv2.getNumThreads()
        cv2.setNumThreads(self._threads)
        try:
            found = []
            for one in inputs:
                network.setInput(one[None])
                found.append(np.array(network.forward(), np.float32).reshape(inputs.shape[2:]))
        except cv2.error as error:
            raise ModelError(f"{self._card.name}: OpenCV {cv2.__version__} failed; use `engine='torch'`") from error
        finally:
            cv2.setNumThreads(before)
        return np.stack(found)

    def _with_torch(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._torch is None:
            from depth3d.depth.engines.torch import TorchEngine

            self._torch = TorchEngine(self._card, self._path, device="cpu", threads=self._threads, precision="float32")
        return self._torch(inputs)

    def _prepare(self, size: Size) -> cv2.dnn.Net:
        assert self._card.graph is not None
        module, _, name = self._card.graph.partition(":")
        try:
            file: bytes = getattr(import_module(module), name)(self._card, self._path, size)
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise WeightsError(f"{self._path}: not the weights of {self._card.name} ({error})") from error
        try:
            return cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
        except cv2.error as error:
            raise ModelError(f"OpenCV {cv2.__version__} cannot run {self._card.name}; use `engine='torch'`") from error
