"""The background behind occluders, pixel by pixel: against a plain form of the algorithm."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.geometry.background import disocclusion
from depth3d.geometry.background.disocclusion import (
    ALL_WAYS,
    FROM_LEFT,
    FROM_RIGHT,
    OVERLAP,
    extend_background,
    without_islands,
)

Ways = tuple[tuple[int, int], ...]
Found = dict[tuple[int, int], tuple[float, int]]


def plain(seen: NDArray[np.float32], cover: NDArray[np.float32], tolerance: float, ways: Ways) -> tuple[Found, Found]:
    """Depth and source of the pixels of both layers: a front of (pixel, depth, source), one pixel per iteration."""
    height, width = seen.shape
    first: Found = {}
    second: Found = {}
    front = []
    for right in (True, False):
        for way in [way for way in ways if bool(way[1]) == right]:
            for y in range(height):
                for x in range(width):
                    there = y - way[0], x - way[1]
                    if 0 <= there[0] < height and 0 <= there[1] < width:
                        front.append(((y, x), seen[there], there[0] * width + there[1], cover[there]))
    moving = [(at, level, source) for at, level, source, far in front if cover[at] - far > tolerance]
    run = 1
    while moving:
        kept: dict[tuple[int, int], tuple[float, int]] = {}
        for at, level, source in moving:
            gap = cover[at] - level
            deeper = at not in first or first[at][0] - level > tolerance
            if gap > tolerance and run <= gap + OVERLAP and deeper and (at not in kept or level <= kept[at][0]):
                kept[at] = (level, source)
        for at, found in kept.items():
            (second if at in first else first).setdefault(at, found)
        moving = [
            ((at[0] + down, at[1] + right), *found)
            for down, right in ways
            for at, found in kept.items()
            if 0 <= at[0] + down < height and 0 <= at[1] + right < width
        ]
        run += 1
    return first, second


@pytest.mark.parametrize("ways", [ALL_WAYS, FROM_LEFT, FROM_RIGHT])
@pytest.mark.parametrize("seed", range(4))
def test_the_same_as_pixel_by_pixel(ways: Ways, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disocclusion, "CACHED_PIXELS", 500)  # discontinuities are found in bands of rows
    rng = np.random.default_rng(seed)
    seen = np.linspace(0, 2, 50, dtype=np.float32) + np.zeros((80, 1), np.float32)
    for _ in range(12):
        y, x, level = rng.integers(80), rng.integers(50), rng.uniform(3, 15)
        cv2.circle(seen, (int(x), int(y)), int(rng.integers(2, 12)), level + 0.01 * rng.random(), -1)
    cover = np.asarray(cv2.dilate(seen, np.ones((3, 3), np.uint8)), np.float32)
    first, deeper = extend_background(seen, cover, 1.0, ways)
    second = deeper.over(copy.deepcopy(first))
    for layer, pixels in zip((first, second), plain(seen, cover, 1.0, ways), strict=True):
        assert {(int(y), int(x)) for y, x in zip(*np.nonzero(layer.mask), strict=True)} == set(pixels)
        for at, (level, _) in pixels.items():
            assert layer.depth[at] == level
            assert seen.ravel()[layer.source[at]] == level
    assert first.mask.sum() > 300
    assert ways != ALL_WAYS or second.mask.sum() > 20
    np.testing.assert_array_equal(first.depth[~first.mask], seen[~first.mask])
    np.testing.assert_array_equal(second.depth[~second.mask], first.depth[~second.mask])
    np.testing.assert_array_equal(second.source[~second.mask], first.source[~second.mask])


def test_scraps_at_a_torn_edge_do_not_stay_before_the_background() -> None:
    """A subject at depth 20 whose torn rim has single pixels at 18, and a box at 12 that is half behind it."""
    seen = np.zeros((200, 1200), np.float32)
    seen[140:190, 180:300] = 12
    seen[10:180, 200:280] = 20
    seen[20:120:24, 199] = 18
    first, deeper = extend_background(seen, seen, 1.0)
    scraps = (first.depth == 18) & first.mask
    assert scraps.sum() > 20
    second = without_islands(first, deeper)
    assert (first.depth[scraps] == 0).all()
    assert (seen.ravel()[first.source[scraps]] == 0).all()
    assert not np.isin(np.flatnonzero(scraps), second.places).any()
    assert (first.depth[140:180, 200:208] == 12).all()
    assert len(second.places) > 100
