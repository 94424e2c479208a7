"""Lines of the background go on behind an occluder."""

from __future__ import annotations

import numpy as np
import pytest

import depth3d as d3
from depth3d.geometry.background.lines import find_lines


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
