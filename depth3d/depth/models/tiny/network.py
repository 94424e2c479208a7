"""The network that ships with the package: an EfficientNet-Lite encoder with the decoder of MiDaS v2.1 small.

Plain torch without timm, so that the network that works offline loads fast and has few dependencies. Every convolution
of the encoder has its batch norm folded in: the statistics stay fixed, also in training (examples/train_tiny).
Sources: EfficientNet-Lite (Tan, 2020) for the encoder; MiDaS v2.1 small (Ranftl et al., 2020) for the decoder.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth.card import ModelCard
from depth3d.depth.engines.cpu.packing import packed_convolution
from depth3d.depth.models.decoder import ResidualUnit
from depth3d.depth.models.tiny.layout import (
    DECODER_CHANNELS,
    EDITIONS,
    FEATURE_STAGES,
    STAGES,
    STEM_CHANNELS,
    StageSpec,
)


class ConvUnit(nn.Module):
    """Convolution with TensorFlow's "SAME" padding (the odd pixel goes right and below), bias, optional ReLU6."""

    def __init__(self, source: int, target: int, kernel: int, stride: int = 1, *, groups: int = 1, act: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(source, target, kernel, stride, padding=0 if stride > 1 else kernel // 2, groups=groups)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, target, ceil(H / stride), ceil(W / stride))."""
        kernel, stride = int(self.conv.kernel_size[0]), int(self.conv.stride[0])
        if stride > 1:
            rows = max((-(-x.shape[2] // stride) - 1) * stride + kernel - x.shape[2], 0)
            columns = max((-(-x.shape[3] // stride) - 1) * stride + kernel - x.shape[3], 0)
            x = functional.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        x = self.conv(x)
        return functional.relu6(x) if self.act else x

    def packed(self) -> nn.Module:
        """Return the packed equivalent, see `Packable`."""
        return packed_convolution(self.conv, "relu6" if self.act else "none", same=self.conv.stride != (1, 1))


class InvertedResidual(nn.Module):
    """Inverted residual: widen with 1x1, filter each channel alone, narrow with 1x1; add the input if shapes match."""

    def __init__(self, source: int, target: int, spec: StageSpec, stride: int):
        super().__init__()
        wide = source * spec.expansion
        units = [ConvUnit(source, wide, 1)] if spec.expansion > 1 else []
        units += [ConvUnit(wide, wide, spec.kernel, stride, groups=wide), ConvUnit(wide, target, 1, act=False)]
        self.units = nn.Sequential(*units)
        self.adds_input = stride == 1 and source == target

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, source, H, W) to (N, target, H / stride, W / stride)."""
        result: Tensor = self.units(x)
        return result + x if self.adds_input else result


class Encoder(nn.Module):
    """EfficientNet-Lite0 or -Lite1 without the last convolution and the classifier."""

    def __init__(self, repeats: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = ConvUnit(3, STEM_CHANNELS, 3, 2)
        stages, source = [], STEM_CHANNELS
        for spec, count in zip(STAGES, repeats, strict=True):
            blocks = []
            for index in range(count):
                blocks.append(InvertedResidual(source, spec.channels, spec, spec.stride if index == 0 else 1))
                source = spec.channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map a normalized picture (N, 3, H, W) to features at 1/2, 1/4, 1/8, 1/16 and 1/32 of its size."""
        x = self.stem(x)
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in FEATURE_STAGES:
                features.append(x)
        return features


class Fusion(nn.Module):
    """Add a skip connection to the coarser path, refine the sum, and project it to the next width.

    The 1x1 projection commutes with the upsampling that follows, so it runs before it, on a quarter of the pixels.
    """

    def __init__(self, channels: int, target: int, *, refines_skip: bool):
        super().__init__()
        self.refine_skip = ResidualUnit(channels, relu_skip=False) if refines_skip else None
        self.refine = ResidualUnit(channels, relu_skip=False)
        self.narrow = nn.Conv2d(channels, target, 1)

    def forward(self, path: Tensor | None, skip: Tensor) -> Tensor:
        """Fuse the coarser path (None at the coarsest scale) and the skip (N, C, H, W) to (N, target, H, W)."""
        if self.refine_skip is not None:
            skip = self.refine_skip(skip)
        result: Tensor = self.narrow(self.refine(skip if path is None else path + skip))
        return result


class TinyNetwork(nn.Module):
    """Tiny: normalized picture (N, 3, H, W), sides multiples of 32 -> relative inverse depth (N, H, W), positive."""

    packable = ("",)  # the whole network

    def __init__(self, edition: int) -> None:
        super().__init__()
        repeats, refined_skips, detail = EDITIONS[edition]
        self.encoder = Encoder(repeats)
        widths = DECODER_CHANNELS
        sources = [STAGES[index].channels for index in FEATURE_STAGES]
        self.project = nn.ModuleList(
            nn.Conv2d(source, width, 3, padding=1, bias=edition > 1)
            for source, width in zip(sources[1:], widths, strict=True)
        )
        narrow = (widths[0], *widths[:-1])
        self.fuse = nn.ModuleList(
            Fusion(width, target, refines_skip=refined)
            for width, target, refined in zip(widths, narrow, refined_skips, strict=True)
        )
        self.head1 = nn.Conv2d(widths[0], 32, 3, padding=1)
        self.head2 = nn.Conv2d(32, 24, 3, padding=1)
        self.head3 = nn.Conv2d(24, 1, 1)
        self.detail = nn.Conv2d(sources[0], 32, 1) if detail else None
        self.refine = nn.Conv2d(24, 24, 3, padding=1) if detail else None

    def fuse_coarse(self, features: list[Tensor]) -> Tensor:
        """Fuse the features at 1/32, 1/16 and 1/8 of the picture's size to (N, C, H / 8, W / 8)."""
        path: Tensor | None = None
        for feature, project, fuse in reversed(list(zip(features[2:], self.project[1:], self.fuse[1:], strict=True))):
            if path is not None:
                path = _upsample(path, feature)
            path = fuse(path, project(feature))
        assert path is not None
        return path

    def finish(self, path: Tensor, half: Tensor, quarter: Tensor) -> Tensor:
        """Fuse the coarse path with the features at 1/2 and 1/4 of the picture's size to relative inverse depth."""
        path = self.fuse[0](_upsample(path, quarter), self.project[0](quarter))
        path = _upsample(self.head1(path), half)
        if self.detail is not None:
            path = path + self.detail(half)
        path = functional.relu(self.head2(path))
        if self.refine is not None:
            path = functional.relu(path + self.refine(path))
        return functional.softplus(self.head3(path).float()).squeeze(1)

    def decode(self, features: list[Tensor]) -> Tensor:
        """Decode encoder features to relative inverse depth at half the picture's size, (N, H / 2, W / 2)."""
        return self.finish(self.fuse_coarse(features), *features[:2])

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) to (N, H, W), see the class."""
        depth = self.decode(self.encoder(x))
        return _upsample(depth.unsqueeze(1), x).squeeze(1)


def _upsample(x: Tensor, like: Tensor) -> Tensor:
    """Resize (N, C, h, w) bilinearly to the height and width of ``like``."""
    return functional.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def build(card: ModelCard) -> TinyNetwork:
    """Build the network of ``card``; the card's settings name the edition."""
    return TinyNetwork(card.settings["edition"])
