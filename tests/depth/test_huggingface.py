"""Hugging Face networks, with randomly initialized ones: no hub can be reached from here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import depth3d as d3
from depth3d.depth._compat import import_timm
from depth3d.depth.huggingface import card_for
from depth3d.image import Image, Size

import_timm()
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module", params=["relative", "metric"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Depth Anything V2 as `save_pretrained` leaves it on a disk."""
    place = tmp_path_factory.mktemp("network")
    backbone = transformers.Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14,
        out_indices=[1, 2], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    settings = transformers.DepthAnythingConfig(
        backbone_config=backbone, patch_size=14, reassemble_hidden_size=16, reassemble_factors=[4, 2],
        neck_hidden_sizes=[8, 8], fusion_hidden_size=8, head_hidden_size=8,
        depth_estimation_type=request.param, max_depth=20,
    )  # fmt: skip
    transformers.DepthAnythingForDepthEstimation(settings).save_pretrained(place)
    pictures = {
        "image_processor_type": "DPTImageProcessor", "size": {"height": 56, "width": 56}, "ensure_multiple_of": 14,
        "keep_aspect_ratio": True, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    }  # fmt: skip
    (place / "preprocessor_config.json").write_text(json.dumps(pictures))
    return place


def test_a_folder_is_a_model(folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 100, 3), dtype=np.uint8)
    card = card_for(f"hf:{folder}")
    assert card.input.net_size(Size(100, 60)) == Size(98, 56)
    metric = json.loads((folder / "config.json").read_text()).get("depth_estimation_type") == "metric"
    assert card.output == ("depth" if metric else "inverse_depth")
    (said,) = d3.predict_disparity([Image(pixels)], f"hf:{folder}")
    assert said.size == Size(98, 56)
    assert d3.estimate_depth(Image(pixels), f"hf:{folder}").size == Size(100, 60)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(d3.ModelError, match=r"hf:.*hf:OWNER/NAME"):
        d3.predict_disparity([], f"hf:{tmp_path}/none")
