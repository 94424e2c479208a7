"""The blur of a depth map is measured, and mostly taken back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depth3d.geometry.edges.deblur import deblur, estimate_blur

SLOPE = 0.7


def step(height: float = 20.0) -> np.ndarray:
    depth = np.zeros((96, 128), np.float32)
    depth[:, 60:] = height
    return depth


@pytest.mark.parametrize("spread", [1.5, 3.0, 5.0])
def test_blur_of_a_step_is_found(spread: float) -> None:
    soft = cv2.GaussianBlur(step(), (0, 0), spread)
    assert estimate_blur(soft, SLOPE, 1.0) == pytest.approx(spread, rel=0.12)


def test_a_plane_and_a_slope_stay_as_they_are() -> None:
    flat = np.full((64, 64), 3.0, np.float32)
    lean = np.tile(np.linspace(0, 20, 64, dtype=np.float32), (64, 1))
    for depth in (flat, lean):
        assert np.array_equal(deblur(depth, SLOPE, 1.0), depth)


def test_deblurred_comes_closer_to_the_truth_and_leaves_the_range() -> None:
    truth = step()
    truth[:, 20:24] = 10  # something thin, which the blur lowers to about half of its height
    soft = np.asarray(cv2.GaussianBlur(truth, (0, 0), 3), np.float32)
    before = soft.copy()
    result = deblur(soft, SLOPE, 1.0)
    assert np.array_equal(soft, before)
    assert np.abs(result - truth).mean() < 0.9 * np.abs(soft - truth).mean()
    assert result[48, 20:24].max() > 1.1 * soft[48, 20:24].max()
    assert result.min() >= soft.min()
    assert result.max() <= soft.max()


def test_a_crisp_step_beside_soft_ones_does_not_ring() -> None:
    """A bar along the edge of a wide surface would stand before it in every new view."""
    depth = np.asarray(cv2.GaussianBlur(step(), (0, 0), 3), np.float32)
    depth[48:] = 5 + step(10)[48:]
    result = deblur(depth, SLOPE, 1.0)
    crisp = slice(56, 88)
    np.testing.assert_allclose(result[crisp], depth[crisp], atol=0.01)
