"""Training labels: streets by geometry, measured depth, pairs held back."""

from __future__ import annotations

import numpy as np
import pytest


def test_streets_get_depth_from_their_labels() -> None:
    """Ground: linear below the horizon; a person: the depth of the feet; a floating sign: unknown; sky: infinity."""
    from streets import BUILDING, PEDESTRIAN, ROAD, SIGN, SKY, UNLABELED, inverse_depth

    labels = np.full((100, 120), SKY, np.uint8)
    labels[40:] = ROAD
    labels[20:45, :30] = BUILDING
    labels[50:80, 60:70] = PEDESTRIAN
    labels[10:20, 90:100] = SIGN
    labels[95:, 100:] = UNLABELED
    inverse = inverse_depth(labels, 38.0)
    assert inverse[90, 20] == pytest.approx((90.5 - 38) / 62)
    np.testing.assert_allclose(inverse[50:80, 60:70], (80 - 38) / 62, rtol=1e-5)
    assert inverse[25, 10] == pytest.approx((45 - 38) / 62, rel=1e-3)
    assert (inverse[0, 40:80] == 0).all()
    assert np.isnan(inverse[10:20, 90:100]).all()
    assert np.isnan(inverse[96, 110])


def test_measured_depth_becomes_relative_and_keeps_what_is_unknown() -> None:
    from photos import relative, windows

    disparity = np.tile(np.linspace(-103, -60, 120, dtype=np.float32), (60, 1))
    known = np.ones(disparity.shape, bool)
    known[:, :10] = False
    inverse = relative(disparity, known)
    assert np.isnan(inverse[:, :10]).all()
    assert (np.diff(inverse[0, 12:-2]) > 0).all()
    assert 0 < np.nanmin(inverse) < np.nanmax(inverse) < 1.2
    picture = np.zeros((60, 120, 3), np.uint8)
    picture[:, :, 0] = np.arange(120)
    first, last = windows((picture, inverse))
    assert first[0].shape == last[0].shape == (300, 400, 3)
    assert first[0][:, :, 0].max() < 81
    assert last[0][:, :, 0].max() > 117


def test_whole_blocks_are_held_back() -> None:
    from pairs import is_held_back

    held = [index for index in range(795) if is_held_back(index)]
    assert len(held) == 80
    assert held[:16] == list(range(64, 80))
