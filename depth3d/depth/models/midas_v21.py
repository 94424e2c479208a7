"""MiDaS v2.1, large and small: a convolutional encoder and the decoder.

Ranftl, Lasinger, Hafner, Schindler, Koltun: "Towards Robust Monocular Depth Estimation: Mixing Datasets for
Zero-shot Cross-dataset Transfer" (TPAMI 2020). The encoders are timm's ResNeXt-101 32x8d and TensorFlow-style
EfficientNet-Lite3.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from depth3d.depth._compat import import_timm
from depth3d.depth.card import ModelCard
from depth3d.depth.models.decoder import Decoder, MidasNetwork

__all__ = ["build_large", "build_small"]


class SmallNetwork(MidasNetwork):
    """MiDaS v2.1 small, 256 pixels."""

    renames = (
        (r"^pretrained\.layer1\.0\.", "encoder.conv_stem."),
        (r"^pretrained\.layer1\.1\.", "encoder.bn1."),
        (r"^pretrained\.layer1\.3\.", "encoder.blocks.0."),
        (r"^pretrained\.layer1\.4\.", "encoder.blocks.1."),
        (r"^pretrained\.layer2\.0\.", "encoder.blocks.2."),
        (r"^pretrained\.layer3\.0\.", "encoder.blocks.3."),
        (r"^pretrained\.layer3\.1\.", "encoder.blocks.4."),
        (r"^pretrained\.layer4\.0\.", "encoder.blocks.5."),
        (r"^pretrained\.layer4\.1\.", "encoder.blocks.6."),
        *MidasNetwork.decoder_renames,
    )
    foldable = True
    packable = ("encoder", "decoder")
    # Measured on trained EfficientNet-Lite weights: bfloat16 in the first layers costs 1 to 11 % of the range.
    float32_parts = (
        "encoder.conv_stem",
        "encoder.bn1",
        "encoder.blocks.0",
        "encoder.blocks.1",
        "decoder.head.conv3",
    )
    # The deepest fusion has no skip connection: its residual unit for it is in the file, but never used.
    ignored = (r"scratch\.refinenet4\.resConfUnit1\..*",)


class LargeNetwork(MidasNetwork):
    """MiDaS v2.1 large, 384 pixels."""

    renames = (
        (r"^pretrained\.layer1\.0\.", "encoder.conv1."),
        (r"^pretrained\.layer1\.1\.", "encoder.bn1."),
        (r"^pretrained\.layer1\.4\.", "encoder.layer1."),
        (r"^pretrained\.layer([234])\.", r"encoder.layer\1."),
        *MidasNetwork.decoder_renames,
    )
    ignored = (r"scratch\.refinenet4\.resConfUnit1\..*",)
    foldable = True
    packable = ("encoder", "decoder")


def build_small(card: ModelCard) -> nn.Module:
    """Build v2.1 small with random weights."""
    return SmallNetwork(
        _features(card.settings["encoder"]),
        Decoder((32, 48, 136, 384), (64, 128, 256, 512), (64, 32, 32, 1), align_corners=False),
    )


def build_large(card: ModelCard) -> nn.Module:
    """Build v2.1 large with random weights."""
    widths = (256, 256, 256, 256)
    return LargeNetwork(
        _features(card.settings["encoder"]),
        Decoder((256, 512, 1024, 2048), widths, (256, 128, 32, 1), relu_skip=True, project=False, align_corners=False),
    )


def _features(name: str) -> Any:
    return import_timm().create_model(name, pretrained=False, features_only=True, out_indices=(1, 2, 3, 4))
