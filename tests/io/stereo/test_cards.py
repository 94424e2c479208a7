"""The colors in which scanned cards are told from other photos."""

from __future__ import annotations

import cv2
import numpy as np

from depth3d.io.stereo import cards


def test_colors_are_opencv_s_cielab_within_rounding() -> None:
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    pixels = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(len(levels), -1, 3)
    away = np.abs(cards._lab(pixels) - cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB))
    assert away.max() <= 3
    assert (away > 1).mean() < 1e-3
