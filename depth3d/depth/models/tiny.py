"""The network that ships with the package: MiDaS v2.1-small's recipe on EfficientNet-Lite0, a fifth of its size.

Plain torch, no timm, so that the offline default loads fast and depends on little. Every convolution of the encoder
carries its batch norm folded in: the statistics never change, neither here nor in training (examples/train_tiny).
Sources: EfficientNet-Lite (Tan, 2020) for the encoder, MiDaS v2.1 small (Ranftl et al., 2020) for the decoder.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.cpu.packing import packed_convolution
from depth3d.depth.models.decoder import ResidualUnit


class StageSpec(NamedTuple):
    """One stage of inverted residual blocks."""

    kernel: int
    stride: int
    expansion: int
    channels: int
    repeats: int


STEM_CHANNELS = 32
STAGES = (
    StageSpec(3, 1, 1, 16, 1),
    StageSpec(3, 2, 6, 24, 2),
    StageSpec(5, 2, 6, 40, 2),
    StageSpec(3, 2, 6, 80, 3),
    StageSpec(5, 1, 6, 112, 3),
    StageSpec(5, 2, 6, 192, 4),
    StageSpec(3, 1, 6, 320, 1),
)
FEATURE_STAGES = (1, 2, 4, 6)
"""Stages whose outputs the decoder reads: 1/4, 1/8, 1/16 and 1/32 of the picture."""

DECODER_CHANNELS = (48, 64, 96, 128)


class ConvUnit(nn.Module):
    """Convolution with TensorFlow's "SAME" padding (the odd pixel goes right and below), bias, optional ReLU6."""

    def __init__(self, source: int, target: int, kernel: int, stride: int = 1, *, groups: int = 1, act: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(source, target, kernel, stride, padding=0 if stride > 1 else kernel // 2, groups=groups)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, target, ceil(H / stride), ceil(W / stride))."""
        kernel, stride = int(self.conv.kernel_size[0]), int(self.conv.stride[0])
        if stride > 1:
            rows = max((-(-x.shape[2] // stride) - 1) * stride + kernel - x.shape[2], 0)
            columns = max((-(-x.shape[3] // stride) - 1) * stride + kernel - x.shape[3], 0)
            x = functional.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        x = self.conv(x)
        return functional.relu6(x) if self.act else x

    def packed(self) -> nn.Module:
        """See `Packable`."""
        return packed_convolution(self.conv, "relu6" if self.act else "none", same=self.conv.stride != (1, 1))


class InvertedResidual(nn.Module):
    """Widen with 1x1, filter each channel alone, narrow with 1x1; add the input where shapes allow."""

    def __init__(self, source: int, target: int, spec: StageSpec, stride: int):
        super().__init__()
        wide = source * spec.expansion
        units = [ConvUnit(source, wide, 1)] if spec.expansion > 1 else []
        units += [ConvUnit(wide, wide, spec.kernel, stride, groups=wide), ConvUnit(wide, target, 1, act=False)]
        self.units = nn.Sequential(*units)
        self.adds_input = stride == 1 and source == target

    def forward(self, x: Tensor) -> Tensor:
        """(N, source, H, W) -> (N, target, H / stride, W / stride)."""
        result: Tensor = self.units(x)
        return result + x if self.adds_input else result


class Encoder(nn.Module):
    """EfficientNet-Lite0 without its last convolution and classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvUnit(3, STEM_CHANNELS, 3, 2)
        stages, source = [], STEM_CHANNELS
        for spec in STAGES:
            blocks = []
            for index in range(spec.repeats):
                blocks.append(InvertedResidual(source, spec.channels, spec, spec.stride if index == 0 else 1))
                source = spec.channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) normalised picture -> features at 1/4, 1/8, 1/16, 1/32."""
        x = self.stem(x)
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in FEATURE_STAGES:
                features.append(x)
        return features


class Fusion(nn.Module):
    """Adds a skip to the coarser path, refines, narrows; the 1x1 commutes with the upsampling and comes before it."""

    def __init__(self, channels: int, target: int, *, has_skip: bool):
        super().__init__()
        self.refine_skip = ResidualUnit(channels, relu_skip=False) if has_skip else None
        self.refine = ResidualUnit(channels, relu_skip=False)
        self.narrow = nn.Conv2d(channels, target, 1)

    def forward(self, path: Tensor, skip: Tensor | None = None) -> Tensor:
        """Path and skip (N, C, H, W) -> (N, target, H, W)."""
        if skip is not None and self.refine_skip is not None:
            path = path + self.refine_skip(skip)
        result: Tensor = self.narrow(self.refine(path))
        return result


class TinyNetwork(nn.Module):
    """Normalised picture (N, 3, H, W), sides multiples of 32 -> relative inverse depth (N, H, W), positive."""

    packable = ("",)  # all of it

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        widths = DECODER_CHANNELS
        sources = [STAGES[index].channels for index in FEATURE_STAGES]
        self.project = nn.ModuleList(
            nn.Conv2d(source, width, 3, padding=1, bias=False) for source, width in zip(sources, widths, strict=True)
        )
        narrow = (widths[0], *widths[:-1])
        last = len(widths) - 1
        self.fuse = nn.ModuleList(
            Fusion(w, n, has_skip=i < last) for i, (w, n) in enumerate(zip(widths, narrow, strict=True))
        )
        self.head1 = nn.Conv2d(widths[0], 32, 3, padding=1)
        self.head2 = nn.Conv2d(32, 24, 3, padding=1)
        self.head3 = nn.Conv2d(24, 1, 1)

    def decode(self, features: list[Tensor]) -> Tensor:
        """Encoder features -> relative inverse depth at half the picture's size, (N, H / 2, W / 2)."""
        path: Tensor | None = None
        for feature, project, fuse in reversed(list(zip(features, self.project, self.fuse, strict=True))):
            skip = project(feature)
            if path is None:
                path = fuse(skip)
            else:
                path = fuse(
                    functional.interpolate(path, size=skip.shape[2:], mode="bilinear", align_corners=False), skip
                )
        assert path is not None
        path = functional.interpolate(self.head1(path), scale_factor=2.0, mode="bilinear", align_corners=False)
        path = self.head3(functional.relu(self.head2(path)))
        return functional.softplus(path.float()).squeeze(1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        depth = self.decode(self.encoder(x))
        full = functional.interpolate(depth.unsqueeze(1), size=x.shape[2:], mode="bilinear", align_corners=False)
        return full.squeeze(1)


def build(card: ModelCard) -> TinyNetwork:
    """The network of ``card``."""
    return TinyNetwork()
