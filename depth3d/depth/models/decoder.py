"""The decoder shared by the MiDaS and Depth Anything networks ("scratch" in their files).

RefineNet-style fusion (Lin et al. 2017) as in Ranftl et al., "Towards Robust Monocular Depth Estimation"
(2020) and "Vision Transformers for Dense Prediction" (2021): features of several scales, deepest first, are
projected to one width, refined, upsampled and added; a small head reduces the result to one channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth.engines.cpu.packing import PackedResidualUnit

__all__ = ["Decoder", "MidasNetwork"]


class ResidualUnit(nn.Module):
    """Residual unit x + conv(relu(conv(relu(x)))); MiDaS v2.1 large adds relu(x): its in-place ReLU overwrites x."""

    def __init__(self, width: int, *, relu_skip: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.relu_skip = relu_skip

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        positive = functional.relu(x)
        added: Tensor = self.conv2(functional.relu(self.conv1(positive)))
        return added + (positive if self.relu_skip else x)

    def packed(self) -> nn.Module:
        """Return the packed equivalent, see `Packable`."""
        return PackedResidualUnit(self.conv1, self.conv2, relu_skip=self.relu_skip)


class Fusion(nn.Module):
    """Add the skip connection of this scale to the deeper path, refine the sum and upsample it."""

    def __init__(self, width: int, out: int, *, deepest: bool, relu_skip: bool, project: bool) -> None:
        super().__init__()
        self.skip_unit = None if deepest else ResidualUnit(width, relu_skip=relu_skip)
        self.unit = ResidualUnit(width, relu_skip=relu_skip)
        self.project = nn.Conv2d(width, out, 1) if project else nn.Identity()

    def forward(self, path: Tensor | None, skip: Tensor, size: Sequence[int]) -> Tensor:
        """Fuse the deeper path (None at the deepest scale) and the skip (N, width, H, W) to (N, out, *size)."""
        x = skip if path is None or self.skip_unit is None else path + self.skip_unit(skip)
        # The official code upsamples, then projects. Both are linear and the interpolation's weights sum to one, so
        # that the order does not matter; this order projects only a quarter of the pixels.
        x = self.project(self.unit(x))
        return functional.interpolate(x, size=list(size), mode="bilinear", align_corners=True)


class Head(nn.Module):
    """Output head: reduce the last features to one channel, at twice their size or a given size."""

    def __init__(self, channels: Sequence[int], *, align_corners: bool, activation: nn.Module | None = None) -> None:
        super().__init__()
        first, second, third, last = channels
        self.conv1 = nn.Conv2d(first, second, 3, padding=1)
        self.conv2 = nn.Conv2d(second, third, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(third, last, 1)
        self.activation = activation or nn.ReLU()
        self.align_corners = align_corners

    def forward(self, x: Tensor, size: Sequence[int] | None = None) -> Tensor:
        """Map (N, C, H, W) to (N, *size), by default (N, 2H, 2W)."""
        x = self.conv1(x)
        if size is None:
            x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=self.align_corners)
        else:
            x = functional.interpolate(x, size=list(size), mode="bilinear", align_corners=self.align_corners)
        depth: Tensor = self.activation(self.conv3(self.relu2(self.conv2(x))))
        return depth.squeeze(1)


class Decoder(nn.Module):
    """Turn features of several scales, finest first, into (N, H, W) relative inverse depth.

    Parameters
    ----------
    channels : Sequence[int]
        Channels of the features, finest first.
    widths : Sequence[int]
        Channels of the decoder at each scale; the fusion of a scale outputs the channels of the next finer scale.
    head : Sequence[int]
        The four channel counts of the head.
    relu_skip, project, align_corners : bool
        Differences between the published generations, see the classes above.
    before_head : nn.Module | None
        A module between the finest fusion and the head (LeViT upsamples there).
    activation : nn.Module | None
        Last activation of the head; None = ReLU.
    """

    def __init__(
        self,
        channels: Sequence[int],
        widths: Sequence[int],
        head: Sequence[int],
        *,
        relu_skip: bool = False,
        project: bool = True,
        align_corners: bool = True,
        before_head: nn.Module | None = None,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.reduce = nn.ModuleList(
            nn.Conv2d(channel, width, 3, padding=1, bias=False) for channel, width in zip(channels, widths, strict=True)
        )
        outs = [widths[0], *widths[:-1]]
        self.fuse = nn.ModuleList(
            Fusion(width, out, deepest=level == len(widths) - 1, relu_skip=relu_skip, project=project)
            for level, (width, out) in enumerate(zip(widths, outs, strict=True))
        )
        self.before_head = before_head or nn.Identity()
        self.head = Head(head, align_corners=align_corners, activation=activation)

    def forward(self, features: Sequence[Tensor], size: Sequence[int] | None = None) -> Tensor:
        """Map features (N, C_i, H_i, W_i), finest first, to (N, *size), by default four times the finest feature."""
        skips = [reduce(feature) for reduce, feature in zip(self.reduce, features, strict=True)]
        path: Tensor | None = None
        for level in range(len(skips) - 1, -1, -1):
            height, width = skips[level].shape[-2:]
            target = skips[level - 1].shape[-2:] if level else (2 * height, 2 * width)
            path = self.fuse[level](path, skips[level], target)
        depth: Tensor = self.head(self.before_head(path), size)
        return depth


class MidasNetwork(nn.Module):
    """An encoder and a decoder, with the mapping of official checkpoint keys to ours.

    ``renames`` are pairs (regular expression, replacement) that are applied in order to every official key;
    ``ignored`` are regular expressions of official keys that do not influence the depth.
    """

    renames: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()
    foldable = False  # True if every batch norm is defined directly after its convolution
    packable: tuple[str, ...] = ("decoder",)  # modules whose convolutions may be packed: no code reads their weights
    float32_parts: tuple[str, ...] = ("decoder.head.conv3",)  # modules that stay float32 under bfloat16

    # Shared by all families. Official levels count from 1, ours from 0.
    decoder_renames = (
        *((rf"^scratch\.layer{level + 1}_rn\.", f"decoder.reduce.{level}.") for level in range(4)),
        *((rf"^scratch\.refinenet{level + 1}\.", f"decoder.fuse.{level}.") for level in range(4)),
        (r"\.resConfUnit1\.", ".skip_unit."),
        (r"\.resConfUnit2\.", ".unit."),
        (r"\.out_conv\.", ".project."),
        (r"^scratch\.output_conv\.0\.", "decoder.head.conv1."),
        (r"^scratch\.output_conv\.2\.", "decoder.head.conv2."),
        (r"^scratch\.output_conv\.4\.", "decoder.head.conv3."),
    )

    def __init__(self, encoder: nn.Module, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map normalized (N, 3, H, W) to (N, H, W) relative inverse depth >= 0."""
        depth: Tensor = self.decoder(self.encoder(x))
        return depth
