"""What resizing leaves in a step of depth goes to one of its sides."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depth3d.geometry.edges.sharpen import sharpen

FINE = 16


@pytest.mark.parametrize("transposed", [False, True])
def test_no_pixel_stays_between_both_sides_of_an_almost_level_outline(transposed: bool) -> None:
    """Along such an outline, its pixels are a ramp between others that lie between both sides, too."""
    y, x = np.mgrid[: 60 * FINE, : 120 * FINE] / FINE
    front = (y > 30 - x / 12).astype(np.float32)
    share = cv2.resize(front, (120, 60), interpolation=cv2.INTER_AREA)
    share = share.T if transposed else share
    depth, colors = 2 + 20 * share, (40 + 160 * share).astype(np.uint8)[..., None].repeat(3, axis=2)
    between = (depth > 2.5) & (depth < 21.5)
    found = sharpen(np.ascontiguousarray(depth), np.ascontiguousarray(colors), soft=0.0)
    assert between.sum() > 100
    assert not ((found > 2.5) & (found < 21.5)).any()
    assert ((found > 12) == (share > 0.5))[between].mean() > 0.9
