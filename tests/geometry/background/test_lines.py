"""Lines of the background go on behind an occluder."""

from __future__ import annotations

import numpy as np
import pytest

import depth3d as d3
from depth3d.geometry.background.lines import find_lines, steered_kernel


@pytest.mark.parametrize("slope", [0.0, 0.15, -0.15])
def test_an_edge_that_reaches_the_gap_goes_on_in_it(slope: float) -> None:
    rows, columns = np.mgrid[:160, :240]
    share = np.clip(rows - 80 - slope * (columns - 130) + 0.5, 0, 1)[..., None]
    wall = (1 - share) * np.array([40, 60, 90]) + share * np.array([200, 190, 170])
    pixels, depth = wall.copy(), np.zeros((160, 240), np.float32)
    pixels[:, 60:120], depth[:, 60:120] = (210, 20, 20), 1
    right = d3.stereo_pair(d3.Image(np.rint(pixels).astype(np.uint8)), d3.DepthMap(depth), 10.0, 0.0, "right").right
    # The object has moved by 24 pixels; away from its outline and from the edge itself the gap shows the wall.
    gap = slice(40, 120), slice(102, 118)
    error = np.abs(right.pixels[gap].astype(float) - wall[gap]).max(2)
    assert np.median(error) < 6
    assert (error > 40).mean() < 0.08


def test_directions_of_stripes() -> None:
    rows, columns = np.mgrid[:64, :96]
    stripes = 128 + 100 * np.sin((rows - 0.5 * columns) / 3)
    picture = np.repeat(stripes[..., None], 3, axis=2).astype(np.uint8)
    lines = find_lines(picture, np.ones((64, 96), bool), 0, 1)
    slope, coherence = lines.at(np.array([30]), np.array([40]))
    assert slope[0] == pytest.approx(0.5, abs=0.03)
    assert coherence[0] > 0.95


def test_a_steered_kernel_is_the_product_of_both_gaussians() -> None:
    y, x = np.mgrid[-6:6:401j, -6:6:401j]
    tensor, steer, center, spread = (0.7, 0.2, -0.3), 2.5, (0.4, -0.6), 0.8
    change = tensor[0] * x * x + tensor[1] * y * y + 2 * tensor[2] * x * y
    weight = np.exp(-steer * change - ((y - center[0]) ** 2 + (x - center[1]) ** 2) / (2 * spread**2))
    weight /= weight.sum()
    mean = np.array([(weight * side).sum() for side in (x, y)])
    spans = [x - mean[0], y - mean[1]]
    covariance = [[(weight * one * other).sum() for other in spans] for one in spans]
    each = [np.full(1, value, np.float32) for value in (*tensor, steer, *center)]
    kernel = steered_kernel((each[0], each[1], each[2]), each[3], (each[4], each[5]), spread)
    factor = np.array([[kernel.across[0], 0], [kernel.shear[0], kernel.along[0]]])
    assert np.allclose([kernel.right[0], kernel.down[0]], mean, atol=1e-4)
    assert np.allclose(factor @ factor.T, covariance, atol=1e-4)
    down, right = kernel.at(1.0, -2.0)
    assert np.allclose([right[0], down[0]], mean + factor @ (1.0, -2.0), atol=1e-4)
