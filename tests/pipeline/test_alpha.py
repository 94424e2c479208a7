"""Transparent pictures: stills keep their alpha, clips stand on white."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from depth3d.depthmap import DepthMap
from depth3d.image import Image
from depth3d.options import AnimateOptions
from depth3d.pipeline.animate import animate_scene
from depth3d.pipeline.scene import Scene
from depth3d.pipeline.views import stereo_pair

WIDTH, HEIGHT = 96, 64


def sticker() -> tuple[Image, DepthMap]:
    """A red square, near, in the middle of nothing: transparent black."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    depth = np.zeros((HEIGHT, WIDTH), np.float32)
    box = (slice(20, 44), slice(36, 60))
    pixels[box], alpha[box], depth[box] = (220, 30, 30), 255, 1
    return Image(pixels, alpha), DepthMap(depth)


@pytest.mark.parametrize("eyes", ["right", "both"])
def test_alpha_moves_with_the_colors(eyes: str) -> None:
    image, depth = sticker()
    pair = stereo_pair(image, depth, parallax=100 * 8 / WIDTH, convergence=0.0, eyes=eyes)  # type: ignore[arg-type]
    shift = 8 if eyes == "right" else 4
    right = pair.right.alpha
    assert right is not None
    row = right[32] > 128
    assert abs(int(row.argmax()) - (36 - shift)) <= 1
    assert abs(int(row.sum()) - 24) <= 2
    assert np.abs(pair.right.pixels[32, 48 - shift].astype(int) - (220, 30, 30)).max() <= 3
    if eyes == "right":
        assert np.array_equal(pair.left.alpha, image.alpha)


def test_a_clip_of_a_transparent_picture_stands_on_white(tmp_path: Path) -> None:
    image, depth = sticker()
    options = AnimateOptions(seconds=0.1, quality="draft")
    path = animate_scene(Scene(image, depth, "made"), tmp_path / "clip.mp4", options)
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert frame[4:10, 4:10].min() > 245
    assert abs(int(frame[32, 48, 0]) - 220) < 12
