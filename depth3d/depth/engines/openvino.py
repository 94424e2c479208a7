"""Inference with OpenVINO (``pip install depth3d[openvino]``).

A network is converted once for each input size and stored in the cache folder; later runs do not import torch.
"""

from __future__ import annotations

import importlib
import os
import secrets
import shutil
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.base import CPU_BATCH, identity
from depth3d.depth.engines.precision import PrecisionProbe, Run, has_bfloat16, run_until_decided
from depth3d.depth.weights import cache_folder, digest
from depth3d.errors import ModelError

__all__ = ["OpenVinoEngine"]

_KEPT = 4  # compiled networks (one per input size and precision) held in memory


class OpenVinoEngine:
    """Run one network on the CPU; the images of a batch run in parallel, one thread each."""

    def __init__(self, card: ModelCard, path: Path | None, *, device: str, threads: int, precision: str) -> None:
        if device not in ("auto", "cpu"):
            raise ModelError(f"engine openvino runs on the CPU, not on {device!r}; use engine torch for other devices")
        self._openvino = _import()
        self._core = self._openvino.Core()
        self._card, self._path, self._threads = card, path, threads
        self.batch = min(threads, CPU_BATCH)
        self._compiled: OrderedDict[tuple[tuple[int, ...], str, int], list[Any]] = OrderedDict()
        self._run: Run = self._exact
        if precision == "bfloat16":
            self._run = self._quick
        elif precision == "auto" and card.bfloat16 and has_bfloat16():
            known = identity(card, path)
            key = None if known is None else f"openvino {self._openvino.__version__} {known}"
            self._run = PrecisionProbe(self._exact, self._quick, key, lambda _: self._compiled.clear())

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network: (N, 3, H, W) normalized float32 -> (N, H', W') float32, in the card's unit."""
        found, waiting = run_until_decided(self._run, self._run, inputs)
        found += [self._run(waiting[start : start + self.batch]) for start in range(0, len(waiting), self.batch)]
        return np.concatenate(found)

    def _exact(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._infer(inputs, "f32")

    def _quick(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._infer(inputs, "bf16")

    def _infer(self, inputs: NDArray[np.float32], precision: str) -> NDArray[np.float32]:
        requests = self._requests((1, *inputs.shape[1:]), precision, 1 if len(inputs) == 1 else self.batch)
        running = requests[: len(inputs)]
        for index, request in enumerate(running):
            request.start_async([inputs[index : index + 1]])
        for request in running:
            request.wait()
        return np.concatenate([np.array(request.get_output_tensor(0).data, np.float32) for request in running])

    def _requests(self, shape: tuple[int, ...], precision: str, streams: int) -> list[Any]:
        """Return one inference request per image that runs in parallel; all share the weights."""
        key = (shape, precision, streams)
        if key not in self._compiled:
            while len(self._compiled) >= _KEPT:
                self._compiled.popitem(last=False)
            settings = {
                "INFERENCE_PRECISION_HINT": precision,
                "INFERENCE_NUM_THREADS": self._threads,
                "NUM_STREAMS": streams,
            }
            compiled = self._core.compile_model(self._core.read_model(self._converted(shape)), "CPU", settings)
            self._compiled[key] = [compiled.create_infer_request() for _ in range(streams)]
        self._compiled.move_to_end(key)
        return self._compiled[key]

    def _converted(self, shape: tuple[int, ...]) -> Path:
        """Return the path of the network converted for this input size; convert it if the cache folder lacks it."""
        weights = "none" if self._path is None else digest(self._path)[:16]
        name = f"{self._card.name}-{weights}-{shape[3]}x{shape[2]}-{self._openvino.__version__.split('-')[0]}"
        final = cache_folder() / "openvino" / name / "network.xml"
        if final.is_file():
            return final
        final.parent.parent.mkdir(parents=True, exist_ok=True)
        making = final.parent.with_name(f".{name}.{secrets.token_hex(4)}")
        making.mkdir()
        try:
            self._convert(shape, making / final.name)
            os.replace(making, final.parent)
        except OSError:
            if not final.is_file():  # otherwise another process has converted it meanwhile
                raise
        finally:
            shutil.rmtree(making, ignore_errors=True)
        return final

    def _convert(self, shape: tuple[int, ...], path: Path) -> None:
        import torch

        from depth3d.depth.checkpoint import load_network

        network = load_network(self._card, self._path)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they say that the input size becomes fixed, which is intended
                model = self._openvino.convert_model(network, example_input=torch.zeros(shape), input=list(shape))
        except Exception as error:
            reason = (str(error).splitlines() or ["?"])[0]
            raise ModelError(f"{self._card.name}: conversion failed ({reason}); use `engine='torch'`") from error
        self._openvino.save_model(model, path, compress_to_fp16=False)
        _keep_float32(path, getattr(network, "float32_parts", ()))


def _keep_float32(path: Path, parts: tuple[str, ...]) -> None:
    """Mark the operations of these modules as "precise" in the file: they stay in float32 when bfloat16 is used."""
    tree = ElementTree.parse(path)
    for layer in tree.iter("layer"):
        name = layer.get("name", "")
        if not any(f"__module.{part}" in name for part in parts) or layer.get("type") in ("Const", "Result"):
            continue
        facts = layer.find("rt_info")
        if facts is None:
            facts = ElementTree.Element("rt_info")
            layer.insert(1 if layer.find("data") is not None else 0, facts)
        ElementTree.SubElement(facts, "attribute", {"name": "precise", "version": "0"})
    tree.write(path)


def _import() -> Any:
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise ModelError("`engine='openvino'` needs OpenVINO: pip install 'depth3d[openvino]'") from error
