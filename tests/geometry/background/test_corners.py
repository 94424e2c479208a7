"""Round corners of photos are found, filled for the views, and stay where they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import depth3d as d3
from depth3d.geometry.background.corners import corner_mask, fill_corners, find_radius
from depth3d.geometry.background.frame import Frame, find_frame

HEIGHT, WIDTH = 240, 320


def rounded_photo(radius: int, color: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    photo = np.random.default_rng(1).integers(60, 200, (height, width, 3)).astype(np.uint8)
    fine = np.full((4 * height, 4 * width), 255, np.uint8)
    side = 4 * radius
    fine[:side, :side] = fine[:side, -side:] = fine[-side:, :side] = fine[-side:, -side:] = 0
    for x in (side, 4 * width - side):
        for y in (side, 4 * height - side):
            cv2.circle(fine, (x, y), side, 255, -1)
    share = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)[..., None] / 255
    return np.rint(photo * share + color * (1 - share)).astype(np.uint8)


@pytest.mark.parametrize("color", [0, 255])
@pytest.mark.parametrize("radius", [5, 12, 30])
def test_round_corners_are_found(radius: int, color: int) -> None:
    assert abs(find_radius(rounded_photo(radius, color)) - radius) <= 1


def test_round_corners_inside_a_white_frame_are_found() -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    pixels[10:-10, 10:-10] = rounded_photo(15, 255, HEIGHT - 20, WIDTH - 20)
    found = find_frame(d3.Image(pixels))
    assert found[:4] == (10, 10, 10, 10)
    assert abs(found.radius - 15) <= 1


def test_square_corners_and_skies_are_not_round() -> None:
    photo = rounded_photo(5, 255)
    assert find_radius(np.ascontiguousarray(photo[6:-6, 6:-6])) == 0
    photo[:60] = 255
    photo[-30:, :30] = photo[-30:, -30:] = 255
    assert find_radius(photo) == 0
    rows, columns = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    vignette = 200 * np.clip(1.3 - np.hypot(rows, columns), 0, 1)
    assert find_radius(np.repeat(vignette[..., None], 3, axis=2).astype(np.uint8)) == 0


def test_filled_corners_show_the_picture_only() -> None:
    filled = fill_corners(rounded_photo(20, 255), 20)
    assert filled.max() < 215
    depth = fill_corners(np.full((HEIGHT, WIDTH), 0.4, np.float32), 20)
    assert (depth == np.float32(0.4)).all()


def test_views_keep_round_corners() -> None:
    image = d3.Image(rounded_photo(20, 255))
    depth = d3.DepthMap(np.full((HEIGHT, WIDTH), 1, np.float32))
    mask = corner_mask((HEIGHT, WIDTH), find_frame(image).radius)
    views = [d3.stereo_pair(image, depth, 6.0, convergence=0.0).right]
    views += list(d3.render_path(image, depth, amount=4.0, seconds=1, fps=3, focus=0.0))
    for view in views:
        assert np.array_equal(view.pixels[mask], image.pixels[mask])
        assert view.pixels[~mask].max() < 225
    assert find_frame(image) == Frame(radius=20)
