"""Pictures of 16 bits keep them: both eyes of a still, its frame, its alpha, and the files written."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.image import Image
from depth3d.io.image.read import open_image
from depth3d.options import DepthOptions, StereoOptions
from depth3d.pipeline import bands
from depth3d.pipeline.stereo import stereo
from depth3d.pipeline.views import stereo_pair

HEIGHT, WIDTH = 96, 128


def gradient() -> NDArray[np.uint16]:
    """Neighbors differ by about a fifth of one of 255 levels."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    gray = 20_000 + 50 * columns + 7 * rows
    return np.stack([gray, gray // 2, gray * 2], -1).astype(np.uint16)


def disc() -> DepthMap:
    depth = np.full((HEIGHT, WIDTH), 0.3, np.float32)
    cv2.circle(depth, (64, 48), 24, 1.0, -1)
    return DepthMap(depth)


@pytest.mark.parametrize("large", [False, True])
def test_a_new_eye_has_the_levels_of_the_photo(monkeypatch: pytest.MonkeyPatch, large: bool) -> None:
    if large:
        monkeypatch.setattr(bands, "WHOLE_PIXELS", 0)
    image = Image(gradient())
    right = stereo_pair(image, disc(), 4.0, convergence=0.3, eyes="right").right
    assert right.pixels.dtype == np.uint16
    for channel in range(3):
        assert len(np.unique(right.pixels[..., channel])) > 1000
    # On the screen's plane nothing moves; a level of 8 bits is 257 here.
    assert np.abs(right.pixels[:15].astype(int) - image.pixels[:15]).max() <= 2
    eight = stereo_pair(image.eight_bit(), disc(), 4.0, convergence=0.3, eyes="right").right
    assert np.abs(right.pixels / 257 - eight.pixels).max() < 1.6


def test_the_frame_and_the_alpha_keep_16_bits() -> None:
    random = np.random.default_rng(0)
    pixels = np.full((HEIGHT, WIDTH, 3), 65_000, np.uint16)
    pixels[5:-5, 5:-5] = random.integers(5_000, 40_000, (HEIGHT - 10, WIDTH - 10, 3))
    right = stereo_pair(Image(pixels), disc(), 4.0, convergence=0.0, eyes="right").right
    assert (right.pixels[:5] == 65_000).all()
    assert right.pixels[5:-5, 5:-5].max() < 50_000
    alpha = np.full((HEIGHT, WIDTH), 40_001, np.uint16)
    seen = stereo_pair(Image(gradient(), alpha), disc(), 4.0, eyes="right").right.alpha
    assert seen is not None
    assert np.abs(seen.astype(int) - 40_001).max() <= 2


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_files_of_16_bits_become_files_of_16_bits(tmp_path: Path, suffix: str) -> None:
    photo, depth, out = tmp_path / f"photo.{suffix}", tmp_path / "map.png", tmp_path / f"out.{suffix}"
    cv2.imwrite(str(photo), gradient())
    cv2.imwrite(str(depth), np.rint(disc().values * 65535).astype(np.uint16))
    stereo(photo, out, StereoOptions(format="sbs"), DepthOptions(depth=str(depth)))
    both = open_image(out).pixels
    assert both.dtype == np.uint16
    for eye in (both[:, :WIDTH], both[:, WIDTH:]):
        assert len(np.unique(eye[..., 0])) > 1000
