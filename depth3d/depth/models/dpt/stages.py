"""DPT on encoders whose four stage outputs are the features: Swin, Swin V2 and Next-ViT, all from timm.

Birkl, Wofk, Mueller: "MiDaS v3.1 - A Model Zoo for Robust Monocular Relative Depth Estimation" (2023).
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from torch import Tensor, nn

from depth3d.depth._compat import import_timm
from depth3d.depth.card import ModelCard
from depth3d.depth.models.decoder import Decoder, MidasNetwork

__all__ = ["build_next_vit", "build_swin"]

_DEEPEST = r"scratch\.refinenet4\.resConfUnit1\..*"  # the deepest fusion has no skip


class SwinNetwork(MidasNetwork):
    """Swin and Swin V2. timm has since moved each patch merging to the start of the next stage."""

    renames = (
        *(
            (rf"^pretrained\.model\.layers\.{n}\.downsample\.", f"encoder.model.layers.{n + 1}.downsample.")
            for n in range(3)
        ),
        (r"^pretrained\.model\.", "encoder.model."),
        *MidasNetwork.decoder_renames,
    )
    ignored = (
        r"pretrained\.model\.(norm|head)\..*",  # the classifier
        r"pretrained\.model\.layers\.\d+\.blocks\.\d+\.attn_mask",  # this and the next are computed from the size
        r"pretrained\.model\.layers\.\d+\.blocks\.\d+\.attn\.relative_position_index",
        _DEEPEST,
    )


_NEXT_VIT_LENGTHS = (3, 4, 30, 3)
_NEXT_VIT_STARTS = (0, *accumulate(_NEXT_VIT_LENGTHS[:-1]))


class NextVitNetwork(MidasNetwork):
    """Next-ViT. The official file numbers all blocks in one sequence, timm numbers them within each stage."""

    renames = (
        *(
            (rf"^pretrained\.model\.features\.{start + block}\.", f"encoder.model.stages.{stage}.blocks.{block}.")
            for stage, (start, length) in enumerate(zip(_NEXT_VIT_STARTS, _NEXT_VIT_LENGTHS, strict=True))
            for block in range(length)
        ),
        (r"^pretrained\.model\.", "encoder.model."),
        (r"\.mlp\.conv([12])\.", r".mlp.fc\1."),
        *MidasNetwork.decoder_renames,
    )
    ignored = (r"pretrained\.model\.(norm|proj_head)\..*", _DEEPEST)
    foldable = True


class StageEncoder(nn.Module):
    """A timm encoder whose features are the outputs of its four stages, before the final norm."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.model: Any = import_timm().create_model(name, pretrained=False, num_classes=0)
        self.model.norm = nn.Identity()

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to feature maps at 1/4, 1/8, 1/16 and 1/32 of its size."""
        maps: list[Tensor] = self.model.forward_intermediates(
            x, indices=[0, 1, 2, 3], norm=False, output_fmt="NCHW", intermediates_only=True
        )
        return maps


def build_swin(card: ModelCard) -> nn.Module:
    """Build the Swin or Swin V2 network of ``card`` without weights."""
    return SwinNetwork(StageEncoder(card.settings["encoder"]), _decoder(card))


def build_next_vit(card: ModelCard) -> nn.Module:
    """Build the Next-ViT network of ``card`` without weights."""
    return NextVitNetwork(StageEncoder(card.settings["encoder"]), _decoder(card))


def _decoder(card: ModelCard) -> Decoder:
    return Decoder(card.settings["channels"], (256, 256, 256, 256), (256, 128, 32, 1))
