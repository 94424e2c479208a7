"""The thirteen MiDaS networks as data, one `ModelCard` each.

URLs and sizes are those of the MiDaS releases. Hashes are listed where they were published. For the files of v3.1 they
were not; `depth3d models download` prints the SHA-256 of the received file.
"""

from __future__ import annotations

from typing import Any

from depth3d.depth.card import IMAGENET, NEUTRAL, InputRule, ModelCard, WeightsFile

__all__ = ["CARDS"]

Facts = dict[str, Any]

_MODELS = "depth3d.depth.models"
_V21 = "Ranftl et al., Towards Robust Monocular Depth Estimation, TPAMI 2020"
_DPT = "Ranftl et al., Vision Transformers for Dense Prediction, ICCV 2021"
_V31 = "Birkl et al., MiDaS v3.1 - A Model Zoo for Robust Monocular Relative Depth Estimation, 2023"

_FREE = InputRule(384, normalization=NEUTRAL)  # any aspect ratio
_SQUARE = InputRule(384, keep_aspect=False, normalization=NEUTRAL)  # Swin and LeViT run at their own size only
_VIT_LARGE: Facts = {"taps": (5, 11, 17, 23), "embed": 1024, "channels": (256, 512, 1024, 1024)}
_POSITIONS = "pretrained.model.blocks.0.attn.relative_position_bias_table"
_DEEPEST = "scratch.layer4_rn.weight"
_QUERY_BIAS = "pretrained.model.layers.0.blocks.0.attn.q_bias"

# Entries of the official state dict and their bytes: they limit the size of files whose size was not published.
_LAYOUTS = {
    "midas_v21_small_256": (482, 85_579_204),
    "midas_v21_384": (666, 422_264_132),
    "dpt_large_384": (368, 1_376_221_860),
    "dpt_hybrid_384": (368, 492_587_940),
    "dpt_beit_large_512": (487, 1_581_777_764),
    "dpt_beit_large_384": (487, 1_441_276_772),
    "dpt_beit_base_384": (283, 478_087_940),
    "dpt_swin2_large_384": (477, 880_189_556),
    "dpt_swin2_base_384": (477, 436_057_732),
    "dpt_swin2_tiny_256": (273, 172_048_204),
    "dpt_swin_large_384": (414, 867_232_628),
    "dpt_next_vit_large_384": (962, 289_364_812),
    "dpt_levit_224": (465, 204_348_452),
}


def _midas(
    name: str, hub: str, release: str, published: Facts | None = None, *, facts: Facts, **card: Any
) -> ModelCard:
    """Make the card of a MiDaS network; ``hub`` is its name in torch.hub, ``published`` holds facts about its file."""
    file = f"{name}.pt"
    url = f"https://github.com/isl-org/MiDaS/releases/download/{release}/{file}"
    card["build"] = f"{_MODELS}.{card['build']}"
    aliases = (hub, *card.pop("aliases", ()))
    license = "MIT (Intel ISL, github.com/isl-org/MiDaS)"
    weights = WeightsFile(file, url, layout=_LAYOUTS[name], **(published or {}))
    return ModelCard(name, weights=weights, aliases=aliases, license=license, **facts, **card)


# `improvement` is from the README of MiDaS v3.1. `speed` is for one CPU core: fast below 0.6 s, medium below 2 s.
CARDS: tuple[ModelCard, ...] = (
    _midas(
        "midas_v21_small_256",
        "MiDaS_small",
        "v2_1",
        {
            "sha256": "70d6b9c891758c67f974a6097fb0c608c7ee67fb81ac3e5588847d5596d56fca",
            "also": ("model-small-70d6b9c8.pt", "midas_v21_small-70d6b9c8.pt"),
        },
        build="midas_v21:build_small",
        settings={"encoder": "tf_efficientnet_lite3"},
        input=InputRule(256, method="upper_bound", normalization=IMAGENET),
        marks={"pretrained.layer1.3.0.conv_dw.weight": (32, 1, 3, 3), _DEEPEST: (512, 384, 3, 3)},
        facts={"parameters": 21_320_545, "accuracy": "basic", "speed": "fast", "improvement": -76, "preference": 1},
        aliases=("small",),
        source=_V21,
    ),
    _midas(
        "dpt_levit_224",
        "DPT_LeViT_224",
        "v3_1",
        build="dpt.levit:build",
        settings={"encoder": "levit_384", "channels": (384, 512, 768)},
        input=InputRule(224, keep_aspect=False, normalization=NEUTRAL),
        marks={"scratch.stem_transpose.0.c.weight": (256, 128, 3, 3)},
        facts={"parameters": 50_630_837, "accuracy": "basic", "speed": "fast", "improvement": -40, "preference": 2},
        source=_V31,
    ),
    _midas(
        "dpt_swin2_tiny_256",
        "DPT_SwinV2_T_256",
        "v3_1",
        build="dpt.stages:build_swin",
        settings={"encoder": "swinv2_tiny_window16_256", "channels": (96, 192, 384, 768)},
        input=InputRule(256, keep_aspect=False, normalization=NEUTRAL),
        marks={_DEEPEST: (256, 768, 3, 3), _QUERY_BIAS: (96,)},
        facts={"parameters": 41_701_331, "accuracy": "good", "speed": "fast", "improvement": -11, "preference": 4},
        source=_V31,
    ),
    _midas(
        "midas_v21_384",
        "MiDaS",
        "v2_1",
        {
            "sha256": "f6b980704cfd7259c7cc2b058c2f160159c55e84b3b6c08331b4156a84629f70",
            "size": 422_509_849,
            "also": ("model-f6b98070.pt", "midas_v21-f6b98070.pt"),
        },
        build="midas_v21:build_large",
        settings={"encoder": "resnext101_32x8d"},
        input=InputRule(384, method="upper_bound", normalization=IMAGENET),
        marks={"pretrained.layer1.4.0.conv1.weight": (256, 64, 1, 1), _DEEPEST: (256, 2048, 3, 3)},
        facts={"parameters": 105_362_945, "accuracy": "basic", "speed": "medium", "improvement": -32, "preference": 3},
        source=_V21,
    ),
    _midas(
        "dpt_hybrid_384",
        "DPT_Hybrid",
        "v3",
        {
            "sha256": "501f0c75b3bca7daec6b3682c5054c09b366765aef6fa3a09d03a5cb4b230853",
            "also": ("dpt_hybrid-midas-501f0c75.pt",),
        },
        build="dpt.vit:build_hybrid",
        settings={"encoder": "vit_base_r50_s16_384", "taps": (8, 11), "embed": 768, "channels": (256, 512, 768, 768)},
        input=_FREE,
        marks={"pretrained.model.patch_embed.backbone.stem.conv.weight": (64, 3, 7, 7)},
        facts={"parameters": 123_146_985, "accuracy": "good", "speed": "medium", "improvement": -10, "preference": 5},
        source=_DPT,
    ),
    _midas(
        "dpt_next_vit_large_384",
        "DPT_Next_ViT_L_384",
        "v3_1",
        build="dpt.stages:build_next_vit",
        settings={"encoder": "nextvit_large", "channels": (96, 256, 512, 1024)},
        input=_FREE,
        marks={"pretrained.model.features.0.mhca.group_conv3x3.weight": (96, 32, 3, 3)},
        facts={"parameters": 72_260_713, "accuracy": "high", "speed": "medium", "improvement": 16, "preference": 8},
        source=_V31,
    ),
    _midas(
        "dpt_beit_base_384",
        "DPT_BEiT_B_384",
        "v3_1",
        build="dpt.beit:build",
        settings={
            "encoder": "beit_base_patch16_384",
            "taps": (2, 5, 8, 11),
            "embed": 768,
            "channels": (96, 192, 384, 768),
        },
        input=_FREE,
        marks={_POSITIONS: (2212, 12)},
        facts={"parameters": 111_531_689, "accuracy": "good", "speed": "medium", "improvement": -31, "preference": 6},
        source=_V31,
    ),
    _midas(
        "dpt_swin2_base_384",
        "DPT_SwinV2_B_384",
        "v3_1",
        build="dpt.stages:build_swin",
        settings={"encoder": "swinv2_base_window12to24_192to384", "channels": (128, 256, 512, 1024)},
        input=_SQUARE,
        marks={_DEEPEST: (256, 1024, 3, 3), _QUERY_BIAS: (128,)},
        facts={"parameters": 102_378_913, "accuracy": "high", "speed": "slow", "improvement": 22, "preference": 11},
        source=_V31,
    ),
    _midas(
        "dpt_large_384",
        "DPT_Large",
        "v3",
        {
            "sha256": "2f21e586477d90cb9624c7eef5df7891edca49a1c4795ee2cb631fd4daa6ca69",
            "size": 1_376_378_527,
            "also": ("dpt_large-midas-2f21e586.pt",),
        },
        build="dpt.vit:build_large",
        settings={"encoder": "vit_large_patch16_384", **_VIT_LARGE},
        input=_FREE,
        marks={"pretrained.model.pos_embed": (1, 577, 1024)},
        facts={"parameters": 344_055_465, "accuracy": "good", "speed": "slow", "improvement": 0, "preference": 7},
        source=_DPT,
    ),
    _midas(
        "dpt_swin_large_384",
        "DPT_Swin_L_384",
        "v3_1",
        build="dpt.stages:build_swin",
        settings={"encoder": "swin_large_patch4_window12_384", "channels": (192, 384, 768, 1536)},
        input=_SQUARE,
        marks={"pretrained.model.layers.0.blocks.0.attn.relative_position_bias_table": (529, 6)},
        facts={"parameters": 213_407_453, "accuracy": "high", "speed": "slow", "improvement": 17, "preference": 9},
        source=_V31,
    ),
    _midas(
        "dpt_swin2_large_384",
        "DPT_SwinV2_L_384",
        "v3_1",
        build="dpt.stages:build_swin",
        settings={"encoder": "swinv2_large_window12to24_192to384", "channels": (192, 384, 768, 1536)},
        input=_SQUARE,
        marks={_DEEPEST: (256, 1536, 3, 3), _QUERY_BIAS: (192,)},
        facts={"parameters": 213_411_869, "accuracy": "high", "speed": "slow", "improvement": 22, "preference": 12},
        source=_V31,
    ),
    _midas(
        "dpt_beit_large_384",
        "DPT_BEiT_L_384",
        "v3_1",
        build="dpt.beit:build",
        settings={"encoder": "beit_large_patch16_384", **_VIT_LARGE},
        input=_FREE,
        marks={_POSITIONS: (2212, 16)},
        facts={"parameters": 344_338_601, "accuracy": "high", "speed": "slow", "improvement": 17, "preference": 10},
        source=_V31,
    ),
    _midas(
        "dpt_beit_large_512",
        "DPT_BEiT_L_512",
        "v3_1",
        {"size": 1_581_966_003},
        build="dpt.beit:build",
        settings={"encoder": "beit_large_patch16_512", **_VIT_LARGE},
        input=InputRule(512, normalization=NEUTRAL),
        marks={_POSITIONS: (3972, 16)},
        facts={"parameters": 345_014_441, "accuracy": "best", "speed": "slow", "improvement": 19, "preference": 13},
        source=_V31,
    ),
)
