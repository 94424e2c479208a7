"""The gradient placeholder: a guess of depth from position and contrast, used when no network is available."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth.card import ModelCard

__all__ = ["build"]


class Gradient(nn.Module):
    """A vertical gradient (bottom = near), nearer where the image is saturated or has high contrast."""

    def forward(self, x: Tensor) -> Tensor:
        """Map normalized (N, 3, H, W) to (N, H, W), larger = nearer."""
        rows = torch.linspace(0, 1, x.shape[2], device=x.device, dtype=x.dtype)[None, :, None]
        mean = x.mean(dim=1)
        strength = (x - mean[:, None]).abs().mean(dim=1) + (mean - _blur(mean)).abs()
        strength = _blur(strength)
        strength = strength / strength.amax(dim=(1, 2), keepdim=True).clamp_min(1e-6)
        return rows.expand_as(mean) + 0.35 * strength


def build(card: ModelCard) -> nn.Module:
    """Build the placeholder; it has no weights."""
    return Gradient()


def _blur(x: Tensor) -> Tensor:
    pooled = functional.avg_pool2d(x[:, None], 31, stride=8, padding=15, count_include_pad=False)
    return functional.interpolate(pooled, size=x.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
