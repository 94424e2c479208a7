"""Video-Depth-Anything: Depth Anything V2 with attention over time between the scales of its decoder.

Chen et al., "Video Depth Anything: Consistent Depth Estimation for Super-Long Videos" (CVPR 2025). Four motion modules
(Guo et al., "AnimateDiff", 2023) let each pixel attend to the same pixel in up to 32 frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth.card import ModelCard
from depth3d.depth.models.decoder import Decoder, MidasNetwork
from depth3d.depth.models.depth_anything import DepthAnything, DinoEncoder

__all__ = ["FRAMES", "VideoDepthAnything", "build"]

FRAMES = 32
"""Largest number of frames in one forward pass."""
_HEADS = 8
_ENCODED_AT_ONCE = 4  # frames per call of the encoder; more frames are not faster, but need more memory


class TemporalAttention(nn.Module):
    """Self-attention over time for (P, T, C) tokens, with a fixed sine table for the frame numbers."""

    table: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(width, width, bias=False)
        self.to_v = nn.Linear(width, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])
        self.register_buffer("table", sine_table(width), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (P, T, C), T <= 32, to the same shape."""
        x = x + self.table[: x.shape[1]]
        q, k, v = (layer(x).unflatten(-1, (_HEADS, -1)).transpose(1, 2) for layer in (self.to_q, self.to_k, self.to_v))
        attended = functional.scaled_dot_product_attention(q, k, v)
        return cast(Tensor, self.to_out[0](attended.transpose(1, 2).flatten(2)))


class GatedLinear(nn.Module):
    """GEGLU (Shazeer 2020): the first half of a projection times the GELU of the second half."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 2 * inner)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., width) to (..., inner)."""
        value, gate = self.proj(x).chunk(2, dim=-1)
        return cast(Tensor, value * functional.gelu(gate))


class FeedForward(nn.Module):
    """Gated projection to four times the width and back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.ModuleList([GatedLinear(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., width) to the same shape."""
        return cast(Tensor, self.net[2](self.net[0](x)))


class TemporalBlock(nn.Module):
    """Two attentions over time and a feed-forward layer, each with a norm before and a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention_blocks = nn.ModuleList(TemporalAttention(width) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.ff = FeedForward(width)
        self.ff_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (P, T, C) to the same shape."""
        for attention, norm in zip(self.attention_blocks, self.norms, strict=True):
            x = attention(norm(x)) + x
        return cast(Tensor, self.ff(self.ff_norm(x)) + x)


class MotionModule(nn.Module):
    """Attention over time at every pixel of a feature map."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in = nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([TemporalBlock(width)])
        self.proj_out = nn.Linear(width, width)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """Map (B * frames, C, H, W) to the same shape."""
        height, width = x.shape[-2:]
        tokens = self.norm(x).unflatten(0, (-1, frames)).permute(0, 3, 4, 1, 2).flatten(0, 2)  # (B H W, T, C)
        tokens = self.proj_out(self.transformer_blocks[0](self.proj_in(tokens)))
        moved = tokens.unflatten(0, (-1, height, width)).permute(0, 3, 4, 1, 2).flatten(0, 1)
        return cast(Tensor, x + moved)


def sine_table(width: int) -> Tensor:
    """Return (32, width) sines and cosines of the frame number at falling frequencies, base 10000."""
    place = torch.arange(FRAMES, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-torch.log(torch.tensor(10000.0)) / width))
    table = torch.zeros(FRAMES, width)
    table[:, 0::2] = torch.sin(place * rate)
    table[:, 1::2] = torch.cos(place * rate)
    return table


class TemporalDecoder(Decoder):
    """The DPT decoder with motion modules on the two deepest features and after the two deepest fusions."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__(channels, (width,) * 4, (width, width // 2, 32, 1))
        self.motion = nn.ModuleList(MotionModule(one) for one in (channels[2], channels[3], width, width))

    def forward(self, features: Sequence[Tensor], size: Sequence[int] | None = None, frames: int = 1) -> Tensor:
        """Map features (B * frames, C_i, H_i, W_i), finest first, to (B * frames, *size)."""
        maps = [*features[:2], self.motion[0](features[2], frames), self.motion[1](features[3], frames)]
        skips = [reduce(feature) for reduce, feature in zip(self.reduce, maps, strict=True)]
        path = self.fuse[3](None, skips[3], skips[2].shape[-2:])
        path = self.fuse[2](self.motion[2](path, frames), skips[2], skips[1].shape[-2:])
        path = self.fuse[1](self.motion[3](path, frames), skips[1], skips[0].shape[-2:])
        height, width = skips[0].shape[-2:]
        return cast(Tensor, self.head(self.fuse[0](path, skips[0], (2 * height, 2 * width)), size))


class VideoDepthAnything(MidasNetwork):
    """Video-Depth-Anything: relative inverse depth >= 0 of clips, or of single images as clips of one frame."""

    renames = (
        (r"^head\.motion_modules\.(\d)\.temporal_transformer\.", r"decoder.motion.\1."),
        (r"^head\.", "depth_head."),
        *DepthAnything.renames,
    )
    ignored = (
        r"pretrained\.mask_token",
        r"head\.scratch\.refinenet4\.resConfUnit1\..*",
        r".*\.pos_encoder\.pe",  # the fixed sine table
    )
    packable = ("encoder.reassemble",)

    def forward(self, x: Tensor, frames: int = 1) -> Tensor:
        """Map normalized frames (B * frames, 3, H, W), sides multiples of 14, to (B * frames, H, W)."""
        parts = [self.encoder(part) for part in torch.split(x, _ENCODED_AT_ONCE)]
        features = [torch.cat(level) for level in zip(*parts, strict=True)]
        return cast(Tensor, self.decoder(features, x.shape[-2:], frames))


def build(card: ModelCard) -> nn.Module:
    """Build the network of ``card`` without weights."""
    facts = card.settings
    encoder = DinoEncoder(facts["encoder"], facts["taps"], facts["width"], facts["channels"])
    return VideoDepthAnything(encoder, TemporalDecoder(facts["channels"], facts["features"]))
