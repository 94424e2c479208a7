"""DPT on BEiT (Bao et al. 2021), the most accurate of MiDaS v3.1: three networks.

Birkl, Wofk, Mueller: "MiDaS v3.1 - A Model Zoo for Robust Monocular Relative Depth Estimation" (2023). The
encoder is timm's. Its tables of relative positions are kept outside the blocks, because MiDaS resizes them for other
picture sizes in its own way (with timm's way, depth differs by 0.24 standard deviations).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from depth3d.depth._compat import import_timm
from depth3d.depth.card import ModelCard
from depth3d.depth.models.decoder import Decoder, MidasNetwork
from depth3d.depth.models.reassemble import Reassemble, renames, resize_grid

__all__ = ["build"]

_SPECIAL = 3  # the last rows of a table: class to patch, patch to class, class to itself


class BeitNetwork(MidasNetwork):
    """A DPT whose encoder holds a timm BEiT as ``model`` and the position tables as ``tables``."""

    renames = (
        (r"^pretrained\.model\.blocks\.(\d+)\.attn\.relative_position_bias_table$", r"encoder.tables.\1"),
        (r"^pretrained\.model\.", "encoder.model."),
        *renames,
        *MidasNetwork.decoder_renames,
    )
    ignored = (
        r"pretrained\.model\.(fc_norm|head)\..*",  # the classifier
        r"pretrained\.model\.blocks\.\d+\.attn\.relative_position_index",  # follows from the size
        r"scratch\.refinenet4\.resConfUnit1\..*",  # the deepest fusion has no skip
    )


class BeitEncoder(nn.Module):
    """The blocks of a BEiT; the outputs of four blocks become feature maps."""

    def __init__(self, name: str, taps: Sequence[int], embed: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.model: Any = import_timm().create_model(name, pretrained=False, num_classes=0, global_pool="")
        self.model.norm = nn.Identity()
        self.taps = tuple(taps)
        self.tables = nn.ParameterList()
        for block in self.model.blocks:
            self.tables.append(block.attn.relative_position_bias_table)
            block.attn.relative_position_bias_table = None
            block.attn.relative_position_index = None
        self.reassemble = nn.ModuleList(
            Reassemble(embed, out, scale) for out, scale in zip(channels, (4, 2, 1, 0.5), strict=True)
        )
        self._known_index: tuple[tuple[int, int], Tensor] | None = None

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to feature maps at 1/4, 1/8, 1/16 and 1/32 of its size."""
        patches = self.model.patch_embed.proj(x)
        grid = (patches.shape[-2], patches.shape[-1])
        x = torch.cat([self.model.cls_token.expand(len(patches), -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
        index = self._index(grid, x.device)
        maps: list[Tensor] = []
        for number, (block, table) in enumerate(zip(self.model.blocks, self.tables, strict=True)):
            x = block(x, shared_rel_pos_bias=position_bias(table, index, grid).to(x.dtype))
            if number in self.taps:
                maps.append(self.reassemble[len(maps)](x, grid))
        return maps

    def _index(self, grid: tuple[int, int], device: torch.device) -> Tensor:
        """Return the table row for each pair of tokens; cached, because all blocks and most pictures share it."""
        if self._known_index is None or self._known_index[0] != grid or self._known_index[1].device != device:
            self._known_index = (grid, relative_index(grid).to(device))
        return self._known_index[1]


def position_bias(table: Tensor, index: Tensor, grid: tuple[int, int]) -> Tensor:
    """Turn the table (rows, heads) into a bias (1, heads, tokens, tokens); interpolate it for another grid."""
    side = int((table.shape[0] - _SPECIAL) ** 0.5)
    inner = table[:-_SPECIAL].t().reshape(1, -1, side, side)
    inner = resize_grid(inner, 2 * grid[0] - 1, 2 * grid[1] - 1)
    resized = torch.cat([inner[0].flatten(1), table[-_SPECIAL:].t()], dim=1)
    return resized[:, index.flatten()].reshape(1, -1, *index.shape)


def relative_index(grid: tuple[int, int]) -> Tensor:
    """Return (1 + h*w, 1 + h*w) int64 rows of the table: the offset of two patches as one number, class token last."""
    height, width = grid
    rows = torch.arange(height).repeat_interleave(width)
    columns = torch.arange(width).repeat(height)
    down = rows[:, None] - rows[None, :] + height - 1
    across = columns[:, None] - columns[None, :] + width - 1
    special = (2 * height - 1) * (2 * width - 1)
    index = torch.empty((height * width + 1, height * width + 1), dtype=torch.int64)
    index[1:, 1:] = down * (2 * width - 1) + across
    index[0, :] = special
    index[:, 0] = special + 1
    index[0, 0] = special + 2
    return index


def build(card: ModelCard) -> nn.Module:
    """Build the BEiT network of ``card`` without weights."""
    settings = card.settings
    encoder = BeitEncoder(settings["encoder"], settings["taps"], settings["embed"], settings["channels"])
    return BeitNetwork(encoder, Decoder(settings["channels"], (256, 256, 256, 256), (256, 128, 32, 1)))
