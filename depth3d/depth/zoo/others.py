"""Built-in networks outside the large families: Mannequin Challenge, `tiny` and the gradient placeholder."""

from __future__ import annotations

from depth3d.depth.card import UNCHANGED, AreaRule, InputRule, ModelCard, Normalization, WeightsFile

__all__ = ["CARDS"]

_MODELS = "depth3d.depth.models"
_LITE = Normalization((0.498, 0.498, 0.498), (0.502, 0.502, 0.502))


def _mannequin(name: str, *, keep_aspect: bool) -> ModelCard:
    """Make a card of the Mannequin Challenge network for people; its official script resizes all images to 512x288."""
    file = "best_depth_Ours_Bilinear_inc_3_net_G.pth"
    return ModelCard(
        name=name,
        build=f"{_MODELS}.mannequin:build",
        weights=WeightsFile(
            file=file,
            url=f"https://storage.googleapis.com/mannequinchallenge-data/checkpoints/{file}",
            layout=(781, 21_488_736),
        ),
        input=AreaRule(512, other=288, keep_aspect=keep_aspect, multiple=16, normalization=UNCHANGED, resize="smooth"),
        output="log_depth",
        # Both cards use the same file; a file given by path is loaded as the first card, which keeps the aspect ratio.
        marks={"seq.0.weight": (128, 3, 7, 7), "pred_layer.weight": (1, 64, 3, 3)} if keep_aspect else {},
        bfloat16=False,  # it would change the output by 9 % of its deviation
        parameters=5_357_730,
        accuracy="basic",
        speed="medium",
        license="code Apache-2.0 (Google); the weights have no license statement of their own",
        source="Li et al., CVPR 2019: people and moving things",
    )


CARDS: tuple[ModelCard, ...] = (
    _mannequin("mannequin_challenge", keep_aspect=True),
    _mannequin("mannequin_challenge_288x512", keep_aspect=False),
    ModelCard(
        name="tiny",
        build=f"{_MODELS}.tiny.network:build",
        graph=f"{_MODELS}.tiny.graph:graph",
        settings={"edition": 2},
        weights=WeightsFile("tiny.safetensors", resource="depth3d.depth:data/tiny.safetensors"),
        input=AreaRule(320, other=224, normalization=_LITE, resize="smooth"),
        marks={"encoder.stem.conv.weight": (32, 3, 3, 3), "refine.weight": (24, 24, 3, 3)},
        detail=1.75,
        bfloat16=False,  # error of up to 8 % of the range at thin objects, and float32 is fast enough
        parameters=5_064_361,
        accuracy="basic",
        speed="fast",
        license="MIT (depth3d); encoder begun from ImageNet weights (Apache-2.0); see the model card in the README",
        source="depth3d, examples/train_tiny: MiDaS v2.1 small's recipe on EfficientNet-Lite1",
    ),
    ModelCard(
        name="gradient",
        aliases=("ramp",),  # its name in version 0.1
        build=f"{_MODELS}.gradient:build",
        weights=None,
        input=InputRule(256, method="upper_bound"),
        parameters=0,
        accuracy="basic",
        speed="fast",
        license="MIT (depth3d)",
        source="placeholder, not a network: a vertical gradient, bottom = near",
    ),
)
