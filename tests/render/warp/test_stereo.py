"""Two eyes of a video frame against the formula."""

from __future__ import annotations

import numpy as np
import pytest

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.render.warp.stereo import BLOCK, StereoWarp

SIZE = Size(100, 40)  # one percent = one pixel


def picture(dtype: type = np.uint8) -> Image:
    rng = np.random.default_rng(3)
    return Image(rng.integers(0, np.iinfo(dtype).max, (40, 100, 3), dtype, endpoint=True))


def draw(
    image: Image, values: np.ndarray, left: float, right: float, convergence: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    with StereoWarp(image.size, samples=1) as renderer:
        both = renderer.draw(image, DepthMap(values.astype(np.float32)), left, right, convergence).pixels
    return both[:, : image.size.width], both[:, image.size.width :]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_eye_that_does_not_move_is_the_picture_bit_for_bit(dtype: type) -> None:
    image = picture(dtype)
    left, _ = draw(image, np.random.default_rng(0).random((40, 100)), 0.0, 3.0)
    assert left.dtype == dtype
    assert np.array_equal(left, image.pixels)


@pytest.mark.parametrize(
    ("depth", "convergence", "shift"), [(1.0, 0.0, 4), (0.5, 0.0, 2), (0.25, 0.75, -2), (1.0, 1.0, 0)]
)
def test_a_plane_moves_by_the_formula(depth: float, convergence: float, shift: int) -> None:
    image = picture()
    left, right = draw(image, np.full((40, 100), depth), -4.0, 4.0, convergence)
    inner = slice(10, 90)
    assert np.array_equal(right[:, inner], image.pixels[:, 10 + shift : 90 + shift])
    assert np.array_equal(left[:, inner], image.pixels[:, 10 - shift : 90 - shift])


def test_near_covers_far_and_the_gap_is_filled_from_the_far_side() -> None:
    pixels = np.full((40, 100, 3), (0, 0, 200), np.uint8)
    pixels[:, 40:60] = (200, 0, 0)
    values = np.zeros((40, 100))
    values[:, 40:60] = 1.0
    _, right = draw(Image(pixels), values, 0.0, 6.0)
    row = right[20]
    assert (row[35:53] == (200, 0, 0)).all()
    # Behind its right edge six columns have opened: all of them far, mixed only where the outline is blurred.
    assert (row[55:] == (0, 0, 200)).all()
    assert (row[:33] == (0, 0, 200)).all()
    for edge in (33, 34, 53, 54):
        assert 0 <= row[edge, 0] <= 200
        assert abs(int(row[edge].sum()) - 200) <= 1


def test_a_slope_is_no_tear() -> None:
    ramp = np.tile(np.linspace(0, 255, 100).astype(np.uint8)[None, :, None], (40, 1, 3))
    values = np.tile(np.linspace(0, 1, 100)[None], (40, 1))
    _, right = draw(Image(ramp), values, 0.0, 5.0)
    x = np.arange(5, 90)
    # x' = x - 5 x / 99
    expected = np.interp(x, np.arange(100) - 5 * np.linspace(0, 1, 100), ramp[0, :, 0])
    assert np.abs(right[20, 5:90, 0] - expected).max() <= 3


def test_stack_and_side_hold_the_same_eyes() -> None:
    image, values = picture(), np.random.default_rng(1).random((40, 100)).astype(np.float32)
    with StereoWarp(SIZE) as side, StereoWarp(SIZE, stack=True) as stack:
        a = side.draw(image, DepthMap(values), -1.0, 1.0, 0.5).pixels
        b = stack.draw(image, DepthMap(values), -1.0, 1.0, 0.5).pixels
    assert np.array_equal(np.hstack(np.split(b, 2)), a)


def test_wrong_sizes_are_refused() -> None:
    with StereoWarp(SIZE) as renderer, pytest.raises(InvalidInput, match="expected both 100x40"):
        renderer.draw(picture(), DepthMap(np.zeros((20, 20), np.float32)), 0.0, 1.0, 0.5)


@pytest.mark.parametrize(("left", "right", "convergence"), [(-3.0, 3.0, 0.5), (0.0, 9.0, 0.2), (-30.0, 5.0, 1.0)])
def test_the_search_within_bounds_sees_what_a_search_everywhere_sees(
    left: float, right: float, convergence: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = Size(173, 61)  # no whole number of blocks
    rng = np.random.default_rng(5)
    image = Image(rng.integers(0, 256, (61, 173, 3), np.uint8))
    values = np.kron(rng.random((9, 10)), np.ones((7, 19)))[:61, :173].clip(0.1, 0.9)
    values[:20] = 0.3
    blocks = -(-size.height // BLOCK.height), -(-size.width // BLOCK.width)

    def everywhere(
        values: np.ndarray, shifts: tuple[float, float], convergence: float
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        ends = [sorted((-s * convergence, s * (1 - convergence))) for s in shifts]
        bounds = np.broadcast_to(np.array(ends, np.float32).ravel(), (*blocks, 4)).copy()
        return bounds, [np.full(blocks, shift != 0) for shift in shifts]

    narrow = draw(image, values, left, right, convergence)
    monkeypatch.setattr("depth3d.render.warp.stereo._bounds", everywhere)
    wide = draw(image, values, left, right, convergence)
    assert size == image.size
    assert np.array_equal(np.hstack(narrow), np.hstack(wide))


def test_one_eye_stacked_is_the_same_as_beside() -> None:
    image, values = picture(), np.random.default_rng(1).random((40, 100)).astype(np.float32)
    with StereoWarp(SIZE) as side, StereoWarp(SIZE, stack=True) as stack:
        for left, right in ((-2.0, 0.0), (0.0, 2.0)):
            a = side.draw(image, DepthMap(values), left, right, 0.5).pixels
            b = stack.draw(image, DepthMap(values), left, right, 0.5).pixels
            assert np.array_equal(np.hstack(np.split(b, 2)), a)


def test_a_gap_takes_no_color_of_a_near_post_beside_it() -> None:
    pixels = np.full((40, 100, 3), (0, 0, 200), np.uint8)
    depth = np.full((40, 100), 0.2)
    for left, right, color, level in ((40, 60, (200, 0, 0), 0.9), (65, 69, (0, 200, 0), 0.7)):
        pixels[:, left:right], depth[:, left:right] = color, level
    _, eye = draw(Image(pixels), depth, 0.0, 14.0)
    # Ten pixels of gap open at the object's right side. The post is four pixels wide, and so it stays.
    assert ((eye[..., 1] > 60).sum(1) <= 5).all()
    assert (eye[:, 49:54] == (0, 0, 200)).all()


def test_gaps_show_no_streaks() -> None:
    noise = np.random.default_rng(5).integers(60, 196, (80, 200, 1)).astype(np.uint8)
    pixels = np.repeat(noise, 3, axis=2)
    pixels[:, 60:100] = (255, 0, 0)
    values = np.zeros((80, 200))
    values[:, 60:100] = 1.0
    _, right = draw(Image(pixels), values, 0.0, 10.0)
    gap = right[10:70, 83:97, 1].astype(float)  # twenty pixels have opened at the right edge
    assert np.abs(np.diff(gap, axis=0)).mean() < 5  # rows filled one by one differ by 10 and more
    assert abs(gap.mean() - 127.5) < 10


def test_a_surface_between_front_and_background_colors_the_gap_too() -> None:
    pixels = np.full((40, 100, 3), (0, 0, 200), np.uint8)
    values = np.zeros((40, 100))
    for rows, columns, color, level in (
        (slice(20), slice(60, 100), (0, 200, 0), 0.3),
        (slice(40), slice(40, 60), (200, 0, 0), 1.0),
    ):
        pixels[rows, columns], values[rows, columns] = color, level
    _, right = draw(Image(pixels), values, 0.0, 12.0)
    assert right[23, 50, 1] > 20
    assert right[23, 50, 2] > right[23, 50, 1]
    assert right[23, 50, 0] == 0


@pytest.mark.parametrize(("dtype", "samples"), [(np.uint8, 1), (np.uint8, 3), (np.uint16, 1)])
def test_blocks_without_gaps_are_drawn_as_by_the_search(
    dtype: type, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shorter shader gives what the whole search gives, also where a block ends on a slope just below a step."""
    size = Size(160, 48)
    rng = np.random.default_rng(5)
    image = Image(rng.integers(0, np.iinfo(dtype).max, (48, 160, 3), dtype, endpoint=True))
    slope = np.linspace(0, 1, 160)[None] * np.linspace(0.2, 1, 48)[:, None]
    slope[8:20, 40:70] += 0.3
    depth = DepthMap(np.clip(slope + rng.normal(0, 0.02, slope.shape), 0, 1).astype(np.float32))
    drawn = []
    for everywhere in (False, True):
        if everywhere:
            rows, columns = np.mgrid[0 : 48 : BLOCK.height, 0 : 320 : BLOCK.width]
            blocks = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.int32)
            monkeypatch.setattr("depth3d.render.warp.stereo._blocks_with_gaps", lambda *_, blocks=blocks: blocks)
        with StereoWarp(size, samples=samples) as renderer:
            drawn.append(renderer.draw(image, depth, -3.0, 3.0, 0.4).pixels)
    assert len(np.unique(drawn[0])) > 100
    assert np.array_equal(drawn[0], drawn[1])
