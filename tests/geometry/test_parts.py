"""Parts of a picture around chosen pixels: they cover what is asked for, once, and little else."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.geometry.chunked import PART_MULTIPLE, parts_around


@pytest.mark.parametrize(("reach", "halo"), [(0, 0), (5, 3), (30, 45)])
def test_parts_cover_all_pixels_within_reach_once(reach: int, halo: int) -> None:
    rng = np.random.default_rng(1)
    mask = np.zeros((501, 733), bool)
    mask[rng.integers(0, 501, 12), rng.integers(0, 733, 12)] = True
    mask[-1, -1] = True
    covered, needed = np.zeros(mask.shape, int), np.zeros(mask.shape, bool)
    for y, x in zip(*np.nonzero(mask), strict=True):
        needed[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = True
    for part in parts_around(mask, reach, halo):
        covered[part.at] += 1
        np.testing.assert_array_equal(mask[part.read][part.inside], mask[part.at])
        for read, at, side in zip(part.read, part.at, mask.shape, strict=True):
            assert (read.start, read.stop) == (max(0, at.start - halo), min(side, at.stop + halo))
            assert at.start % PART_MULTIPLE == 0
            assert at.stop % PART_MULTIPLE == 0 or at.stop == side
    assert covered.max() == 1
    assert (covered[needed] == 1).all()


def test_nothing_is_covered_around_nothing_and_little_around_one_pixel() -> None:
    mask = np.zeros((1000, 1000), bool)
    assert parts_around(mask, 10, 10) == []
    mask[500, 300] = True
    (part,) = parts_around(mask, 10, 0)
    assert mask[part.at].size <= (10 + 10 + 3 * PART_MULTIPLE) ** 2


def test_small_pictures_are_one_part() -> None:
    (part,) = parts_around(np.zeros((200, 300), bool), 0, 20)
    assert part.read == part.at == (slice(0, 200), slice(0, 300))
