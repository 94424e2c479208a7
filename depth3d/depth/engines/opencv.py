"""Inference with OpenCV on the CPU, for networks that describe themselves as an ONNX graph (``ModelCard.graph``).

Where onnxruntime is missing: OpenCV is there anyway, and importing torch takes longer than the network.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.base import CPU_BATCH, Engine, read_graph
from depth3d.errors import ModelError, WeightsError
from depth3d.image import Size

__all__ = ["OpenCvEngine"]

_log = logging.getLogger("depth3d")

SMALLEST_SIDE = 64
"""Pixels. OpenCV 5.0 computes 5x5 convolutions of maps that are 1 pixel high from memory that nobody has written; at
1/32 of its size an input of 32 pixels is such a map. It goes to torch."""


class _ThreadCount:
    """Sets OpenCV's number of threads, which the whole process shares, while networks run."""

    def __init__(self) -> None:
        self._lock, self._running, self._usual = threading.Lock(), 0, 0

    @contextmanager
    def set_to(self, count: int) -> Iterator[None]:
        """Set it in the block; the end of the last of several blocks at a time restores the usual number."""
        with self._lock:
            self._usual = self._usual if self._running else cv2.getNumThreads()
            self._running += 1
            cv2.setNumThreads(count)
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    cv2.setNumThreads(self._usual)


_THREADS = _ThreadCount()


class OpenCvEngine:
    """Run the graph of ``card`` on the CPU in float32; one graph for each input size.

    A single image is run by all threads. The images of a batch run side by side, one thread each: OpenCV's threads wait
    for each other within a layer, at full speed (two take 0.9 times the time of one, and 1.5 times its CPU time).

    ``falls_back``: torch runs what OpenCV cannot (an older version), instead of an error.
    """

    falls_back = False

    def __init__(self, card: ModelCard, path: Path | None, *, device: str, threads: int, precision: str) -> None:
        if card.graph is None or path is None:
            raise ModelError(f"OpenCV cannot run {card.name}; use `engine='torch'`")
        if device not in ("auto", "cpu") or precision == "bfloat16":
            raise ModelError("OpenCV runs networks on the CPU in float32; omit `device` and `precision`")
        self._card, self._path, self._threads = card, path, threads
        self._torch: Engine | None = None
        self._beside = min(threads, CPU_BATCH)
        self.batch = CPU_BATCH if self._beside > 1 else 1
        self._pool = ThreadPoolExecutor(self._beside) if self._beside > 1 else None
        self._prepared = lru_cache(maxsize=2 * self._beside)(self._prepare)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3, H, W) normalized float32 -> (N, H, W) float32, in the unit of the card's ``output``."""
        if min(inputs.shape[2:]) < SMALLEST_SIDE:
            return self._with_torch(inputs)
        try:
            return self._run(Size(inputs.shape[3], inputs.shape[2]), inputs)
        except ModelError as error:
            if not self.falls_back or isinstance(error, WeightsError):
                raise
            _log.debug("%s", error)
            return self._with_torch(inputs)

    def _run(self, size: Size, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        shares = [inputs] if self._pool is None else np.array_split(inputs, min(len(inputs), self._beside))
        networks = [self._prepared(size, number) for number in range(len(shares))]
        run = map if self._pool is None or len(shares) == 1 else self._pool.map
        try:
            with _THREADS.set_to(self._threads if len(shares) == 1 else 1):
                return np.concatenate(list(run(_forward, networks, shares)))
        except cv2.error as error:
            raise ModelError(f"{self._card.name}: OpenCV {cv2.__version__} failed; use `engine='torch'`") from error

    def _with_torch(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._torch is None:
            from depth3d.depth.engines.torch import TorchEngine

            self._torch = TorchEngine(self._card, self._path, device="cpu", threads=self._threads, precision="float32")
        return self._torch(inputs)

    def _prepare(self, size: Size, number: int) -> cv2.dnn.Net:
        """Read the graph for inputs of ``size``; each of the networks that run side by side has its own."""
        file = read_graph(self._card, self._path, size)
        try:
            return cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
        except cv2.error as error:
            raise ModelError(f"OpenCV {cv2.__version__} cannot run {self._card.name}; use `engine='torch'`") from error


def _forward(network: cv2.dnn.Net, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    found = np.empty((len(inputs), *inputs.shape[2:]), np.float32)
    for one, out in zip(inputs, found, strict=True):
        network.setInput(one[None])
        out[...] = np.asarray(network.forward()).reshape(out.shape)
    return found
