"""Masks grow by their reach, close narrow gaps, keep the parts with seeds, and give their closest values."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.geometry.edges.masks import around, close_gaps, closest, connected


def dots(*places: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((31, 41), bool)
    for row, column in places:
        mask[row, column] = True
    return mask


@pytest.mark.parametrize("reach", [0, 1, 4])
def test_a_dot_grows_by_its_reach(reach: int) -> None:
    y, x = np.mgrid[:31, :41]
    expected = (abs(y - 15) <= reach) & (abs(x - 20) <= reach)
    np.testing.assert_array_equal(around(dots((15, 20)), reach), expected)


@pytest.mark.parametrize("reach", [1, 3])
def test_gaps_are_closed_up_to_twice_the_reach(reach: int) -> None:
    y, x = np.mgrid[:31, :41]
    block = (abs(y - 15) <= 8) & (abs(x - 20) <= 12)
    for gap, closes in ((2 * reach, True), (2 * reach + 1, False)):
        cut = block & ~((x >= 18) & (x < 18 + gap))
        np.testing.assert_array_equal(close_gaps(cut, reach), block if closes else cut)


def test_parts_without_seeds_are_left_out() -> None:
    diagonal, other = dots((4, 4), (5, 5), (6, 6)), dots((20, 30), (20, 31))
    np.testing.assert_array_equal(connected(diagonal | other, dots((6, 6))), diagonal)
    assert not connected(diagonal | other, dots((10, 10))).any()


def test_the_closest_pixel_of_a_mask_gives_its_value() -> None:
    mask, values = dots((4, 6), (20, 30)), np.random.default_rng(1).random((31, 41)).astype(np.float32)
    away, found = closest(values, mask)
    y, x = np.mgrid[:31, :41]
    first, second = np.hypot(y - 4, x - 6), np.hypot(y - 20, x - 30)
    clear = np.abs(first - second) > 0.5  # distances are approximate
    np.testing.assert_array_equal(found[clear], np.where(first < second, values[4, 6], values[20, 30])[clear])
    np.testing.assert_allclose(away, np.minimum(first, second), rtol=0.03)
