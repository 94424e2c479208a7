"""The Mannequin Challenge single-view network: an hourglass of inception blocks that predicts log depth.

Li et al., "Learning the Depths of Moving People by Watching Frozen People", CVPR 2019; the design is that of
Chen et al., "Single-Image Depth Perception in the Wild", NIPS 2016. Module names follow the official checkpoint,
so that it loads as it is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from depth3d.depth.card import ModelCard

__all__ = ["MannequinChallenge", "build"]

# Block type -> (channels of the 1x1 branch, kernels of the other branches, their inner and outer channels).
_BLOCKS = {
    "A": (16, (3, 7, 11), 64, 16),
    "a": (16, (3, 7, 11), 32, 16),
    "B": (32, (3, 5, 7), 32, 32),
    "C": (32, (3, 7, 11), 64, 32),
    "E": (64, (3, 5, 7), 32, 64),
    "F": (64, (3, 7, 11), 64, 64),
    "G": (32, (3, 5, 7), 64, 32),
}
# Level -> (blocks before the next level, blocks after it, blocks of the skip path, index of the deep path in `list`).
_LEVELS = {
    4: ("BB", "Ga", "A", 0),
    3: ("BE", "EB", "BC", 0),
    2: ("EE", "EF", "EF", 1),
    1: ("EEE", "", "EE", 1),
}


class MannequinChallenge(nn.Module):
    """(N, 3, H, W) RGB in 0..1, sides multiples of 16 -> (N, H, W) natural log of depth, larger = farther, free scale.

    The confidence head of the checkpoint is loaded but not used: its loss is disabled in the official training
    code, so it was never trained.
    """

    # Fine-tuned files were saved from within a DataParallel wrapper, which adds this prefix.
    renames = ((r"^module\.", ""),)

    def __init__(self) -> None:
        super().__init__()
        self.seq = nn.Sequential(
            nn.Conv2d(3, 128, 7, padding=3), nn.BatchNorm2d(128), nn.ReLU(inplace=True), _Level(4, 128)
        )
        self.uncertainty_layer = nn.Sequential(nn.Conv2d(64, 1, 3, padding=1), nn.Sigmoid())
        self.pred_layer = nn.Conv2d(64, 1, 3, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        logarithm: Tensor = self.pred_layer(self.seq(pictures))
        return logarithm[:, 0]


class _Level(nn.Module):
    """One scale of the hourglass: a path through half resolution plus a path at full resolution."""

    def __init__(self, number: int, channels: int) -> None:
        super().__init__()
        before, after, beside, deep_index = _LEVELS[number]
        deep: list[nn.Module] = [nn.AvgPool2d(2)]
        skip: list[nn.Module] = []
        width = _append(deep, before, channels)
        if number > 1:
            deep.append(_Level(number - 1, width))
        _append(deep, after, width)
        deep.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True))
        _append(skip, beside, channels)
        paths = [nn.Sequential(*deep), nn.Sequential(*skip)]
        self.list = nn.ModuleList(paths if deep_index == 0 else paths[::-1])

    def forward(self, features: Tensor) -> Tensor:
        first, second = self.list
        total: Tensor = first(features) + second(features)
        return total


class _Inception(nn.Module):
    """Parallel convolutions of several kernel sizes, concatenated; every one followed by norm and ReLU."""

    def __init__(self, kind: str, channels: int) -> None:
        super().__init__()
        plain, kernels, inner, outer = _BLOCKS[kind]
        branches = [nn.Sequential(*_convolution(channels, plain, 1))]
        branches += [
            nn.Sequential(*_convolution(channels, inner, 1), *_convolution(inner, outer, kernel)) for kernel in kernels
        ]
        self.convs = nn.ModuleList(branches)
        self.width = plain + outer * len(kernels)

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([branch(features) for branch in self.convs], dim=1)


def _convolution(channels: int, width: int, kernel: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    return (
        nn.Conv2d(channels, width, kernel, padding=kernel // 2),
        nn.BatchNorm2d(width, affine=False),
        nn.ReLU(inplace=True),
    )


def _append(path: list[nn.Module], kinds: str, channels: int) -> int:
    """Append the blocks ``kinds`` to ``path``; return the number of channels of the last one."""
    for kind in kinds:
        block = _Inception(kind, channels)
        path.append(block)
        channels = block.width
    return channels


def build(card: ModelCard) -> nn.Module:
    """Build the network with random weights."""
    return MannequinChallenge()
