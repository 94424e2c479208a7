"""DPT on LeViT (Graham et al. 2021), the fastest transformer of MiDaS v3.1, 224 x 224 only.

The published network takes its features from the middle of the stages, so its last blocks (a third of the file)
have no effect; they are neither built nor loaded.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from depth3d.depth._compat import import_timm
from depth3d.depth.card import ModelCard
from depth3d.depth.models.decoder import Decoder, MidasNetwork

__all__ = ["build"]

# The official file has one flat list of blocks, attention and MLP in turn; each stage after the first starts with a
# pair that shrinks the grid. Our stages: (index of the first pair there, number of pairs, shrinking pair or None).
_STAGES = ((0, 4, None), (10, 4, 8), (20, 1, 18))


def _block_renames() -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for stage, (first, count, shrinking) in enumerate(_STAGES):
        if shrinking is not None:
            target = f"encoder.model.stages.{stage}.downsample"
            pairs.append((rf"^pretrained\.model\.blocks\.{shrinking}\.", f"{target}.attn_downsample."))
            pairs.append((rf"^pretrained\.model\.blocks\.{shrinking + 1}\.m\.", f"{target}.mlp."))
        for block in range(count):
            target = f"encoder.model.stages.{stage}.blocks.{block}"
            pairs.append((rf"^pretrained\.model\.blocks\.{first + 2 * block}\.m\.", f"{target}.attn."))
            pairs.append((rf"^pretrained\.model\.blocks\.{first + 2 * block + 1}\.m\.", f"{target}.mlp."))
    return pairs


class LevitNetwork(MidasNetwork):
    """LeViT-384 with three levels and an upsampling stem before the head."""

    renames = (
        *((rf"^pretrained\.model\.patch_embed\.{2 * n}\.", f"encoder.model.stem.conv{n + 1}.") for n in range(4)),
        *_block_renames(),
        (r"\.mlp\.0\.", ".mlp.ln1."),
        (r"\.mlp\.2\.", ".mlp.ln2."),
        (r"\.(proj|q)\.1\.", r".\1.ln."),
        (r"^(encoder\..*)\.c\.", r"\1.linear."),
        (r"^scratch\.stem_transpose\.0\.", "decoder.before_head.first."),
        (r"^scratch\.stem_transpose\.2\.", "decoder.before_head.second."),
        *MidasNetwork.decoder_renames,
    )
    ignored = (
        r"pretrained\.model\.head(_dist)?\..*",  # the classifiers
        r"pretrained\.model\.blocks\.2[2-7]\..*",  # behind the last feature, without effect
        r".*\.attention_bias_idxs",  # computed from the size
        r"scratch\.refinenet3\.resConfUnit1\..*",  # the deepest fusion has no skip
    )


class LevitEncoder(nn.Module):
    """LeViT encoder whose features are the grids after two, one and one blocks of its three stages."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.model: Any = import_timm().create_model(name, pretrained=False, num_classes=0)
        self.model.stages[2].blocks = self.model.stages[2].blocks[:1]
        self.taken = (2, 1, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, 224, 224) to features (N, 384, 14, 14), (N, 512, 7, 7) and (N, 768, 4, 4)."""
        x = self.model.stem(x)
        side = x.shape[-1]
        x = x.flatten(2).transpose(1, 2)
        maps: list[Tensor] = []
        for stage, taken in zip(self.model.stages, self.taken, strict=True):
            x = stage.downsample(x)
            for number, block in enumerate(stage.blocks, start=1):
                x = block(x)
                if number == taken:
                    maps.append(x.transpose(1, 2).reshape(len(x), -1, side, side))
            side = (side + 1) // 2
        return maps


class Enlarge(nn.Module):
    """Upsample by 2 with a transposed convolution and batch norm."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.c = nn.ConvTranspose2d(channels, out, 3, stride=2, padding=1, output_padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, out, 2H, 2W)."""
        enlarged: Tensor = self.bn(self.c(x))
        return enlarged


class Stem(nn.Module):
    """Upsample from 28 to 112 pixels before the head: the inverse of LeViT's stem."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Enlarge(256, 128)
        self.act = nn.Hardswish()
        self.second = Enlarge(128, 64)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 256, H, W) to (N, 64, 4H, 4W)."""
        enlarged: Tensor = self.act(self.second(self.act(self.first(x))))
        return enlarged


def build(card: ModelCard) -> nn.Module:
    """Build the LeViT network of ``card`` without weights."""
    decoder = Decoder(card.settings["channels"], (256, 256, 256), (64, 32, 8, 1), before_head=Stem())
    return LevitNetwork(LevitEncoder(card.settings["encoder"]), decoder)
