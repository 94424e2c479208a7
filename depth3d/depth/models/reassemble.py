"""Reassemble the tokens of a vision transformer into feature maps (DPT, Ranftl, Bochkovskiy, Koltun, ICCV 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Reassemble", "renames"]

# Official key -> our key. Official levels count from 1, ours from 0.
renames = tuple(
    (rf"^pretrained\.act_postprocess{level + 1}\.{official}\.", f"encoder.reassemble.{level}.{ours}.")
    for level in range(4)
    for official, ours in ((r"0\.project\.0", "readout"), ("3", "project"), ("4", "resize"))
)


class Reassemble(nn.Module):
    """Turn the tokens of one block into a feature map.

    Parameters
    ----------
    embed : int
        Width of the tokens.
    out : int
        Channels of the map.
    scale : float
        Size of the map in units of the token grid: 4, 2, 1, or 0.5.
    readout : bool
        Whether a linear layer mixes the class token into every patch; otherwise the class token is dropped.
    """

    def __init__(self, embed: int, out: int, scale: float, *, readout: bool = True) -> None:
        super().__init__()
        self.readout = nn.Linear(2 * embed, embed) if readout else None
        self.project = nn.Conv2d(embed, out, 1)
        if scale > 1:
            self.resize: nn.Module = nn.ConvTranspose2d(out, out, int(scale), stride=int(scale))
        elif scale < 1:
            self.resize = nn.Conv2d(out, out, 3, stride=round(1 / scale), padding=1)
        else:
            self.resize = nn.Identity()

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """Map (N, 1 + h*w, C), class token first, to (N, out, h * scale, w * scale)."""
        width = tokens.shape[-1]
        if self.readout is None:
            return self._to_map(tokens[:, 1:], grid)
        # The readout is a linear layer on [patch, class]; the class token is the same for all patches, so that its half
        # is computed only once.
        patches = functional.linear(tokens[:, 1:], self.readout.weight[:, :width])
        whole = functional.linear(tokens[:, :1], self.readout.weight[:, width:], self.readout.bias)
        return self._to_map(functional.gelu(patches + whole), grid)

    def _to_map(self, patches: Tensor, grid: tuple[int, int]) -> Tensor:
        x = patches.transpose(1, 2).reshape(len(patches), patches.shape[-1], *grid)
        found: Tensor = self.resize(self.project(x))
        return found


def resize_grid(table: Tensor, height: int, width: int) -> Tensor:
    """Resize (1, C, h, w) to (1, C, height, width), bilinear without low-pass, as the official code does."""
    if table.shape[-2:] == torch.Size((height, width)):
        return table
    return functional.interpolate(table, size=(height, width), mode="bilinear", align_corners=False)
