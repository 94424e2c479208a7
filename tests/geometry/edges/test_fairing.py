"""Ripples of depth along straight outlines go; planes, steps, curves, the inside and the background stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.geometry.edges.fairing import fair_outlines

Floats = NDArray[np.float32]
RANGE = 20.0  # pixels of shift at 480 wide


def post(width: int) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """A leaning post: where it is, its plane (slanted, in pixels of shift), and y / width."""
    y, x = (grid.astype(np.float32) / width for grid in np.mgrid[: width * 2 // 3, :width])
    inside = np.abs(x - 0.45 - 0.15 * (y - 0.3)) < 0.13
    return inside, (RANGE * (0.8 + 0.3 * (y - 0.3)) * width / 480).astype(np.float32), y


def rim_of(inside: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    shape = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return inside & ~cv2.erode(inside.astype(np.uint8), shape).astype(bool)


def bend(depth: Floats, rim: NDArray[np.bool_]) -> float:
    """Standard deviation from a plane: a plane bends no outline."""
    y, x = np.nonzero(rim)
    terms = np.column_stack([np.ones(len(y)), y, x])
    return float((depth[rim] - terms @ np.linalg.lstsq(terms, depth[rim], rcond=None)[0]).std())


def ripple(width: int, seed: int = 0) -> Floats:
    """Three percent of the range, changing over about 60 pixels at 480 wide."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(-1, 1, (7, 10)).astype(np.float32)
    fine = cv2.resize(coarse, (width, width * 2 // 3), interpolation=cv2.INTER_CUBIC)
    return np.asarray(0.03 * RANGE * width / 480 * fine, np.float32)


@pytest.mark.parametrize("width", [480, 1920])
def test_ripples_along_an_outline_are_removed(width: int) -> None:
    inside, plane, _ = post(width)
    rim, deep = rim_of(inside, 3), inside & ~rim_of(inside, 45 * width // 640)
    assert deep.any()
    left = []
    for seed in range(3):
        given = np.where(inside, plane + ripple(width, seed), 0.0).astype(np.float32)
        found = fair_outlines(given)
        left.append(bend(found - plane, rim) / bend(given - plane, rim))
        np.testing.assert_array_equal(found[~inside], given[~inside])
        np.testing.assert_array_equal(found[deep], given[deep])
    assert max(left) < 0.35
    assert np.mean(left) < 0.25


def test_planes_stay() -> None:
    inside, plane, _ = post(480)
    given = np.where(inside, plane, 0.0).astype(np.float32)
    assert np.abs(fair_outlines(given) - given).max() < 0.15


def test_a_step_along_the_outline_stays() -> None:
    inside, plane, y = post(480)
    nearer = inside & (y > 0.33)
    given = np.where(inside, plane + 4 * nearer, 0.0).astype(np.float32)
    found = fair_outlines(given)
    rim = rim_of(inside, 3)
    assert found[rim & nearer].mean() - found[rim & ~nearer].mean() > 3.5


def test_no_surface_tears() -> None:
    inside, plane, _ = post(480)
    given = np.where(inside, plane + ripple(480), 0.0).astype(np.float32)
    found = fair_outlines(given)
    for axis in (0, 1):
        within = np.minimum(*(np.take(inside, range(k, inside.shape[axis] - 1 + k), axis) for k in (0, 1)))
        assert np.abs(np.diff(found, axis=axis))[within].max() < 0.3


def test_curved_outlines_stay() -> None:
    y, x = np.mgrid[:320, :480]
    given = np.where(np.hypot(x - 230, y - 160) < 90, RANGE + ripple(480), 0.0).astype(np.float32)
    np.testing.assert_array_equal(fair_outlines(given), given)


def test_depth_without_outlines_is_returned_as_it_is() -> None:
    slope = np.tile(np.linspace(0, 30, 240, dtype=np.float32), (160, 1))
    assert fair_outlines(slope) is slope
