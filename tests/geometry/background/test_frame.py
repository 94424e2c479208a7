"""Frames and bars of a photo are found, stay at the border of every view, and are not taken for the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import depth3d as d3
from depth3d.geometry.background.frame import Frame, find_frame, remove_frame, restore_frame

HEIGHT, WIDTH = 240, 320


def photo(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(60, 200, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def framed(frame: Frame, color: int, seed: int = 0) -> NDArray[np.uint8]:
    pixels = np.full((HEIGHT, WIDTH, 3), color, np.uint8)
    inside = slice(frame.top, HEIGHT - frame.bottom), slice(frame.left, WIDTH - frame.right)
    pixels[inside] = photo(seed)[inside]
    return pixels


side = st.integers(0, 28)


@settings(max_examples=30, deadline=None)
@given(
    frame=st.builds(Frame, side, side, side, side, st.just(0)), color=st.sampled_from([0, 250]), seed=st.integers(0, 9)
)
def test_frames_of_any_width_are_found(frame: Frame, color: int, seed: int) -> None:
    assert find_frame(d3.Image(framed(frame, color, seed))) == frame


def test_letterbox_bars_are_found_if_they_are_black_and_on_both_sides() -> None:
    assert find_frame(d3.Image(framed(Frame(top=60, bottom=62), 2))) == Frame(top=60, bottom=62)
    assert find_frame(d3.Image(framed(Frame(top=60), 2))) == Frame()


def test_frames_beside_an_even_sky_are_found_by_the_other_sides() -> None:
    pixels = framed(Frame(7, 7, 7, 7), 250)
    pixels[7:80, 7:-7] = 180
    assert find_frame(d3.Image(pixels)) == Frame(7, 7, 7, 7)
    pixels[:60], pixels[60:90], pixels[-60:] = 2, 180, 2
    assert find_frame(d3.Image(pixels)) == Frame(top=60, bottom=60)


def test_a_side_whose_sky_has_the_color_of_the_frame_is_as_wide_as_the_others() -> None:
    pixels = framed(Frame(7, 7, 7, 7), 250)
    pixels[7:80, 7:-7] = 249
    assert find_frame(d3.Image(pixels)) == Frame(7, 7, 7, 7)
    pixels[30:34, 7:-7] = 40  # wires do not matter, far from the border
    assert find_frame(d3.Image(pixels)) == Frame(7, 7, 7, 7)
    pixels[3, 40:-40:2] = 40
    assert find_frame(d3.Image(pixels)).top == 0


def test_a_black_bar_beside_a_black_sky_is_as_wide_as_the_other() -> None:
    pixels = framed(Frame(60, 0, 60, 0), 0)
    pixels[60:110] = 3
    assert find_frame(d3.Image(pixels)) == Frame(top=60, bottom=60)
    pixels[20:24, 50:-50] = photo()[20:24, 50:-50]
    assert find_frame(d3.Image(pixels)).top == 20


def test_a_line_mixed_with_the_frame_belongs_to_it() -> None:
    pixels = framed(Frame(4, 4, 4, 4), 250)
    pixels[4:-4, -5] = 250 // 2 + pixels[4:-4, -6] // 2  # as a scanner's sharpening leaves it
    assert find_frame(d3.Image(pixels)) == Frame(4, 5, 4, 4)


def test_a_line_beside_the_frame_that_sharpening_made_brighter_belongs_to_it() -> None:
    pixels = framed(Frame(4, 4, 4, 4), 20)
    pixels[4:-4, 4] = np.minimum(pixels[4:-4, 5].astype(int) + 30, 255)
    assert find_frame(d3.Image(pixels)) == Frame(4, 4, 4, 5)


def test_a_thin_line_of_another_color_is_found_by_the_frame_of_the_other_sides() -> None:
    pixels = framed(Frame(4, 4, 4, 4), 100)
    pixels[-30:] = np.random.default_rng(2).integers(94, 115, (30, WIDTH, 3))  # a street as gray as the frame
    pixels[:, :4] = pixels[:, -4:] = 100
    pixels[-1] = 0
    assert find_frame(d3.Image(pixels)) == Frame(4, 4, 1, 4)


@pytest.mark.parametrize("kind", ["noise", "flat", "gradient", "stripes", "studio", "sky"])
def test_pictures_without_a_frame_have_none(kind: str) -> None:
    pixels = photo()
    rows = np.arange(HEIGHT)[:, None, None]
    if kind == "flat":
        pixels[:] = 128
    elif kind == "gradient":
        pixels[:] = rows
    elif kind == "stripes":
        pixels[:] = 255 * (rows // 8 % 2)
    elif kind == "studio":
        pixels[:] = 255
        pixels[60:, 100:200] = photo()[60:, 100:200]
    elif kind == "sky":
        pixels[:20] = 200
        pixels[20:120] = (200 - (rows[20:120] - 20) // 2).astype(np.uint8)
    assert find_frame(d3.Image(pixels)) == Frame()


def test_a_removed_frame_leaves_no_trace_and_comes_back() -> None:
    frame = Frame(5, 3, 1, 9)
    image = d3.Image(framed(frame, 0))
    depth = np.full((HEIGHT, WIDTH), 0.4, np.float32)
    depth[5:-1, 9:-3] = 0.8
    inside, values = remove_frame(image, d3.DepthMap(depth), frame)
    assert inside.size == image.size
    assert inside.pixels.min() >= 60
    assert (values.values == np.float32(0.8)).all()
    assert np.array_equal(restore_frame(inside, image, frame).pixels, image.pixels)


def test_views_keep_the_frame_at_the_border_and_show_it_nowhere_else() -> None:
    frame = Frame(4, 6, 3, 5)
    image = d3.Image(framed(frame, 0))
    depth = d3.DepthMap(np.full((HEIGHT, WIDTH), 1, np.float32))
    inside = slice(4, -3), slice(5, -6)
    views = [d3.stereo_pair(image, depth, 4.0, convergence=0.0).right]
    views += list(d3.render_path(image, depth, amount=4.0, seconds=1, fps=4, focus=0.0))
    assert not np.array_equal(views[0].pixels, image.pixels)
    for view in views:
        assert view.pixels[inside].min() > 40
        outside = np.ones((HEIGHT, WIDTH), bool)
        outside[inside] = False
        assert np.array_equal(view.pixels[outside], image.pixels[outside])
