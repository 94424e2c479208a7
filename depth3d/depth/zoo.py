"""The shipped networks, one card each: data only.

URLs, sizes and hashes are those of the MiDaS releases; only hashes that were published are here. For the files
of v3.1 none was: their own SHA-256 is told after the download, and `depth3d models` shows it.
"""

from __future__ import annotations

from depth3d.depth.card import IMAGENET, UNCHANGED, AreaRule, InputRule, ModelCard, WeightsFile

__all__ = ["CARDS"]

_RELEASES = "https://github.com/isl-org/MiDaS/releases/download"
_LICENCE = "MIT (Intel ISL, github.com/isl-org/MiDaS)"
_V21 = "Ranftl et al., TPAMI 2020"


def _mannequin(name: str, *, keep_aspect: bool) -> ModelCard:
    """Google's network for people; the official script squashes every picture to 288x512."""
    file = "best_depth_Ours_Bilinear_inc_3_net_G.pth"
    return ModelCard(
        name=name,
        build="depth3d.depth.models.mannequin:build",
        weights=WeightsFile(
            file=file, url=f"https://storage.googleapis.com/mannequinchallenge-data/checkpoints/{file}"
        ),
        input=AreaRule(512, other=288, keep_aspect=keep_aspect, multiple=16, normalisation=UNCHANGED, resize="smooth"),
        output="log_depth",
        # Both cards run the same file; a file given as a path is taken as the first, which keeps the shape.
        marks={"seq.0.weight": (128, 3, 7, 7), "pred_layer.weight": (1, 64, 3, 3)} if keep_aspect else {},
        bfloat16=False,  # 9 % of the deviation
        parameters=5_357_730,
        accuracy="basic",
        speed="medium",
        licence="code Apache-2.0 (Google); the weights have no licence statement of their own",
        source="Li et al., CVPR 2019: people and moving things",
    )


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="midas_v21_small_256",
        build="depth3d.depth.models.midas_v21:build_small",
        settings={"encoder": "tf_efficientnet_lite3"},
        weights=WeightsFile(
            file="midas_v21_small_256.pt",
            url=f"{_RELEASES}/v2_1/midas_v21_small_256.pt",
            sha256="70d6b9c891758c67f974a6097fb0c608c7ee67fb81ac3e5588847d5596d56fca",
            also=("model-small-70d6b9c8.pt", "midas_v21_small-70d6b9c8.pt"),
        ),
        input=InputRule(256, method="upper_bound", normalisation=IMAGENET),
        marks={"pretrained.layer1.3.0.conv_dw.weight": (32, 1, 3, 3), "scratch.layer4_rn.weight": (512, 384, 3, 3)},
        aliases=("midas_small", "small"),
        preference=2,
        parameters=21_320_545,
        accuracy="basic",
        speed="fast",
        improvement=-76,
        licence=_LICENCE,
        source=_V21,
    ),
    _mannequin("mannequin_challenge", keep_aspect=True),
    _mannequin("mannequin_challenge_288x512", keep_aspect=False),
    ModelCard(
        name="ramp",
        build="depth3d.depth.models.ramp:build",
        weights=None,
        input=InputRule(256, method="upper_bound"),
        parameters=0,
        accuracy="basic",
        speed="fast",
        licence="MIT (depth3d)",
        source="no network: below is near",
    ),
)
