"""Video-Depth-Anything Small computes the official function on a clip, and on a clip of several windows."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from depth import golden

from depth3d.depth import checkpoint, registry, weights
from depth3d.depth.engines.torch import TorchEngine
from depth3d.depth.estimator import Estimator
from depth3d.depth.models.video_depth_anything import sine_table
from depth3d.depth.temporal.windows import WindowedDepth
from depth3d.image import Image, Size

VITS = "video_depth_anything_vits"


@pytest.fixture(scope="module")
def pack(golden_packs: Path) -> Path:
    return golden_packs / "depth_anything"


@pytest.fixture(scope="module")
def state(pack: Path) -> dict[str, torch.Tensor]:
    return golden.official_state(pack, VITS)


def test_golden_clip_in_float64(state: dict[str, torch.Tensor], pack: Path) -> None:
    network = checkpoint.build(registry.get(VITS))
    checkpoint.load(network, state, VITS)
    stored = np.load(pack / f"{VITS}.npz")
    frames, height, width = (int(side) for side in stored["clip_thw"])
    x = torch.from_numpy(golden.recipe(pack).clip_input(frames, height, width))[0]
    stride, deviation = int(stored["clip_stride"]), stored["clip_out"].std()
    with torch.inference_mode():
        out = network.double()(x.double(), frames).numpy()
        assert out.shape == (frames, height, width)
        assert np.abs(out[:, ::stride, ::stride] - stored["clip_out64"]).max() <= 2e-6 * deviation


def test_the_sine_table_is_the_stored_one(pack: Path) -> None:
    facts = golden.recipe(pack).load_keys(VITS)
    key = "head.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.pos_encoder.pe"
    table = sine_table(192).numpy()
    assert list(table.shape) == facts[key]["shape"][1:]
    close = zlib.crc32(table.tobytes()) == int(facts[key]["crc32"], 16)
    if not close:  # the last bit of sine and exp differs between libraries: then the golden clip decides
        place, rate = np.arange(32)[:, None], 10000.0 ** (-np.arange(0, 192, 2) / 192)
        assert np.abs(table[:, 0::2] - np.sin(place * rate)).max() < 1e-5
        assert np.abs(table[:, 1::2] - np.cos(place * rate)).max() < 1e-5


def test_a_clip_of_several_windows_is_the_official_one(state: dict[str, torch.Tensor], pack: Path) -> None:
    stored = np.load(pack / f"{VITS}.npz")
    count, height, width = (int(side) for side in stored["video_nhw"])
    path = weights.cache_folder() / f"{VITS}.pth"
    torch.save(state, path)
    card = registry.get(VITS)
    card = replace(card, input=replace(card.input, size=int(stored["video_input_size"])))
    estimator = Estimator(card, TorchEngine(card, path, device="cpu", threads=1, precision="float32"))

    def predict(images: list[Image]) -> np.ndarray:
        """At the size of the picture, as the official code does before it aligns windows."""
        maps = torch.from_numpy(estimator.predict_clip(images))[:, None]
        full = torch.nn.functional.interpolate(maps, (height, width), mode="bilinear", align_corners=True)
        return full[:, 0].numpy()

    windows, found, held = WindowedDepth(predict), [], 0
    for index, frame in enumerate(golden.recipe(pack).clip_image(count, height, width), start=1):
        found += windows.push(Image(frame))
        held = max(held, index - len(found))
    found += windows.flush()
    assert held <= windows.held_frames
    assert [one.index for one in found] == list(range(count))
    assert windows._units is not None
    scale, shift = windows._units
    out = (np.stack([one.values for one in found]) - shift) / scale
    stride = int(stored["video_stride"])
    assert np.abs(out[:, ::stride, ::stride] - stored["video_out"]).max() <= 5e-4 * stored["video_out"].std()


def test_wide_pictures_get_a_smaller_size() -> None:
    rule = registry.get(VITS).input
    assert rule.net_size(Size(1920, 1080)) == Size(924, 518)
    assert rule.net_size(Size(2400, 1000)) == Size(924, 378) or rule.net_size(Size(2400, 1000)).height == 378
