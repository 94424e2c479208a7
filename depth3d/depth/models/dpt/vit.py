"""DPT on plain vision transformers: dpt_large (ViT-L) and dpt_hybrid (ResNet-50 and ViT-B).

Ranftl, Bochkovskiy, Koltun: "Vision Transformers for Dense Prediction" (ICCV 2021). The encoders are timm's, but the
loop over their blocks is our own: timm resizes position embeddings in another way than MiDaS does, which changes the
depth of pictures that are not square by 0.3 standard deviations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from depth3d.depth._compat import import_timm
from depth3d.depth.card import ModelCard
from depth3d.depth.models.decoder import Decoder, MidasNetwork
from depth3d.depth.models.reassemble import Reassemble, renames, resize_grid

__all__ = ["build_hybrid", "build_large"]

_WIDTHS = (256, 256, 256, 256)
_HEAD = (256, 128, 32, 1)


class VitNetwork(MidasNetwork):
    """A DPT whose encoder holds a timm vision transformer as ``model``."""

    renames = ((r"^pretrained\.model\.", "encoder.model."), *renames, *MidasNetwork.decoder_renames)
    ignored = (
        r"pretrained\.model\.(norm|head)\..*",  # the classifier
        r"scratch\.refinenet4\.resConfUnit1\..*",  # the deepest fusion has no skip
    )


class VitEncoder(nn.Module):
    """The blocks of a vision transformer; the outputs of four blocks become feature maps."""

    def __init__(self, name: str, taps: Sequence[int], embed: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.model: Any = import_timm().create_model(name, pretrained=False, num_classes=0, global_pool="")
        self.model.norm = nn.Identity()
        self.taps = tuple(taps)
        self.reassemble = nn.ModuleList(
            Reassemble(embed, out, scale) for out, scale in zip(channels, (4, 2, 1, 0.5), strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to feature maps at 1/4, 1/8, 1/16 and 1/32 of its size."""
        patches = self.model.patch_embed.proj(x)
        taken = run_blocks(self.model, patches, position_embedding, self.taps)
        grid = (patches.shape[-2], patches.shape[-1])
        return [form(tokens, grid) for form, tokens in zip(self.reassemble, taken, strict=True)]


class HybridEncoder(nn.Module):
    """A ResNetV2-50 whose last map is the transformer's input; its first two stages are features themselves."""

    def __init__(self, name: str, taps: Sequence[int], embed: int) -> None:
        super().__init__()
        self.model: Any = import_timm().create_model(name, pretrained=False, num_classes=0, global_pool="")
        self.model.norm = nn.Identity()
        self.taps = tuple(taps)
        self.reassemble = nn.ModuleList(
            [nn.Identity(), nn.Identity(), Reassemble(embed, 768, 1), Reassemble(embed, 768, 0.5)]
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to feature maps at 1/4, 1/8, 1/16 and 1/32 of its size."""
        backbone = self.model.patch_embed.backbone
        x = backbone.stem(x)
        maps: list[Tensor] = []
        for stage in backbone.stages:
            x = stage(x)
            maps.append(x)
        patches = self.model.patch_embed.proj(backbone.norm(x))
        taken = run_blocks(self.model, patches, position_embedding, self.taps)
        grid = (patches.shape[-2], patches.shape[-1])
        deep = [form(tokens, grid) for form, tokens in zip(self.reassemble[2:], taken, strict=True)]
        return [*maps[:2], *deep]


def run_blocks(
    model: Any, patches: Tensor, positions: Callable[[Tensor, int, int], Tensor], taps: Sequence[int]
) -> list[Tensor]:
    """Run (N, C, h, w) patches through the blocks; return the (N, 1 + h*w, C) tokens after each block in ``taps``.

    ``positions`` resizes the stored position embedding (1, 1 + s*s, C) to a grid of height x width.
    """
    height, width = patches.shape[-2:]
    x = torch.cat([model.cls_token.expand(len(patches), -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
    x = x + positions(model.pos_embed, height, width)
    taken: list[Tensor] = []
    for index, block in enumerate(model.blocks):
        x = block(x)
        if index in taps:
            taken.append(x)
    return taken


def position_embedding(stored: Tensor, height: int, width: int) -> Tensor:
    """Resize (1, 1 + s*s, C) to (1, 1 + height*width, C); the class token's embedding is unchanged."""
    side = int((stored.shape[1] - 1) ** 0.5)
    grid = stored[:, 1:].transpose(1, 2).reshape(1, -1, side, side)
    return torch.cat([stored[:, :1], resize_grid(grid, height, width).flatten(2).transpose(1, 2)], dim=1)


def build_large(card: ModelCard) -> nn.Module:
    """Build dpt_large without weights."""
    channels = card.settings["channels"]
    encoder = VitEncoder(card.settings["encoder"], card.settings["taps"], card.settings["embed"], channels)
    return VitNetwork(encoder, Decoder(channels, _WIDTHS, _HEAD))


def build_hybrid(card: ModelCard) -> nn.Module:
    """Build dpt_hybrid without weights."""
    encoder = HybridEncoder(card.settings["encoder"], card.settings["taps"], card.settings["embed"])
    return VitNetwork(encoder, Decoder(card.settings["channels"], _WIDTHS, _HEAD))
