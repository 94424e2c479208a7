"""What is hidden takes its colors from the far side alone: broad tones farther in, and the grain of its texture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.geometry.background import grain, texture
from depth3d.geometry.background.disocclusion import FROM_RIGHT, HiddenSurface, extend_background
from depth3d.geometry.background.texture import paint_background


def scene(width: int, pattern: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32], HiddenSurface]:
    """A red wall over the left half, ``pattern`` (rows of one pixel) on the right half behind it."""
    near = width // 2
    seen = np.zeros((40, width), np.float32)
    seen[:, :near] = width // 4  # pixels of shift
    picture = np.zeros((40, width, 3), np.uint8)
    picture[:, :near] = (255, 0, 0)
    picture[:, near:] = pattern[:, None]
    return picture, seen, extend_background(seen, seen, 1.0, FROM_RIGHT)[0]


@pytest.mark.parametrize(("width", "line"), [(60, 2), (2400, 5)])  # one pixel in four is toned in the wide one
def test_streaks_fade_and_the_near_side_stays_out(width: int, line: int) -> None:
    lines = np.zeros((40, 3), np.uint8)
    lines[np.arange(40) // line % 2 == 0] = (0, 200, 0)
    picture, seen, hidden = scene(width, lines)
    painted = paint_background(picture, picture, hidden, seen, seen)
    assert hidden.mask.any()
    assert painted[hidden.mask][:, 0].max() == 0
    assert np.array_equal(painted[~hidden.mask], picture[~hidden.mask])
    deep = hidden.mask & (np.arange(width) < 0.45 * width)
    green = painted[deep][:, 1].astype(float)
    assert abs(green.mean() - 100) < 20
    # The lines go on at a good part of their contrast (100): neither smeared away nor carried on in full.
    assert 30 < green.std() < 85


def test_streaks_of_single_lines_fade() -> None:
    lines = np.zeros((40, 3), np.uint8)
    lines[::2] = (0, 200, 0)
    picture, seen, hidden = scene(60, lines)
    painted = paint_background(picture, picture, hidden, seen, seen)
    streaks = picture.reshape(-1, 3)[hidden.source.ravel()].reshape(picture.shape)
    deep = hidden.mask & (np.arange(60) < 20)
    assert painted[deep][:, 1].std() < 0.7 * streaks[deep][:, 1].std()


def test_an_even_far_side_goes_on_exactly() -> None:
    plain = np.full((40, 3), (10, 90, 160), np.uint8)
    picture, seen, hidden = scene(120, plain)
    assert (paint_background(picture, picture, hidden, seen, seen)[hidden.mask] == (10, 90, 160)).all()


def test_both_sides_of_a_thin_thing_count() -> None:
    seen = np.zeros((40, 200), np.float32)
    seen[:, 95:105] = 40
    picture = np.zeros((40, 200, 3), np.uint8)
    picture[:, :95], picture[:, 95:105], picture[:, 105:] = 100, 255, 200
    hidden = extend_background(seen, seen, 1.0, FROM_RIGHT)[0]
    painted = paint_background(picture, picture, hidden, seen, seen)
    row = painted[20, 95:105, 0].astype(int)
    assert row[9] > 180
    assert row[0] < row[9] - 20
    assert row.max() <= 200


def test_the_direction_of_weak_structure_steers_the_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.arange(120)[:, None]
    bands = np.where(rows // 14 % 2, 150.0, 90.0) + np.zeros((120, 400))
    noisy = (bands + np.random.default_rng(3).normal(0, 30, bands.shape)).clip(0, 255)  # too weak to be lines
    picture = np.repeat(noisy[..., None], 3, axis=2).astype(np.uint8)
    seen = np.zeros((120, 400), np.float32)
    seen[:, :200], picture[:, :200] = 30, (255, 0, 0)
    hidden = extend_background(seen, seen, 1.0, FROM_RIGHT)[0]
    beside = hidden.mask & (np.arange(400) > 184)

    def error() -> float:
        painted = paint_background(picture, picture, hidden, seen, seen)[..., 0]
        return float(np.abs(painted[beside] - bands[beside]).mean())

    steered = error()
    monkeypatch.setattr(texture, "ALONG", 0.0)
    assert steered < 0.95 * error()


def test_tones_are_means_of_the_texture_not_samples_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    spots = cv2.GaussianBlur(random.normal(0, 1, (160, 400)), (0, 0), 1.5)
    spots = 128 + 40 * spots / spots.std()
    picture = np.repeat(spots.clip(0, 255)[..., None], 3, axis=2).astype(np.uint8)
    seen = np.zeros((160, 400), np.float32)
    seen[:, :200], picture[:, :200] = 40, (255, 0, 0)
    hidden = extend_background(seen, seen, 1.0, FROM_RIGHT)[0]
    monkeypatch.setattr(grain, "MOST", 1e-6)
    painted = paint_background(picture, picture, hidden, seen, seen)[30:130, 160:190, 1]
    assert hidden.mask[30:130, 160:190].all()
    assert np.sqrt(np.mean((painted.astype(float) - 128) ** 2)) < 8  # 25 samples on a fixed grid: 11.5


def test_tones_are_smoothed_along_lines_and_not_across(monkeypatch: pytest.MonkeyPatch) -> None:
    stripes = np.zeros((40, 3), np.uint8)
    stripes[np.arange(40) // 3 % 2 == 0] = 60
    picture, seen, hidden = scene(120, stripes)
    picture[:, 60:] += np.random.default_rng(1).integers(90, 110, (40, 60, 1), np.uint8)
    deep = hidden.mask & (np.arange(120) < 54) & (np.arange(40)[:, None] % 39 != 0)

    monkeypatch.setattr(grain, "MOST", 1e-6)

    def contrast() -> float:
        painted = paint_background(picture, picture, hidden, seen, seen)[..., 0].astype(float)
        return float(np.ptp([painted[deep & (np.arange(40)[:, None] // 3 % 2 == turn)].mean() for turn in (0, 1)]))

    along = contrast()
    monkeypatch.setattr(texture, "CROSSING", 0.0)
    assert along > 1.3 * contrast()


def test_grain_is_mirrored_at_the_mean_of_a_ragged_outline() -> None:
    picture, seen = np.zeros((80, 240, 3), np.uint8), np.zeros((80, 240), np.float32)
    columns = np.arange(240)
    picture[:] = (100 + 15 * (columns % 6 < 3))[None, :, None]  # lines along the outline
    seen[columns < 120 + np.random.default_rng(5).integers(-1, 2, (80, 1))] = 40
    hidden = extend_background(seen, seen, 1.0, FROM_RIGHT)[0]
    part = np.s_[10:70, 85:110]
    assert hidden.mask[part].all()
    painted = paint_background(picture, picture, hidden, seen, seen)[part][..., 0].astype(float)
    assert painted.mean(0).std() > 3  # the lines are there
    assert painted.std(0).mean() < 0.5 * painted.mean(0).std()  # in every row at the same place


def test_an_edge_along_the_outline_is_not_mirrored_as_a_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, seen = np.full((80, 240, 3), 80, np.uint8), np.zeros((80, 240), np.float32)
    picture[:, 132:] = 180
    seen[:, :120] = 40
    hidden = extend_background(seen, seen, 1.0, FROM_RIGHT)[0]

    def step() -> float:
        row = paint_background(picture, picture, hidden, seen, seen)[40, 90:118, 0].astype(float)
        return float(np.abs(np.diff(row)).max())

    limited = step()
    monkeypatch.setattr(grain, "REPEATED", 0.0)
    assert limited < 0.5 * step()


def test_strong_grain_is_limited_and_weak_grain_keeps_its_contrast() -> None:
    def spread(contrast: int) -> float:
        noise = np.random.default_rng(6).integers(-contrast, contrast + 1, (80, 240, 1))
        picture, seen = np.repeat(128 + noise, 3, axis=2).astype(np.uint8), np.zeros((80, 240), np.float32)
        seen[:, :120] = 40
        hidden = extend_background(seen, seen, 1.0, FROM_RIGHT)[0]
        painted = paint_background(picture, picture, hidden, seen, seen)[10:70, 85:110, 0]
        return float(painted.std() / noise.std())

    assert spread(4) > 0.8
    assert spread(100) < 0.5


@pytest.mark.filterwarnings("error")
def test_a_pixel_that_is_its_own_source_keeps_its_color() -> None:
    picture, seen, hidden = scene(60, np.full((40, 3), (10, 90, 160), np.uint8))
    source = hidden.source.copy()
    source[20, 20] = 20 * 60 + 20
    own = HiddenSurface(hidden.depth, source, hidden.mask)
    assert hidden.mask[20, 20]
    painted = paint_background(picture, picture, own, seen, seen)
    assert painted[20, 20, 2] > 30  # its neighbors are smoothed into it


def test_the_first_of_each_number() -> None:
    numbers = np.random.default_rng(0).integers(40, 90, 300)
    first, which = grain._first_of_each(numbers)
    expected, index = np.unique(numbers, return_index=True)
    assert set(first) == set(index)
    assert len(first) == len(expected)
    np.testing.assert_array_equal(numbers[first][which], numbers)


def test_pixels_covered_by_the_dilation_are_never_sampled() -> None:
    seen = np.zeros((3, 9), np.float32)
    seen[:, :3] = 8
    cover = seen.copy()
    cover[:, 3:5] = 8, 0.5
    covered = texture.exclude_covered(seen, cover, 1.0)
    assert covered[0].nonzero()[0].tolist() == [3]
    assert (seen[:, 3] == texture.NOWHERE).all()
    assert seen[0, [0, 4]].tolist() == [8, 0]
