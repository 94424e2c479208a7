"""Inference of ONNX files with OpenVINO or onnxruntime, whichever is installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.onnx.runtime import import_runtime
from depth3d.errors import ModelError

__all__ = ["OnnxEngine", "OnnxModel", "open_onnx"]

_TYPES = {"float": np.float32, "float32": np.float32, "f32": np.float32, "float16": np.float16, "f16": np.float16}


class OnnxModel(Protocol):
    """An ONNX file that is ready to run, with the shape and type of its first input."""

    shape: tuple[int | None, ...]
    """Shape of the input; None = any length."""
    kind: str
    """Type of the input's values, for example "float32"."""
    metadata: dict[str, str]
    """Metadata stored in the file."""

    def run(self, values: NDArray[Any]) -> NDArray[Any]:
        """Run the network and return its first output."""
        ...


class _OpenVino:
    """An ONNX file in OpenVINO, on the CPU."""

    def __init__(self, path: Path, threads: int) -> None:
        openvino = importlib.import_module("openvino")
        core = openvino.Core()
        model = core.read_model(path)
        shape = model.inputs[0].partial_shape
        self.shape = tuple(side.get_length() if side.is_static else None for side in shape)
        self.kind = model.inputs[0].element_type.get_type_name()
        self.metadata = {}
        if model.has_rt_info(["framework"]):
            entries = model.rt_info["framework"]
            self.metadata = {str(key): str(getattr(value, "value", value)) for key, value in entries.items()}
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()

    def run(self, values: NDArray[Any]) -> NDArray[Any]:
        """See `OnnxModel`."""
        self._request.infer([values])
        return np.array(self._request.get_output_tensor(0).data)


class _OnnxRuntime:
    """An ONNX file in onnxruntime, on the CPU."""

    def __init__(self, path: Path, threads: int) -> None:
        runtime = import_runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        (first, *_) = self._session.get_inputs()
        self._name = first.name
        self.shape = tuple(side if isinstance(side, int) else None for side in first.shape)
        self.kind = first.type.removeprefix("tensor(").removesuffix(")")
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, values: NDArray[Any]) -> NDArray[Any]:
        """See `OnnxModel`."""
        return np.asarray(self._session.run(None, {self._name: values})[0])


RUNTIMES: dict[str, Callable[[Path, int], OnnxModel]] = {"openvino": _OpenVino, "onnxruntime": _OnnxRuntime}


def open_onnx(path: Path, threads: int = 1) -> OnnxModel:
    """Load the ONNX file at ``path`` with the first runtime that is installed.

    Raises
    ------
    ModelError
        If no runtime is installed, or the file cannot be read.
    """
    for module, runtime in RUNTIMES.items():
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        try:
            return runtime(path, threads)
        except Exception as error:  # each runtime has exception classes of its own
            reason = (str(error).strip().splitlines() or ["?"])[-1][:200]
            raise ModelError(f"{path}: {module} cannot read this ONNX file ({reason})") from error
    raise ModelError(f"{path}: ONNX files need OpenVINO (pip install 'depth3d[openvino]') or onnxruntime")


class OnnxEngine:
    """Run the ONNX file of ``card`` on the CPU, image by image."""

    batch = 1

    def __init__(self, card: ModelCard, path: Path | None, *, device: str, threads: int, precision: str) -> None:
        if path is None:
            raise ModelError(f"{card.name}: no ONNX file given; use `model='FILE.onnx'`")
        if device not in ("auto", "cpu") or precision == "bfloat16":
            raise ModelError("ONNX files run on the CPU in float32; omit `device` and `precision`")
        self._card, self._model = card, open_onnx(path, threads)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network: (N, 3, H, W) normalized float32 -> (N, H', W') float32, in the card's unit."""
        return np.stack([self._one(one) for one in inputs])

    def _one(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._card.settings["layout"] == "nhwc":
            values = values.transpose(1, 2, 0)
        values = np.ascontiguousarray(values[None], _TYPES[self._model.kind])
        try:
            found = self._model.run(values)
        except Exception as error:
            reason = (str(error).strip().splitlines() or ["?"])[-1][:200]
            raise ModelError(f"{self._card.name}: the ONNX file cannot run on {values.shape} ({reason})") from error
        sides = [side for side in found.shape if side != 1]
        if len(sides) != 2:
            raise ModelError(
                f"{self._card.name}: the first output has shape {found.shape}, expected one (H, W) depth map"
            )
        return np.asarray(found.reshape(sides), np.float32)
