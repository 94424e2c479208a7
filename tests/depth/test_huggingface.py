"""Hugging Face networks with random weights of tiny configurations: no hub is needed.

Expected values come from transformers itself: the raw output of the network and what its documentation says of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import depth3d as d3
from depth3d.depth._compat import import_timm
from depth3d.depth.estimator import estimate_with_distances
from depth3d.depth.huggingface import FAMILIES, card_for
from depth3d.depth.preprocess import network_input
from depth3d.depth.refine import upsample
from depth3d.image import Image, Size

import_timm()
T = pytest.importorskip("transformers")

PICTURE = Image(np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8))


def dino(**more: Any) -> Any:
    return T.Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, reshape_hidden_states=False, **more
    )


def depth_anything(kind: str) -> Any:
    backbone = dino(image_size=28, patch_size=14, out_indices=[3, 4], apply_layernorm=True)
    config = T.DepthAnythingConfig(
        backbone_config=backbone, patch_size=14, reassemble_hidden_size=16, reassemble_factors=[4, 2],
        neck_hidden_sizes=[8, 8], fusion_hidden_size=8, head_hidden_size=8, depth_estimation_type=kind, max_depth=20,
    )  # fmt: skip
    processor = T.DPTImageProcessor(size={"height": 56, "width": 56}, ensure_multiple_of=14, keep_aspect_ratio=True)
    return T.DepthAnythingForDepthEstimation(config), processor


def dpt() -> Any:
    config = T.DPTConfig(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=21, image_size=32, patch_size=16,
        backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8, is_hybrid=False,
    )  # fmt: skip
    return T.DPTForDepthEstimation(config), T.DPTImageProcessor(size={"height": 32, "width": 32})


def dpt_on_dinov2() -> Any:
    config = T.DPTConfig(
        backbone_config=dino(image_size=28, patch_size=14, out_indices=[1, 2, 3, 4], apply_layernorm=False),
        neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=256, add_projection=True, is_hybrid=False,
        use_bias_in_fusion_residual=False,
    )  # fmt: skip
    return T.DPTForDepthEstimation(config), T.DPTImageProcessor(size={"height": 28, "width": 28})


def zoedepth() -> Any:
    backbone = T.BeitConfig(
        image_size=32, patch_size=16, hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=21,
        out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False,
    )  # fmt: skip
    config = T.ZoeDepthConfig(
        backbone_config=backbone, neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8, bottleneck_features=8,
        num_relative_features=8, bin_embedding_dim=8,
        bin_configurations=[{"n_bins": 8, "min_depth": 1e-3, "max_depth": 10.0, "name": "nyu"}],
    )  # fmt: skip
    return T.ZoeDepthForDepthEstimation(config), T.ZoeDepthImageProcessor(size={"height": 64, "width": 96})


def depth_pro() -> Any:
    part = {"model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_size": 16, "patch_size": 4}  # fmt: skip
    config = T.DepthProConfig(
        patch_size=16, fusion_hidden_size=16, intermediate_hook_ids=[1, 0], intermediate_feature_dims=[8, 8],
        scaled_images_ratios=[0.5, 1.0], scaled_images_overlap_ratios=[0.0, 0.2], scaled_images_feature_dims=[8, 8],
        use_fov_model=True, num_fov_head_layers=0, image_model_config=part, patch_model_config=part,
        fov_model_config=part,
    )  # fmt: skip
    return T.DepthProForDepthEstimation(config), T.DepthProImageProcessor(size={"height": 32, "width": 32})


def glpn() -> Any:
    config = T.GLPNConfig(
        num_encoder_blocks=4, depths=[1, 1, 1, 1], sr_ratios=[8, 4, 2, 1], hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=8,
    )  # fmt: skip
    return T.GLPNForDepthEstimation(config), T.GLPNImageProcessor()


@dataclass(frozen=True)
class Case:
    """``polarity``: +1 = a larger raw output is nearer, -1 = farther."""

    build: Callable[[], Any]
    metric: bool
    polarity: int
    size: Size


CASES = {
    "depth_anything": Case(lambda: depth_anything("relative"), False, 1, Size(98, 56)),
    "depth_anything_metric": Case(lambda: depth_anything("metric"), True, -1, Size(98, 56)),
    "dpt": Case(dpt, False, 1, Size(32, 32)),
    "dpt_dinov2": Case(dpt_on_dinov2, True, -1, Size(28, 28)),
    "zoedepth": Case(zoedepth, True, -1, Size(96, 64)),
    "depth_pro": Case(depth_pro, True, 1, Size(32, 32)),
    "glpn": Case(glpn, True, -1, Size(704, 416)),
}


@pytest.fixture(scope="module", params=CASES)
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Any, Path]:
    """The case, the network in memory, and its folder."""
    place = tmp_path_factory.mktemp(request.param)
    case = CASES[request.param]
    torch.manual_seed(1)
    model, processor = case.build()
    with torch.no_grad():
        for parameter in model.parameters():  # the usual initialization gives nearly constant depth
            parameter.add_(torch.randn_like(parameter) * 0.15)
    model.save_pretrained(place)
    processor.save_pretrained(place)
    return case, model.eval(), place


def test_polarity_is_that_of_the_family(network: tuple[Case, Any, Path]) -> None:
    case, model, place = network
    card = card_for(f"hf:{place}")
    assert card.metric == case.metric
    assert card.input.net_size(PICTURE.size) == case.size
    (found,) = d3.predict_disparity([PICTURE], f"hf:{place}")
    pixels = torch.from_numpy(network_input(PICTURE, card.input))[None]
    with torch.inference_mode():
        raw = model(pixel_values=pixels).predicted_depth[0].numpy().astype(np.float64)
    if found.values.shape != raw.shape:  # the post-processing resizes
        resized = torch.nn.functional.interpolate(torch.from_numpy(raw)[None, None], found.values.shape, mode="bicubic")
        raw = resized[0, 0].numpy()
    assert raw.std() > 1e-3 * abs(raw.mean())
    ranks = [np.argsort(np.argsort(values.ravel())) for values in (found.values, raw)]
    assert case.polarity * np.corrcoef(*ranks)[0, 1] > 0.95


def test_meters_are_those_of_the_post_processing(network: tuple[Case, Any, Path]) -> None:
    case, model, place = network
    card = card_for(f"hf:{place}")
    if not case.metric:
        assert card.output == "inverse_depth"
        return
    (found,) = d3.predict_disparity([PICTURE], f"hf:{place}")
    processor = T.AutoImageProcessor.from_pretrained(place)
    pixels = torch.from_numpy(network_input(PICTURE, card.input))[None]
    extra = {"do_remove_padding": False} if "zoedepth" in card.source else {}
    with torch.inference_mode():
        outputs = model(pixel_values=pixels)
        sizes = [tuple(pixels.shape[-2:])]
        depth = processor.post_process_depth_estimation(outputs, target_sizes=sizes, **extra)[0]["predicted_depth"]
    assert np.allclose(1 / found.values, np.maximum(depth.numpy(), 1 / found.values.max()), rtol=1e-3)


def test_a_metric_network_gives_near_and_far_by_itself(network: tuple[Case, Any, Path]) -> None:
    case, _, place = network
    depth, distances = estimate_with_distances(PICTURE, f"hf:{place}")
    assert depth.size == PICTURE.size
    if not case.metric:
        assert distances is None
        return
    (found,) = d3.predict_disparity([PICTURE], f"hf:{place}")
    full = upsample(found.values, PICTURE)
    assert distances == pytest.approx((1 / full.max(), 1 / full.min()))
    assert np.allclose(1 / depth.metric(*distances), full, rtol=1e-3)


def test_an_unknown_family_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model, processor = dpt()
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    monkeypatch.delitem(FAMILIES, "dpt")
    with caplog.at_level(logging.WARNING):
        assert card_for(f"hf:{tmp_path}").output == "inverse_depth"
    assert "the meaning of the output of dpt is not known" in caplog.text


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(d3.ModelError, match=r"hf:.*hf:OWNER/NAME"):
        d3.predict_disparity([], f"hf:{tmp_path}/none")
