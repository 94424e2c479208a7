"""Depth Anything V1, V2 and V2 metric: a DINOv2 backbone and the DPT decoder.

Yang et al., "Depth Anything" (CVPR 2024) and "Depth Anything V2" (NeurIPS 2024); the backbone is timm's DINOv2 (Oquab
et al. 2023). V1 takes its features from the last four blocks, V2 from four evenly spaced ones. The official code
resizes the position embedding by a factor of (h + 0.1) / 37. timm and transformers resize it to the exact size of the
grid, which changes the depth of inputs other than 518 x 518 pixels by 0.1 to 2 standard deviations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from depth3d.depth._compat import import_timm
from depth3d.depth.card import ModelCard
from depth3d.depth.models.decoder import Decoder, MidasNetwork
from depth3d.depth.models.dpt.vit import run_blocks
from depth3d.depth.models.reassemble import Reassemble

__all__ = ["DepthAnything", "DinoEncoder", "build", "from_transformers"]

_TRAINED_SIZE = 518
_OFFSET = 0.1
"""Added to the grid's size before the scale factor is computed, as in the official code of DINOv2."""


class DinoEncoder(nn.Module):
    """A DINOv2 vision transformer; four of its blocks become feature maps.

    Parameters
    ----------
    name : str
        timm's name of the backbone.
    taps : Sequence[int]
        Indices of the four blocks, from 0.
    width : int
        Width of the tokens.
    channels : Sequence[int]
        Channels of the four maps.
    """

    def __init__(self, name: str, taps: Sequence[int], width: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.model: Any = import_timm().create_model(
            name, pretrained=False, img_size=_TRAINED_SIZE, dynamic_img_size=True, num_classes=0
        )
        self.taps = tuple(taps)
        self.reassemble = nn.ModuleList(
            Reassemble(width, out, scale, readout=False) for out, scale in zip(channels, (4, 2, 1, 0.5), strict=True)
        )
        self._positions: tuple[tuple[object, ...], Tensor] | None = None  # position embedding for the last size

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) (sides multiples of 14) to features at 4, 2, 1 and 1/2 times the grid of patches."""
        patches = self.model.patch_embed.proj(x)
        taken = run_blocks(self.model, patches, self._embedding, self.taps)
        grid = (patches.shape[-2], patches.shape[-1])
        return [form(self.model.norm(tokens), grid) for form, tokens in zip(self.reassemble, taken, strict=True)]

    def _embedding(self, stored: Tensor, height: int, width: int) -> Tensor:
        height, width = int(height), int(width)  # torch's tracing would give tensors here
        key = (height, width, stored.dtype, stored.device, stored.data_ptr())
        known = self._positions
        if known is None or known[0] != key:
            known = (key, position_embedding(stored, height, width))
            if torch._C._get_tracing_state() is None:  # a traced tensor must not outlive its trace
                self._positions = known
        return known[1]


def position_embedding(stored: Tensor, height: int, width: int) -> Tensor:
    """Resize (1, 1 + s*s, C) to (1, 1 + height*width, C); the class token's embedding is unchanged.

    Bicubic without low-pass, always in float32, by scale factors of (height + 0.1) / s and (width + 0.1) / s.
    """
    side = int((stored.shape[1] - 1) ** 0.5)
    if (height, width) == (side, side):
        return stored
    grid = stored[:, 1:].float().transpose(1, 2).reshape(1, -1, side, side)
    scale = ((height + _OFFSET) / side, (width + _OFFSET) / side)
    grid = functional.interpolate(grid, scale_factor=scale, mode="bicubic", align_corners=False)
    return torch.cat([stored[:, :1], grid.flatten(2).transpose(1, 2).to(stored.dtype)], dim=1)


class ScaledSigmoid(nn.Module):
    """Convert the head's output to depth in meters: sigmoid(x) * ``largest``."""

    def __init__(self, largest: float) -> None:
        super().__init__()
        self.largest = largest

    def forward(self, x: Tensor) -> Tensor:
        """Map any shape to the same shape, with values in (0, largest)."""
        return torch.sigmoid(x) * self.largest


class DepthAnything(MidasNetwork):
    """Depth Anything: (N, 3, H, W) normalized, sides multiples of 14 -> (N, H, W) inverse depth >= 0, or meters."""

    renames = (
        (r"^pretrained\.", "encoder.model."),
        (r"^depth_head\.projects\.(\d)\.", r"encoder.reassemble.\1.project."),
        (r"^depth_head\.resize_layers\.(\d)\.", r"encoder.reassemble.\1.resize."),
        (r"^depth_head\.", ""),
        (r"^scratch\.output_conv1\.", "decoder.head.conv1."),
        (r"^scratch\.output_conv2\.0\.", "decoder.head.conv2."),
        (r"^scratch\.output_conv2\.2\.", "decoder.head.conv3."),
        *MidasNetwork.decoder_renames,
    )
    ignored = (
        r"pretrained\.mask_token",  # used in pre-training only
        r"depth_head\.scratch\.refinenet4\.resConfUnit1\..*",  # the deepest fusion has no skip
    )
    packable = ("encoder.reassemble", "decoder")

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W) to (N, H, W), see the class."""
        depth: Tensor = self.decoder(self.encoder(x), x.shape[-2:])
        return depth


def build(card: ModelCard) -> nn.Module:
    """Build the network of ``card`` without weights."""
    facts = card.settings
    features, largest = facts["features"], facts["max_depth"]
    decoder = Decoder(
        facts["channels"],
        (features,) * 4,
        (features, features // 2, 32, 1),
        activation=None if largest is None else ScaledSigmoid(largest),
    )
    return DepthAnything(DinoEncoder(facts["encoder"], facts["taps"], facts["width"], facts["channels"]), decoder)


# Key in files of transformers -> official key. transformers counts levels from 0, official files from 1 or backwards.
_BLOCK = r"^backbone\.encoder\.layer\.(\d+)\."
_FROM_TRANSFORMERS = (
    (r"^backbone\.embeddings\.position_embeddings$", "pretrained.pos_embed"),
    (r"^backbone\.embeddings\.patch_embeddings\.projection\.", "pretrained.patch_embed.proj."),
    (r"^backbone\.embeddings\.", "pretrained."),
    (_BLOCK + r"layer_scale(\d)\.lambda1$", r"pretrained.blocks.\1.ls\2.gamma"),
    (_BLOCK + r"attention\.output\.dense\.", r"pretrained.blocks.\1.attn.proj."),
    (_BLOCK, r"pretrained.blocks.\1."),
    (r"^backbone\.layernorm\.", "pretrained.norm."),
    (r"^neck\.reassemble_stage\.layers\.(\d)\.projection\.", r"depth_head.projects.\1."),
    (r"^neck\.reassemble_stage\.layers\.(\d)\.resize\.", r"depth_head.resize_layers.\1."),
    *((rf"^neck\.convs\.{level}\.", f"depth_head.scratch.layer{level + 1}_rn.") for level in range(4)),
    *((rf"^neck\.fusion_stage\.layers\.{level}\.", f"depth_head.scratch.refinenet{4 - level}.") for level in range(4)),
    (r"(refinenet\d)\.projection\.", r"\1.out_conv."),
    (r"\.residual_layer(\d)\.convolution(\d)\.", r".resConfUnit\1.conv\2."),
    (r"^head\.conv1\.", "depth_head.scratch.output_conv1."),
    (r"^head\.conv2\.", "depth_head.scratch.output_conv2.0."),
    (r"^head\.conv3\.", "depth_head.scratch.output_conv2.2."),
)
_QKV = ("query", "key", "value")
_ATTENTION = re.compile(_BLOCK + r"attention\.attention\.(query|key|value)\.(weight|bias)$")


def from_transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the keys of a transformers ("-hf") file to the official ones; query, key and value become one tensor."""
    renames = [(re.compile(pattern), new) for pattern, new in _FROM_TRANSFORMERS]
    official: dict[str, Tensor] = {}
    for key, tensor in state.items():
        attention = _ATTENTION.match(key)
        parts = [] if attention is None else [state.get(key.replace(attention[2], part)) for part in _QKV]
        whole = [part for part in parts if part is not None]
        if attention is None or len(whole) < len(_QKV):  # the keys of an incomplete set are reported as unexpected
            name = key
            for pattern, new in renames:
                name = pattern.sub(new, name)
            official[name] = tensor
        elif attention[2] == _QKV[0]:
            official[f"pretrained.blocks.{attention[1]}.attn.qkv.{attention[3]}"] = torch.cat(whole)
    return official
