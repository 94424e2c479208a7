"""Depth Anything V1, V2, V2 metric and Video as data, one `ModelCard` each.

All networks of one size have the same architecture and files with the same keys and shapes. A file given by path is
therefore identified by its name, by the ``config.json`` beside it, or by the user (``model="NAME:FILE"``).
Hashes are listed where several independent public sources agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from depth3d.depth.card import Accuracy, ModelCard, ShorterSideRule, Speed, VideoRule, WeightsFile

__all__ = ["CARDS"]

_V1: Final = "Yang et al., Depth Anything: Unleashing the Power of Large-Scale Unlabeled Data, CVPR 2024"
_V2: Final = "Yang et al., Depth Anything V2, NeurIPS 2024"
_APACHE = "Apache-2.0 (Depth Anything)"
_NON_COMMERCIAL = "CC-BY-NC-4.0 (Depth Anything): not for commercial use"
_HUB = "https://huggingface.co"

# Size -> short name, timm encoder, width, decoder width, channels per level, parameters, (entries, tensor bytes),
# accuracy, speed.
_SIZES: dict[str, tuple[str, str, int, int, tuple[int, ...], int, tuple[int, int], Accuracy, Speed]] = {
    "small": ("vits", "vit_small_patch14_dinov2", 384, 64, (48, 96, 192, 384), 24_785_089, (239, 99_140_356),
              "high", "medium"),
    "base": ("vitb", "vit_base_patch14_dinov2", 768, 128, (96, 192, 384, 768), 97_470_785, (239, 389_883_140),
             "high", "slow"),
    "large": ("vitl", "vit_large_patch14_dinov2", 1024, 256, (256, 512, 1024, 1024), 335_315_649, (407, 1_341_262_596),
              "best", "slow"),
}  # fmt: skip
_TAPS_V1 = {"small": (8, 9, 10, 11), "base": (8, 9, 10, 11), "large": (20, 21, 22, 23)}
_TAPS_V2 = {"small": (2, 5, 8, 11), "base": (2, 5, 8, 11), "large": (4, 11, 17, 23)}

# Above the MiDaS networks (1 to 13), by the zero-shot errors that the authors published; networks with
# non-commercial weights have no rank.
_PREFERENCES = {(1, "small"): 14, (2, "small"): 15, (1, "base"): 16, (1, "large"): 17}

# File of the official code -> size in bytes, SHA-256.
_PUBLISHED: dict[str, tuple[int | None, str | None]] = {
    "depth_anything_v2_vits.pth": (99_218_434, "715fade13be8f229f8a70cc02066f656f2423a59effd0579197bbf57860e1378"),
    "depth_anything_v2_vitb.pth": (389_961_218, "0d2b7002e62d39d655571c371333340bd88f67ab95050c03591555aa05645328"),
    "depth_anything_v2_vitl.pth": (1_341_395_338, "a7ea19fa0ed99244e67b624c72b8580b7e9553043245905be58796a608eb9345"),
    "depth_anything_v2_metric_hypersim_vits.pth": (
        99_222_290, "b782898d8a3e8be1f639de33837ed85e9b4b73e40f8f5e5cd99067588d722545"),
    "depth_anything_v2_metric_hypersim_vitb.pth": (
        389_965_138, "9dc9e274c5eff55c6daf27b660c0ced0eca4e8593a6da90cdcb04d2b4d3f3fa2"),
    "depth_anything_v2_metric_hypersim_vitl.pth": (
        1_341_401_882, "6f82ff2bc543ac02ddff4aa31fa363676a8305dd3ccf04e80e2af115a044cb6d"),
    "depth_anything_v2_metric_vkitti_vits.pth": (
        99_221_808, "9203e538d35255c90dda4b7fedb47ff33fe725497bcca3b1e53b3a65ee63f0cb"),
    "depth_anything_v2_metric_vkitti_vitb.pth": (
        389_964_656, "4dad67a7cc10b462bca48e6b8569c762b8eb3c1adada170a3851a6d3ba37bb3e"),
    "depth_anything_v2_metric_vkitti_vitl.pth": (
        1_341_401_064, "239b1054a369e66da2576e9a118d6d7c12d90dc8ebe609579a9a09cd8e05fe38"),
    "depth_anything_vitb14.pth": (None, "64ae214ae4e27424b644c49464c0aa243016f6f753d95097c8eb9ad0b9cb2d9b"),
    "depth_anything_vitl14.pth": (1_341_401_882, "6c6a383e33e51c5fdfbf31e7ebcda943973a9e6a1cbef1564afe58d7f2e8fe63"),
}  # fmt: skip
_SAFETENSORS = {
    "depth-anything/Depth-Anything-V2-Small-hf": (
        99_173_660, "3152477ce0d8d6978d76b995120de97cb5b928701fd0f817769f59e249a16b70"),
}  # fmt: skip


def _card(
    name: str,
    size: str,
    repository: str,
    path: str,
    converted: str,
    *,
    taps: Mapping[str, tuple[int, ...]],
    license: str,
    source: str,
    short: str,
    max_depth: float | None = None,
    preference: int = 0,
) -> ModelCard:
    """Make a card; ``repository`` holds the official file ``path``, ``converted`` the file for transformers."""
    _, encoder, width, features, channels, parameters, layout, accuracy, speed = _SIZES[size]
    file = path.rpartition("/")[2]
    published, digest = _PUBLISHED.get(file, (None, None))
    official = WeightsFile(file, f"{_HUB}/{repository}/resolve/main/{path}", digest, published, layout=layout)
    published, digest = _SAFETENSORS.get(converted, (None, None))
    # transformers splits each attention projection into three: 2 x 2 more entries per block.
    entries = layout[0] + 4 * (24 if size == "large" else 12)
    other = WeightsFile(
        f"{converted.rpartition('/')[2].lower()}.safetensors",
        f"{_HUB}/{converted}/resolve/main/model.safetensors",
        digest,
        published,
        layout=(entries, layout[1]),
    )
    settings: dict[str, Any] = {"encoder": encoder, "taps": taps[size], "width": width, "features": features}
    return ModelCard(
        name=name,
        build="depth3d.depth.models.depth_anything:build",
        weights=official,
        input=ShorterSideRule(518, multiple=14),
        output="inverse_depth" if max_depth is None else "depth",
        metric=max_depth is not None,
        settings={**settings, "channels": channels, "max_depth": max_depth},
        marks={"depth_head.projects.0.weight": (channels[0], width, 1, 1), "pretrained.cls_token": (1, 1, width)},
        aliases=(file.rpartition(".")[0], short, *(() if repository.startswith("spaces/") else (repository,))),
        alternatives={converted: other},
        preference=preference,
        parameters=parameters,
        accuracy=accuracy,
        speed=speed,
        license=license,
        source=source,
    )


def _relative(version: int, size: str, preference: int = 0) -> ModelCard:
    vit = _SIZES[size][0]
    license = _NON_COMMERCIAL if version == 2 and size != "small" else _APACHE
    if version == 1:
        repository, path = "spaces/LiheYoung/Depth-Anything", f"checkpoints/depth_anything_{vit}14.pth"
        converted = f"LiheYoung/depth-anything-{size}-hf"
    else:
        repository, path = f"depth-anything/Depth-Anything-V2-{size.title()}", f"depth_anything_v2_{vit}.pth"
        converted = f"{repository}-hf"
    return _card(
        f"depth_anything_v{version}_{size}", size, repository, path, converted,
        taps=_TAPS_V1 if version == 1 else _TAPS_V2, license=license, source=_V1 if version == 1 else _V2,
        short=f"da{version}{size[0]}", preference=preference,
    )  # fmt: skip


def _metric(place: str, data: str, max_depth: float, size: str) -> ModelCard:
    vit = _SIZES[size][0]
    return _card(
        f"depth_anything_v2_metric_{place}_{size}", size,
        f"depth-anything/Depth-Anything-V2-Metric-{'VKITTI' if data == 'vkitti' else 'Hypersim'}-{size.title()}",
        f"depth_anything_v2_metric_{data}_{vit}.pth",
        f"depth-anything/Depth-Anything-V2-Metric-{place.title()}-{size.title()}-hf",
        taps=_TAPS_V2, license=_APACHE if size == "small" else _NON_COMMERCIAL,
        source=f"{_V2}; meters up to {max_depth:g}", short=f"da2{size[0]}_{place}", max_depth=max_depth,
    )  # fmt: skip


CARDS: tuple[ModelCard, ...] = (
    *(_relative(2, size, _PREFERENCES.get((2, size), 0)) for size in _SIZES),
    *(_metric("indoor", "hypersim", 20.0, size) for size in _SIZES),
    *(_metric("outdoor", "vkitti", 80.0, size) for size in _SIZES),
    *(_relative(1, size, _PREFERENCES.get((1, size), 0)) for size in _SIZES),
    ModelCard(
        name="video_depth_anything_small",
        build="depth3d.depth.models.video_depth_anything:build",
        weights=WeightsFile(
            "video_depth_anything_vits.pth",
            f"{_HUB}/depth-anything/Video-Depth-Anything-Small/resolve/main/video_depth_anything_vits.pth",
            "13379300b739e659f076a59d52e9801bd8d38c541a7e71f73bbca4dcfb013609",
            116_440_756,
            layout=(351, 116_320_772),
        ),
        input=VideoRule(518, multiple=14),
        settings={
            "encoder": _SIZES["small"][1],
            "taps": _TAPS_V2["small"],
            "width": _SIZES["small"][2],
            "features": _SIZES["small"][3],
            "channels": _SIZES["small"][4],
        },
        marks={"head.motion_modules.0.temporal_transformer.proj_in.weight": (192, 192)},
        aliases=("video_depth_anything_vits", "vdas", "depth-anything/Video-Depth-Anything-Small"),
        frames=32,
        bfloat16=False,
        parameters=29_035_137,
        accuracy="high",
        speed="slow",
        license=_APACHE,
        source="Chen et al., Video Depth Anything, CVPR 2025; for clips",
    ),
)
