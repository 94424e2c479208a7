"""Erosion and dilation by discs are those of OpenCV, value for value."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.geometry.edges import discs

rng = np.random.default_rng(3)


@pytest.mark.parametrize("side", [3, 15, 21, 47])
@pytest.mark.parametrize("shape", [(90, 130), (9, 200), (200, 9)])
def test_the_same_as_opencv_also_over_bands(side: int, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discs, "CACHED_BYTES", 64 * 130)
    values = np.asarray(cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), 2), np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    np.testing.assert_array_equal(discs.dilate_disc(values, side), cv2.dilate(values, disc))
    np.testing.assert_array_equal(discs.erode_disc(values, side), cv2.erode(values, disc))
    mask: NDArray[np.bool_] = values > 0
    plain = mask.astype(np.uint8)
    np.testing.assert_array_equal(discs.open_disc(mask, side), cv2.morphologyEx(plain, cv2.MORPH_OPEN, disc) > 0)
    np.testing.assert_array_equal(discs.close_disc(mask, side), cv2.morphologyEx(plain, cv2.MORPH_CLOSE, disc) > 0)
    assert discs.open_disc(mask, side).dtype == bool


def test_a_single_pixel_becomes_the_disc() -> None:
    values = np.zeros((41, 41), np.float32)
    values[20, 20] = 5
    found = discs.dilate_disc(values, 31)
    y, x = np.mgrid[-20:21, -20:21]
    assert (found[np.hypot(y, x) < 14.5] == 5).all()
    assert (found[np.hypot(y, x) > 16.5] == 0).all()
