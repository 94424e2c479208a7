"""Layers shared by the optical-flow networks, in plain torch: cost volumes and warping."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["cost_volume", "warp_border", "warp_masked"]


def cost_volume(first: Tensor, second: Tensor, reach: int, step: int = 1) -> Tensor:
    """Correlate every pixel of ``first`` with its neighborhood in ``second``.

    Returns (N, D * D, H, W) means over the channels, D = 2 * reach / step + 1; vertical displacement varies slowest.

    Parameters
    ----------
    first, second : Tensor
        (N, C, H, W) features.
    reach : int
        Largest displacement in pixels, in both directions; ``second`` is zero outside.
    step : int
        Distance between displacements, pixels.
    """
    height, width = first.shape[-2:]
    padded = functional.pad(second, (reach,) * 4)
    places = range(0, 2 * reach + 1, step)
    # One displacement at a time, because `unfold` would need memory for D * D copies of the features.
    rows = [(first * padded[..., y : y + height, x : x + width]).mean(1) for y in places for x in places]
    return torch.stack(rows, dim=1)


def _targets(flow: Tensor) -> tuple[Tensor, Tensor]:
    height, width = flow.shape[-2:]
    columns = torch.arange(width, dtype=flow.dtype, device=flow.device)
    rows = torch.arange(height, dtype=flow.dtype, device=flow.device)
    return columns[None, None, :] + flow[:, 0], rows[None, :, None] + flow[:, 1]


def _sample(picture: Tensor, x: Tensor, y: Tensor, padding: str) -> Tensor:
    height, width = picture.shape[-2:]
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    return functional.grid_sample(picture, grid, mode="bilinear", padding_mode=padding, align_corners=True)


def warp_masked(picture: Tensor, flow: Tensor) -> Tensor:
    """Sample ``picture`` (N, C, H, W) at x + flow (N, 2, H, W); zero where the sample crosses the border."""
    x, y = _targets(flow)
    height, width = picture.shape[-2:]
    # Share of the bilinear weight that lies inside, per axis: equal to sampling a plane of ones, but faster.
    inside_x = (1 - (-x).clamp(min=0) - (x - (width - 1)).clamp(min=0)).clamp(min=0)
    inside_y = (1 - (-y).clamp(min=0) - (y - (height - 1)).clamp(min=0)).clamp(min=0)
    whole = (inside_x * inside_y > 0.999).to(picture.dtype)
    return _sample(picture, x, y, "zeros") * whole[:, None]


def warp_border(picture: Tensor, flow: Tensor) -> Tensor:
    """Sample ``picture`` (N, C, H, W) at x + flow (N, 2, H, W); edge pixels repeat beyond the border."""
    x, y = _targets(flow)
    return _sample(picture, x, y, "border")
