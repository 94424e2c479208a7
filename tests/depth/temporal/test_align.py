"""Fits of one frame on the state: lines known by formula, outliers, no shrinking."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.depth.temporal.align import Affine, deming, robust_affine


def points(count: int = 4000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, count).astype(np.float32)


def test_affine_maps_compose() -> None:
    first, then = Affine(2, 3), Affine(-1, 5)
    x = points(10)
    assert np.allclose(then.after(first)(x), then(first(x)), atol=1e-6)


def test_an_exact_line_is_found_whatever_the_ratio() -> None:
    x = points()
    for ratio in (1e-3, 1.0, 1e3):
        line = deming(x, 1.7 * x - 0.4, np.ones_like(x), ratio)
        assert line == pytest.approx((1.7, -0.4), abs=1e-4)


def test_errors_in_both_do_not_shrink_the_scale() -> None:
    rng, truth = np.random.default_rng(1), points(40000)
    x = truth + rng.normal(0, 0.5, truth.size).astype(np.float32)
    y = truth + rng.normal(0, 0.25, truth.size).astype(np.float32)
    line = deming(x, y, np.ones_like(x), 0.25)
    assert line is not None
    assert line.scale == pytest.approx(1, abs=0.02)
    least_squares = np.polyfit(x, y, 1)[0]
    assert least_squares < 0.85  # the reason for Deming's line


@pytest.mark.parametrize("values", [np.zeros(50, np.float32), np.full(50, 3, np.float32)])
def test_no_line_through_points_that_do_not_vary(values: np.ndarray) -> None:
    assert deming(values, points(50), np.ones_like(values), 1.0) is None
    assert robust_affine(values, points(50), Affine(1, 0), 0.1) is None


def test_a_third_of_outliers_has_no_say() -> None:
    x = points()
    y = 1.3 * x + 0.2
    y[::3] += 4
    line = robust_affine(x, y, Affine(1, 0), 0.05)
    assert line == pytest.approx((1.3, 0.2), abs=1e-2)
