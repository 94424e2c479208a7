"""Thin things get back the depth that a network lost; nothing else changes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.geometry.edges.thin import recover_thin

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

HEIGHT, WIDTH, TRUE = 200, 320, 12.0
STEP = 2.0


def picture_of(front: Mask, apart: int = 90) -> NDArray[np.uint8]:
    """A textured front before a textured background, ``apart`` levels brighter."""
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 20, (*front.shape, 3)).astype(np.float32), (0, 0), 1.5)
    return np.clip(cv2.GaussianBlur(80 + noise + apart * front[..., None], (0, 0), 0.5), 0, 255).astype(np.uint8)


def stick(wide: float) -> Mask:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray(np.abs(x - 120 - 0.3 * y) < wide / 2)


def without_rows(mask: Mask, start: int, stop: int) -> Mask:
    return mask & ((np.arange(HEIGHT) < start) | (np.arange(HEIGHT) >= stop))[:, None]


def blurred(front: Mask) -> Floats:
    return cv2.GaussianBlur(np.where(front, TRUE, 0).astype(np.float32), (0, 0), 3)


@pytest.mark.parametrize("gap", [(80, 130), (150, HEIGHT)])
def test_a_gap_and_an_end_of_a_stick_are_recovered(gap: tuple[int, int]) -> None:
    whole = stick(6)
    seen = without_rows(whole, *gap)
    sharp = np.where(seen, 0.6 * TRUE, 0).astype(np.float32)
    found = recover_thin(sharp, blurred(seen), picture_of(whole), 1.0, STEP)
    lost = whole & ~seen
    assert (sharp[lost] < 1).all()
    assert (found[lost] > 0.5 * TRUE).mean() > 0.8
    assert (found[~whole] > 1).mean() < 0.01
    assert found.max() <= 1.2 * TRUE


def test_a_gap_is_recovered_in_larger_pictures_of_odd_sides() -> None:
    y, x = np.mgrid[: 2 * HEIGHT + 3, : 2 * WIDTH + 5]
    whole = np.abs(x - 240 - 0.3 * y) < 6
    lost = whole & (y >= 160) & (y < 260)
    seen = whole & ~lost
    sharp = np.where(seen, 0.6 * TRUE, 0).astype(np.float32)
    told = cv2.GaussianBlur(np.where(seen, TRUE, 0).astype(np.float32), (0, 0), 6)
    found = recover_thin(sharp, told, picture_of(whole), 2.0, STEP)
    assert (found[lost] > 0.5 * TRUE).mean() > 0.8
    assert (found[~whole] > 1).mean() < 0.01


def test_the_width_in_the_picture_restores_the_height_before_the_blur() -> None:
    whole = stick(6)
    told = blurred(whole)
    sharp = np.where(whole, told.max(), 0).astype(np.float32)
    sharp[90:110] = np.where(whole[90:110], TRUE, 0)  # what is nearest nearby bounds it
    found = recover_thin(sharp, told, picture_of(whole), 1.0, STEP)
    assert told.max() < 0.75 * TRUE
    assert np.median(found[whole]) == pytest.approx(TRUE, rel=0.1)


def test_a_line_of_the_background_stays_there() -> None:
    front = np.zeros((HEIGHT, WIDTH), bool)
    front[60:140, 200:280] = True
    line = np.zeros_like(front)
    line[98:102, :200] = True
    sharp = np.where(front, TRUE, 0).astype(np.float32)
    np.testing.assert_array_equal(recover_thin(sharp, sharp, picture_of(front | line), 1.0, STEP), sharp)


def test_a_ragged_outline_is_no_thin_thing() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    front = x < 150 + 8 * np.sin(y / 4)
    sharp = np.where(front, TRUE, 0).astype(np.float32)
    np.testing.assert_array_equal(recover_thin(sharp, blurred(front), picture_of(front), 1.0, STEP), sharp)


def test_nothing_is_followed_without_contrast() -> None:
    whole = stick(6)
    seen = without_rows(whole, 80, 130)
    sharp = np.where(seen, TRUE, 0).astype(np.float32)
    found = recover_thin(sharp, blurred(seen), picture_of(whole, apart=0), 1.0, STEP)
    assert (found[80:130] == 0).all()
