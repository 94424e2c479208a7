"""`tiny` as an ONNX graph: a photo's depth without importing torch, which takes longer than the depth.

The layers are those of `TinyNetwork` (depth3d.depth.models.tiny.network), whose names of weights are used here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.onnx.graph import OnnxGraph
from depth3d.depth.models.tiny.layout import EDITIONS, FEATURE_STAGES, STAGES, StageSpec
from depth3d.image import Size

__all__ = ["graph"]


def graph(card: ModelCard, path: Path, size: Size) -> bytes:
    """Return the ONNX file of ``card`` with the weights at ``path`` for normalized pictures (1, 3, H, W) of ``size``.

    The output is (1, 1, H, W) float32. Height and width are multiples of 32.
    """
    from safetensors.numpy import load_file

    builder, edition = _Builder(load_file(path), size), card.settings["edition"]
    depth = builder.decode(builder.encode(edition), edition)
    return builder.graph.model(depth, (1, 1, size.height, size.width))


class _Builder:
    """Adds the parts of the network to a graph; every method returns the name of its output."""

    def __init__(self, weights: Mapping[str, NDArray[np.float16]], size: Size) -> None:
        self.weights = weights
        self.graph = OnnxGraph((1, 3, size.height, size.width))
        self._zero, self._six = (self.graph.constant(np.array(limit, np.float32)) for limit in (0, 6))
        self._scales = self.graph.constant(np.array([1, 1, 2, 2], np.float32))
        self._no_region = self.graph.constant(np.zeros(0, np.float32))

    def convolution(self, x: str, name: str, stride: int = 1) -> str:
        """The convolution with the weights called ``name``; TensorFlow's "SAME" padding for even sizes."""
        weight = self.weights[f"{name}.weight"].astype(np.float32)
        inputs = [x, self.graph.constant(weight)]
        if f"{name}.bias" in self.weights:
            inputs.append(self.graph.constant(self.weights[f"{name}.bias"].astype(np.float32)))
        kernel = weight.shape[2]
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        groups = weight.shape[0] if weight.shape[1] == 1 and kernel > 1 else 1
        return self.graph.node(
            "Conv", inputs, kernel_shape=(kernel, kernel), strides=(stride, stride), group=groups,
            pads=(before, before, after, after),
        )  # fmt: skip

    def relu(self, x: str) -> str:
        """Negative values become 0."""
        return self.graph.node("Relu", [x])

    def relu6(self, x: str) -> str:
        """Values limited to 0 ... 6."""
        return self.graph.node("Clip", [x, self._zero, self._six])

    def softplus(self, x: str) -> str:
        """log(1 + exp(x)); above 20, where this is x and OpenCV's overflows, x."""
        low, high, minus_high = (self.graph.constant(np.array(value, np.float32)) for value in (-1e4, 20, -20))
        below = self.graph.node("Softplus", [self.graph.node("Clip", [x, low, high])])
        return self.add(below, self.relu(self.add(x, minus_high)))

    def add(self, x: str, y: str) -> str:
        """The sum of two tensors."""
        return self.graph.node("Add", [x, y])

    def double(self, x: str) -> str:
        """Twice the height and width, bilinear, half-pixel centers."""
        return self.graph.node(
            "Resize", [x, self._no_region, self._scales], mode="linear", coordinate_transformation_mode="half_pixel"
        )

    def block(self, x: str, name: str, spec: StageSpec, stride: int, *, adds_input: bool) -> str:
        """See `InvertedResidual`."""
        result, unit = x, 0
        if spec.expansion > 1:
            result, unit = self.relu6(self.convolution(result, f"{name}.units.0.conv")), 1
        result = self.relu6(self.convolution(result, f"{name}.units.{unit}.conv", stride))
        result = self.convolution(result, f"{name}.units.{unit + 1}.conv")
        return self.add(result, x) if adds_input else result

    def encode(self, edition: int) -> list[str]:
        """See `Encoder`."""
        x = self.relu6(self.convolution("input", "encoder.stem.conv", 2))
        features = []
        for stage, (spec, count) in enumerate(zip(STAGES, EDITIONS[edition].repeats, strict=True)):
            for index in range(count):
                stride = spec.stride if index == 0 else 1
                x = self.block(x, f"encoder.stages.{stage}.{index}", spec, stride, adds_input=index > 0)
            if stage in FEATURE_STAGES:
                features.append(x)
        return features

    def residual(self, x: str, name: str) -> str:
        """See `ResidualUnit`."""
        inside = self.relu(self.convolution(self.relu(x), f"{name}.conv1"))
        return self.add(self.convolution(inside, f"{name}.conv2"), x)

    def decode(self, features: list[str], edition: int) -> str:
        """See `TinyNetwork.decode` and `Fusion`."""
        refined, path = EDITIONS[edition].refined_skips, None
        for scale in reversed(range(len(refined))):
            skip = self.convolution(features[scale + 1], f"project.{scale}")
            if refined[scale]:
                skip = self.residual(skip, f"fuse.{scale}.refine_skip")
            x = skip if path is None else self.add(self.double(path), skip)
            path = self.convolution(self.residual(x, f"fuse.{scale}.refine"), f"fuse.{scale}.narrow")
        assert path is not None
        path = self.double(self.convolution(path, "head1"))
        if EDITIONS[edition].detail:
            path = self.add(path, self.convolution(features[0], "detail"))
        path = self.relu(self.convolution(path, "head2"))
        if EDITIONS[edition].detail:
            path = self.relu(self.add(path, self.convolution(path, "refine")))
        return self.double(self.softplus(self.convolution(path, "head3")))
