"""Depth edges that are a few pixels off move to the outline in the picture, and to nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.geometry import chunked
from depth3d.geometry.edges import refine
from depth3d.geometry.edges.refine import absorb_islands, align_frame, align_to_picture

Floats = NDArray[np.float32]


def picture_of(front: NDArray[np.bool_], seed: int = 0, apart: int = 90) -> NDArray[np.uint8]:
    """A textured front before a textured background, ``apart`` levels brighter."""
    random = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(random.normal(0, 40, (*front.shape, 3)).astype(np.float32), (0, 0), 1.5)
    values = 70 + noise + apart * front[..., None]
    return np.clip(cv2.GaussianBlur(values, (0, 0), 0.6), 0, 255).astype(np.uint8)


def disc(height: int, width: int, radius: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[:height, :width]
    return np.asarray((y - height / 2) ** 2 + (x - width / 2) ** 2 < radius**2)


def wrong(found: Floats, front: NDArray[np.bool_]) -> int:
    return int(((found > 6) != front).sum())


@pytest.mark.parametrize("off", [-4, 4])
@pytest.mark.parametrize("scale", [1, 4])
def test_edges_inside_and_outside_of_the_outline_move_to_it(off: int, scale: int) -> None:
    height, width = 160 * scale, 240 * scale if scale == 1 else 640 * scale
    front = disc(height, width, 50 * scale)
    given = np.where(disc(height, width, (50 + off) * scale), 12.0, 0.0).astype(np.float32)
    found = align_to_picture(given, picture_of(front))
    assert wrong(given, front) > 1000 * scale**2
    assert wrong(found, front) < 0.12 * wrong(given, front)
    assert found.min() >= -0.1
    assert found.max() <= 12.1


@pytest.mark.parametrize("width", [900, 1600])
def test_parts_around_the_edges_give_what_the_whole_picture_gives(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    height = width * 5 // 8
    front = disc(height, width, 0.15 * width)
    given = np.where(disc(height, width, 0.155 * width), 12.0, np.linspace(0, 5, width)).astype(np.float32)
    picture = picture_of(front)
    found = []
    for undivided in (0, 10**9):
        monkeypatch.setattr(chunked, "_UNDIVIDED", undivided)
        found.append(align_to_picture(given, picture))
    # Far from all edges a part of the picture knows no sides, the whole picture does.
    assert (np.abs(found[0] - found[1]) > 1e-3).sum() <= 2


def test_an_edge_on_the_outline_stays() -> None:
    front = disc(160, 240, 50)
    given = np.where(front, 12.0, 0.0).astype(np.float32)
    assert wrong(align_to_picture(given, picture_of(front)), front) <= 30


def test_without_contrast_the_depth_map_decides() -> None:
    front = disc(160, 240, 50)
    given = np.where(disc(160, 240, 46), 12.0, 0.0).astype(np.float32)
    found = align_to_picture(given, picture_of(front, apart=0))
    assert ((found > 6) != (given > 6)).sum() < 0.02 * given.size


def test_ramps_become_steps_at_the_outline() -> None:
    front = disc(160, 240, 50)
    given = cv2.GaussianBlur(np.where(front, 12.0, 0.0).astype(np.float32), (0, 0), 1.2)
    found = align_to_picture(given, picture_of(front))
    close = disc(160, 240, 54) & ~disc(160, 240, 46)
    halfway = (np.abs(found - 6) < 3) & close
    assert halfway.sum() < 0.1 * ((np.abs(given - 6) < 3) & close).sum()


def test_low_steps_and_even_depth_are_returned_as_they_are() -> None:
    front = disc(160, 240, 50)
    low = np.where(front, 1.5, 0.0).astype(np.float32)
    assert align_to_picture(low, picture_of(front)) is low
    ramp = np.tile(np.linspace(0, 30, 240, dtype=np.float32), (160, 1))
    assert align_to_picture(ramp, picture_of(front)) is ramp


def test_single_pixels_of_the_other_color_join_their_surroundings() -> None:
    front = disc(160, 240, 50)
    picture = picture_of(front).copy()
    picture[78:80, 166:168] = picture[80, 120]  # just outside, with the front's color
    given = np.where(front, 12.0, 0.0).astype(np.float32)
    assert (align_to_picture(given, picture)[78:80, 173:175] < 6).all()
    count, *_ = cv2.connectedComponentsWithStats((align_to_picture(given, picture) > 6).astype(np.uint8))
    assert count == 2  # the background and one disc


@pytest.mark.parametrize("width", [480, 1280])
def test_edges_of_frames_agree_wherever_the_network_saw_them(width: int) -> None:
    height, radius, off = width * 2 // 3, width // 5, width / 240
    front = disc(height, width, radius)
    picture = picture_of(front)
    given = [np.where(disc(height, width, radius + way * off), 12.0, 0.0).astype(np.float32) for way in (-1, 1)]
    found = [align_frame(one, picture) for one in given]
    for before, after in zip(given, found, strict=True):
        assert wrong(after, front) < 0.4 * wrong(before, front)
    assert ((found[0] > 6) != (found[1] > 6)).sum() < 0.3 * ((given[0] > 6) != (given[1] > 6)).sum()


def test_islands_beside_an_edge_are_absorbed_and_nothing_else() -> None:
    front = disc(160, 240, 50)
    shift = np.where(front, 12.0, 1.0).astype(np.float32)
    shift += np.linspace(0, 1, 240, dtype=np.float32)
    dotted = shift.copy()
    dotted[20:24, 120:124], dotted[50:53, 120:122] = 12.4, 1.4
    found = absorb_islands(dotted)
    np.testing.assert_allclose(found, shift, atol=0.1)
    np.testing.assert_array_equal(found[shift == dotted], shift[shift == dotted])


@pytest.mark.parametrize("pixels", [1, 5, 56, 225])
def test_islands_are_the_small_connected_parts(pixels: int) -> None:
    rng = np.random.default_rng(pixels)
    near = np.asarray(cv2.GaussianBlur(rng.normal(0, 1, (180, 240)), (0, 0), 3)) > 0
    band = rng.random(near.shape) < 0.9
    near[:4, :5] = ~near[6, 6]  # in the corner, too
    expected = near.copy()
    for side in (True, False):
        _, labels, stats, _ = cv2.connectedComponentsWithStats((expected == side).astype(np.uint8), connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] < pixels
        small[0] = False
        expected[small[labels] & band] = not side
    np.testing.assert_array_equal(refine._without_islands(near, band, pixels), expected)
    assert pixels < 50 or (expected != near).sum() > 50


def test_pixels_that_join_a_side_have_the_depth_beside_them() -> None:
    """A network's depth falls towards an outline: at the mean depth, a rim would stand before its subject."""
    front, told = disc(160, 240, 50), disc(160, 240, 46)
    inside = cv2.distanceTransform(told.view(np.uint8), cv2.DIST_L2, 5)
    given = np.where(told, 8 + np.minimum(inside, 20) * 0.3, 0).astype(np.float32)
    found = align_to_picture(given, picture_of(front))
    assert wrong(found, front) < 0.12 * wrong(given, front)
    subject = found > 6
    for axis in (0, 1):
        steps = np.abs(np.diff(found, axis=axis))
        both = np.diff(subject.astype(int), axis=axis) == 0
        assert steps[both].max() < 1


def test_a_gray_background_in_sun_and_shade_does_not_take_in_every_color() -> None:
    """A bird's back: its rim is as bright as the background, which is gray, the rest of the bird dark."""
    front, inside, random = disc(160, 240, 50), disc(160, 240, 44), np.random.default_rng(4)
    light = cv2.GaussianBlur(random.normal(0, 700, front.shape).astype(np.float32), (0, 0), 8) + 170
    picture = np.repeat(light[..., None], 3, axis=2)
    picture[front], picture[inside] = (150, 190, 195), (80, 120, 60)
    picture = np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    given = np.where(front, 12.0, 0.0).astype(np.float32)
    assert wrong(align_to_picture(given, picture), front) < 60  # of 1,800 in the rim


@pytest.mark.parametrize("dark", [True, False])
def test_half_of_the_light_of_a_dark_outline_decides_and_a_bright_one_keeps_its_glow(dark: bool) -> None:
    fine, random = 8, np.random.default_rng(3)
    y, x = np.mgrid[: 160 * fine, : 240 * fine] / np.float32(fine)
    front = np.abs(x - 120 - 0.13 * (y - 80)) < 30
    light = np.where(front == dark, np.float32((50 / 255) ** 2.2), np.float32((210 / 255) ** 2.2))
    share, light = (cv2.resize(values.astype(np.float32), (240, 160), interpolation=cv2.INTER_AREA)
                    for values in (front, light))  # fmt: skip
    levels = 255 * light ** np.float32(1 / 2.2) + random.normal(0, 3, share.shape)
    given = np.where(share > 0, 12.0, 0.0).astype(np.float32)
    found = align_to_picture(given, np.dstack([levels.astype(np.uint8)] * 3))
    mixed = (share > 0.02) & (share < 0.98)
    limit = share[mixed & (found <= 6)].max(), share[mixed & (found > 6)].min()
    assert sum(limit) / 2 == pytest.approx(0.5 if dark else 0.32, abs=0.08)
