"""Fringes before a plain background belong to the foreground; lines and texture of the background do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depth3d.geometry.edges.fringe import cover_fringe

HEIGHT, WIDTH, EDGE = 160, 384, 200  # the foreground is on the left of column EDGE


def scene(factor: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Depth with its edge at EDGE; a dark subject whose hairs, 2 px wide, stick out by 6 px before a pale wall."""
    dice = np.random.default_rng(3)
    colors = np.full((HEIGHT, WIDTH, 3), (200, 205, 195), np.float32)
    colors[:, :EDGE] = (70, 40, 30)
    for row in range(4, HEIGHT - 8, 8):
        colors[row : row + 2, EDGE : EDGE + 6] = (80, 50, 40)
    colors += dice.normal(0, 2, colors.shape)
    shift = np.zeros((HEIGHT, WIDTH), np.float32)
    shift[:, :EDGE] = 8
    grown = [values.repeat(factor, 0).repeat(factor, 1) for values in (shift, colors)]
    return grown[0] * factor, np.clip(grown[1], 0, 255).astype(np.uint8)


@pytest.mark.parametrize("factor", [1, 4])
def test_hairs_get_the_depth_of_their_head(factor: int) -> None:
    """Also where a photo is examined at a smaller size."""
    shift, colors = scene(factor)
    found = cover_fringe(shift, colors)[::factor, ::factor] / factor
    hairs = np.zeros((HEIGHT, WIDTH), bool)
    for row in range(12, HEIGHT - 16, 8):
        hairs[row : row + 2, EDGE : EDGE + 6] = True
    assert (found[hairs] == 8).mean() > 0.9
    between = found[8:-8, EDGE + 1 :][~hairs[8:-8, EDGE + 1 :]]
    assert (between == 8).mean() < 0.01
    assert np.array_equal(found[:, :EDGE], shift[::factor, ::factor][:, :EDGE] / factor)


def test_no_holes_stay_between_a_fringe_and_its_foreground() -> None:
    """A larger photo has pixels between the samples that are examined; their colors would stay behind as specks."""
    height, width = 700, 1250
    row, column = np.mgrid[:height, :width]
    beyond = column - 600 - 0.37 * row  # px beyond the slanted outline
    colors = np.full((height, width, 3), (200, 205, 195), np.float32)
    colors[beyond < 12] = (70, 40, 30)
    colors += np.random.default_rng(5).normal(0, 2, colors.shape)
    found = cover_fringe(np.where(beyond < 0, np.float32(20), np.float32(0)), np.clip(colors, 0, 255).astype(np.uint8))
    assert (found[(beyond < 10) & (row > 20) & (row < height - 20)] == 20).mean() > 0.99
    behind, _ = cv2.connectedComponents((found < 10).astype(np.uint8), connectivity=4)
    assert behind == 2  # what counts as the foreground, and the wall


def test_hairs_get_the_depth_beside_them_not_the_nearest_around() -> None:
    """Nearer than what they grow on, they would leave it in a new view."""
    shift, colors = scene()
    shift[:, :EDGE] -= np.abs(np.arange(HEIGHT) // 16 % 2)[:, None] * 2  # bands of depth 8 and 6
    found = cover_fringe(shift, colors)
    for row in range(20, HEIGHT - 16, 8):
        assert (found[row, EDGE : EDGE + 5] == shift[row, EDGE - 1]).all()


def test_a_line_that_goes_on_beyond_stays_on_the_wall() -> None:
    shift, colors = scene()
    colors[96:100, EDGE:] = (60, 60, 200)
    found = cover_fringe(shift, colors)
    assert not found[96:100, EDGE + 2 :].any()


def test_before_texture_nothing_is_known() -> None:
    shift, colors = scene()
    colors[:, EDGE + 6 :] = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH - EDGE - 6, 3))
    assert np.array_equal(cover_fringe(shift, colors), shift)


def test_flat_depth_and_tiny_photos_stay_as_they_are() -> None:
    for height, width in ((160, 384), (1, 1), (2, 9)):
        flat = np.full((height, width), 3, np.float32)
        assert np.array_equal(cover_fringe(flat, np.zeros((height, width, 3), np.uint8)), flat)


def smooth_scene(tip: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A dark subject before soft colors that change by more than a plain background's; a tip 11 px long sticks out."""
    shift, colors = scene()
    columns = np.arange(WIDTH - EDGE)
    soft = 90 + 50 * np.sin(columns / 14)
    colors[:, EDGE:] = np.stack([soft, soft + 40, 0.5 * soft], -1)[None].astype(np.uint8)
    colors[70:90, EDGE : EDGE + 11] = tip
    return shift, colors


def test_a_tip_in_the_colors_of_its_subject_goes_with_it_before_soft_colors() -> None:
    found = cover_fringe(*smooth_scene((70, 40, 30)))
    assert (found[72:88, EDGE : EDGE + 10] == 8).mean() > 0.95
    assert not found[:, EDGE + 13 :].any()


def test_a_spot_in_other_colors_stays_on_the_soft_background() -> None:
    found = cover_fringe(*smooth_scene((230, 240, 250)))
    assert not found[72:88, EDGE + 3 :].any()
