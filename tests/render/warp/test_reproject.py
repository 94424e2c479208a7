"""Frames seen by a moved camera, against the formula and the two-eye renderer."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.geometry.camera.paths import PATHS, named_path
from depth3d.image import Image, Size
from depth3d.render.warp.reproject import Reprojection
from depth3d.render.warp.stereo import StereoWarp

SIZE = Size(120, 80)


def smooth_picture(dtype: type = np.uint8) -> Image:
    y, x = np.mgrid[0:80, 0:120].astype(np.float32)
    waves = np.stack([np.sin(x / 9) + np.cos(y / 7), np.sin((x + y) / 11), np.cos(x / 6 - y / 13)], axis=-1)
    full = np.iinfo(dtype).max
    return Image(((waves + 2) / 4 * full).clip(0, full).astype(dtype))


def two_planes() -> DepthMap:
    values = np.full((80, 120), 0.2, np.float32)
    values[20:60, 40:80] = 0.9
    return DepthMap(values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_from_where_the_photo_was_taken_it_is_the_photo(dtype: type) -> None:
    image = smooth_picture(dtype)
    with Reprojection(SIZE) as renderer:
        drawn = renderer.draw(image, two_planes(), Camera.of_photo(image)).pixels
    assert drawn.dtype == dtype
    assert np.abs(drawn.astype(int) - image.pixels).max() <= (1 if dtype == np.uint8 else 20)


def test_sideways_it_is_what_an_eye_sees() -> None:
    image, depth = smooth_picture(), two_planes()
    path = named_path("swing", Camera.of_photo(image), SIZE.aspect, amount=8.0, seconds=4.0, focus=0.5)
    with Reprojection(SIZE) as flight, StereoWarp(SIZE) as eyes:
        drawn = flight.draw(image, depth, path.at(1.0)).pixels
        best = min(
            np.percentile(np.abs(eyes.draw(image, depth, 0.0, sign * 4.0, 0.5).pixels[:, 120:].astype(int) - drawn), 97)
            for sign in (-1, 1)
        )
    # All but the gaps, which both fill from the far side in their own way.
    assert best <= 8


@pytest.mark.parametrize("name", sorted(PATHS))
def test_every_path_moves_the_near_more_than_the_far_and_leaves_no_hole(name: str) -> None:
    pixels = np.full((80, 120, 3), (0, 0, 200), np.uint8)
    pixels[20:60, 40:80] = (200, 0, 0)
    image = Image(pixels)
    path = named_path(name, Camera.of_photo(image), SIZE.aspect, amount=8.0, seconds=4.0, focus=0.2)
    changed = 0
    with Reprojection(SIZE) as renderer:
        for second in (0.0, 1.0, 2.0, 3.0):
            drawn = renderer.draw(image, two_planes(), path.at(second)).pixels.astype(int)
            assert (drawn[..., 1] == 0).all()
            # Nothing but the two colors and their mixtures along the outline.
            assert np.abs(drawn.sum(axis=2) - 200).max() <= 2
            changed += int((np.abs(drawn - pixels).max(axis=2) > 100).sum())
    assert changed > 40


def test_sixteen_bits_are_interpolated_like_eight() -> None:
    path = named_path("swing", Camera(), SIZE.aspect, amount=3.1, seconds=4.0, focus=0.0)
    flat = DepthMap(np.full((80, 120), 0.4, np.float32))
    with Reprojection(SIZE) as renderer:
        eight, sixteen = (
            renderer.draw(smooth_picture(kind), flat, path.at(0.9)).pixels for kind in (np.uint8, np.uint16)
        )
    assert np.abs(sixteen / 257 - eight).max() <= 1.5


@pytest.mark.parametrize("second", [1.0, 3.0])
def test_a_gap_shows_the_background_alone(second: float) -> None:
    """No line of the front's color at either end of a gap, and outlines as soft as a lens draws them."""
    pixels = np.full((80, 120, 3), (0, 0, 200), np.uint8)
    pixels[20:60, 39:81] = (100, 0, 100)  # a lens mixes both colors in one pixel
    pixels[20:60, 40:80] = (200, 0, 0)
    image, depth = Image(pixels), two_planes().values.copy()
    depth[20:60, 39:81] = 0.9
    path = named_path("swing", Camera.of_photo(image), SIZE.aspect, amount=15.3, seconds=4.0, focus=0.2)
    with Reprojection(SIZE) as renderer:
        row = renderer.draw(image, DepthMap(depth), path.at(second)).pixels[40, :, 0]
    front = np.flatnonzero(row > 100)
    assert 40 <= len(front) <= 42
    assert np.ptp(front) == len(front) - 1
    beside = np.concatenate([row[: front[0] - 3], row[front[-1] + 4 :]])
    assert beside.max() == 0
    assert ((row > 30) & (row < 170)).sum() >= 2
