"""Smoothing of filled pixels."""

from __future__ import annotations

import numpy as np

from depth3d.geometry.background.fill import relax


def test_no_checkerboard_is_left_by_smoothing() -> None:
    rows, columns = np.mgrid[:60, :60]
    unknown = (abs(rows - 30) < 25) & (abs(columns - 30) < 25)
    colors = np.full((60, 60, 3), 100, np.float32)
    colors[unknown] += np.where((rows + columns) % 2, 20, -20)[unknown][:, None]
    relax(colors, np.zeros((60, 60), np.float32), unknown)
    assert np.abs(colors - 100).max() < 0.5


def test_surfaces_at_another_depth_stay_out_and_lonely_pixels_as_they_are() -> None:
    colors = np.full((9, 9, 3), 50, np.float32)
    depth = np.full((9, 9), 10, np.float32)
    depth[4, 4] = 0
    colors[4, 4] = 200
    unknown = np.zeros((9, 9), bool)
    unknown[3:6, 3:6] = True
    relax(colors, depth, unknown)
    assert (colors[4, 4] == 200).all()
    assert np.abs(np.delete(colors.reshape(81, 3), 40, axis=0) - 50).max() < 1e-3
