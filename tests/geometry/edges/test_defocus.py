"""The outer half of a blurred outline goes to its foreground; sharp outlines, and what is not known, stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.geometry.edges.defocus import cover_blur

Floats = NDArray[np.float32]
FAR, NEAR = 1.0, 20.0  # pixels of shift


def disc(width: int) -> tuple[NDArray[np.bool_], Floats]:
    """A disc, and the distance of each pixel from its outline, in pixels at 640 wide; negative inside."""
    y, x = np.mgrid[: width * 2 // 3, :width] * np.float32(640 / width)
    away = np.hypot(y - 213, x - 320) - 110
    return away < 0, np.asarray(away, np.float32)


def photo(inside: NDArray[np.bool_], blur: float, uneven: float = 0.0, front: int = 210) -> NDArray[np.uint8]:
    """The disc before a background of 60 levels, blurred by so many pixels, with some noise."""
    random = np.random.default_rng(2)
    tones = cv2.resize(random.uniform(-1, 1, (20, 30)), inside.shape[::-1], interpolation=cv2.INTER_CUBIC)
    levels = np.where(inside, np.float32(front), (60 + uneven * tones).astype(np.float32))
    soft = cv2.GaussianBlur(levels, (0, 0), blur) + random.normal(0, 2, inside.shape)
    return np.dstack([soft.clip(0, 255).astype(np.uint8)] * 3)


def depth_of(inside: NDArray[np.bool_]) -> Floats:
    return np.where(inside, np.float32(NEAR), np.float32(FAR))


def covered(front: NDArray[np.bool_], picture: NDArray[np.uint8]) -> float:
    """Share of the three pixels outside of the foreground that get its depth."""
    beside = cv2.dilate(front.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool) & ~front
    return float((cover_blur(depth_of(front), picture)[beside] == NEAR).mean())


@pytest.mark.parametrize("width", [480, 1280])
@pytest.mark.parametrize("blur", [4.0, 5.0])
def test_a_blurred_outline_is_covered_up_to_where_its_color_ends(width: int, blur: float) -> None:
    inside, away = disc(width)
    found = cover_blur(depth_of(inside), photo(inside, blur * width / 640))
    assert (found[(away > 0) & (away < blur)] == NEAR).mean() > 0.97
    assert (found[away > 3 * blur] == FAR).all()
    assert (found[inside] == NEAR).all()


@pytest.mark.parametrize("front", [20, 210])
def test_a_sharp_outline_stays(front: int) -> None:
    inside, _ = disc(640)
    assert covered(inside, photo(inside, 0.7, front=front)) < 0.02


def test_what_has_no_contrast_or_an_uneven_background_stays() -> None:
    inside, _ = disc(640)
    assert covered(inside, photo(inside, 4, front=66)) < 0.02
    assert covered(inside, photo(inside, 4, uneven=70)) < 0.05
    assert covered(inside, photo(inside, 4)) > 0.95


def test_a_sharp_outline_in_the_wrong_place_is_none_that_is_blurred() -> None:
    inside, away = disc(640)
    assert covered(away < -6, photo(inside, 0.7)) < 0.05


def test_the_blur_gets_the_depth_of_the_surface_beside_it() -> None:
    inside, away = disc(640)
    columns = np.broadcast_to(np.arange(inside.shape[1]), inside.shape)
    given = np.where(inside, np.where(columns < 320, np.float32(NEAR), np.float32(NEAR - 4)), np.float32(FAR))
    found = cover_blur(given.astype(np.float32), photo(inside, 4))
    blurred = (away > 1) & (away < 4)
    assert (found[blurred & (columns < 300)] == NEAR).mean() > 0.95
    assert (found[blurred & (columns > 340)] == NEAR - 4).mean() > 0.95
