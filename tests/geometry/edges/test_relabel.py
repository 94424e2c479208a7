"""Outlines that a network missed widely: scenes whose outline is known by formula."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.geometry.edges.relabel import relabel_by_color

WIDTH, HEIGHT = 480, 320
NEAR, FAR = 20.0, 2.0


def disc(x: float, y: float = 160, radius: float = 70, scale: int = 1) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[: HEIGHT * scale, : WIDTH * scale] / scale
    return np.asarray((columns - x) ** 2 + (rows - y) ** 2 < radius**2)


def painted(front: NDArray[np.bool_], near: tuple[int, ...], far: tuple[int, ...]) -> NDArray[np.uint8]:
    colors = np.where(front[..., None], np.array(near, np.float32), np.array(far, np.float32))
    noise = np.random.default_rng(5).normal(0, 6, colors.shape)
    return np.clip(colors + noise, 0, 255).astype(np.uint8)


def depth_of(front: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.where(front, np.float32(NEAR), np.float32(FAR))


def overlap(shift: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    found = shift > (NEAR + FAR) / 2
    return float((found & truth).sum() / (found | truth).sum())


@pytest.mark.parametrize("scale", [1, 3])
def test_an_outline_that_is_widely_off_moves_to_where_the_colors_part(scale: int) -> None:
    truth, told = disc(240, scale=scale), disc(249, scale=scale)
    shift = depth_of(told)
    moved = relabel_by_color(shift, painted(truth, (180, 60, 40), (70, 120, 60)))
    assert overlap(shift, truth) < 0.86
    assert overlap(moved, truth) > 0.98
    assert np.allclose(moved[moved > 11], NEAR, atol=0.1)
    assert np.allclose(moved[moved < 11], FAR, atol=0.1)


def test_a_part_of_another_color_belongs_to_the_foreground() -> None:
    """A wing whose color is nowhere else: the background goes on beyond, and does not have it."""
    body, whole = disc(240), disc(240, radius=76)
    colors = painted(whole, (60, 50, 70), (50, 150, 80))
    wing = whole & ~body
    colors[wing] = painted(whole, (220, 70, 20), (0, 0, 0))[wing]
    shift = depth_of(body)
    assert overlap(shift, whole) < 0.86
    assert overlap(relabel_by_color(shift, colors), whole) > 0.97


def test_a_color_that_the_background_does_not_have_belongs_to_the_foreground() -> None:
    """Also where the background has the colors of the rest of it, and has not two colors only."""
    body, whole = disc(240), disc(240, radius=76)
    colors = painted(whole, (60, 50, 70), (90, 150, 80))
    stems = ~whole & (np.arange(WIDTH) % 24 < 10)
    colors[stems] = painted(whole, (60, 50, 70), (60, 50, 70))[stems]
    wing = whole & ~body
    colors[wing] = painted(whole, (220, 70, 20), (0, 0, 0))[wing]
    shift = depth_of(body)
    found = relabel_by_color(shift, colors) > 11
    assert found[wing].mean() > 0.9
    assert found[~whole].mean() < 0.01


def test_what_joins_a_side_has_the_depth_beside_it() -> None:
    """The depth of a subject often falls towards its outline: at its mean, a rim would stand before the subject."""
    whole, told = disc(240), disc(249)
    inside = cv2.distanceTransform(told.view(np.uint8), cv2.DIST_L2, 5)
    shift = np.where(told, 18 + np.minimum(inside, 20) * 0.1, FAR).astype(np.float32)
    found = relabel_by_color(shift, painted(whole, (180, 60, 40), (70, 120, 60)))
    joined = (found > 11) & ~told
    assert joined.sum() > 1000
    assert found[joined].mean() == pytest.approx(18.3, abs=0.3)


def test_colors_that_both_sides_share_decide_nothing() -> None:
    told, stripes = disc(249), np.indices((HEIGHT, WIDTH)).sum(0) // 12 % 2 == 0
    colors = painted(stripes, (180, 60, 40), (70, 120, 60))
    shift = depth_of(told)
    assert np.array_equal(relabel_by_color(shift, colors), shift)


def test_between_more_than_two_surfaces_the_depth_map_decides() -> None:
    """A fence behind the disc, at middle depth and of the wall's color."""
    shift = depth_of(disc(249))
    shift[(np.arange(HEIGHT) % 16 < 8)[:, None] & (shift == FAR)] = 11
    assert np.array_equal(relabel_by_color(shift, painted(disc(240), (180, 60, 40), (70, 120, 60))), shift)


def test_depth_without_high_steps_is_left_alone() -> None:
    ramp = np.tile(np.linspace(0, 20, WIDTH, dtype=np.float32), (HEIGHT, 1))
    assert relabel_by_color(ramp, painted(disc(240), (200, 0, 0), (0, 0, 200))) is ramp


def test_the_result_does_not_depend_on_chance() -> None:
    colors = painted(disc(240), (180, 60, 40), (70, 120, 60))
    found = []
    for seed in (1, 99):
        cv2.setRNGSeed(seed)
        found.append(relabel_by_color(depth_of(disc(249)), colors))
    assert np.array_equal(*found)
