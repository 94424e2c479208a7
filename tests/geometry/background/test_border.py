"""Beyond the border the surfaces that touch it go on; nothing nearer comes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from depth3d.geometry.background.border import extend_border


def columns_as_colors(height: int, width: int) -> NDArray[np.uint8]:
    return np.broadcast_to(np.arange(width, dtype=np.uint8)[None, :, None], (height, width, 3))


def test_a_flat_photo_is_mirrored() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    colors, depth = extend_border(picture, np.full((6, 8), 3, np.float32), 3, 1.0)
    assert np.array_equal(colors, np.pad(picture, ((3, 3), (3, 3), (0, 0)), mode="symmetric"))
    assert depth.shape == (12, 14)
    assert (depth == 3).all()


def test_what_stands_near_the_border_is_not_doubled() -> None:
    shift = np.zeros((10, 40), np.float32)
    shift[2:8, 30:36] = 20  # four pixels of background between it and the border
    picture = columns_as_colors(10, 40).copy()
    picture[2:8, 30:36] = 255
    colors, depth = extend_border(picture, shift, 12, 1.0)
    assert depth[:, -12:].max() == 0
    assert colors[:, -12:].max() < 40
    # Four columns mirrored, then to and fro (evened out) while the mirror shows the thing, then the mirror goes on.
    row = colors[12 + 5, -12:, 0].tolist()
    assert row[:4] == [39, 38, 37, 36]
    assert min(row[4:10]) >= 28
    assert row[10:] == [29, 28]
    assert colors[12, -12:, 0].tolist() == list(range(39, 27, -1))


def test_what_touches_the_border_goes_on_and_then_its_background() -> None:
    shift = np.zeros((10, 40), np.float32)
    shift[:, 35:] = 20
    colors, depth = extend_border(columns_as_colors(10, 40), shift, 12, 1.0)
    assert depth[15, -12:].tolist() == [20] * 5 + [0] * 7
    assert colors[15, -12:, 0].tolist() == list(range(39, 27, -1))


@pytest.mark.parametrize("slope", [-1.0, -0.4, 0.7])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_lines_go_straight_on(slope: float, kind: type) -> None:
    def stripes(columns: NDArray[np.int64]) -> NDArray[np.float64]:
        across = np.arange(120)[:, None] - slope * columns
        return 128 + 60 * np.sin(across / 3) + 40 * np.sin(across / 7 + 1)

    scale = np.iinfo(kind).max / 255
    picture = (np.repeat(stripes(np.arange(160))[..., None], 3, 2) * scale).astype(kind)
    colors, _ = extend_border(picture, np.zeros((120, 160), np.float32), 12, 1.0)
    middle = slice(30, 90)  # further up and down, lines come from beyond the picture's corners
    for columns in (np.arange(-12, 0), np.arange(160, 172)):
        error = colors[12:-12, columns + 12, 0][middle] / scale - stripes(columns)[middle]
        mirrored = picture[:, np.abs(columns) - 1 if columns[0] < 0 else 319 - columns, 0][middle] / scale
        assert np.abs(error).mean() < 8
        assert np.abs(error).mean() < 0.2 * np.abs(mirrored - stripes(columns)[middle]).mean()


def test_lines_in_a_band_are_those_of_the_whole() -> None:
    across = np.arange(300)[:, None] + 0.6 * np.arange(90)
    picture = np.repeat((128 + 90 * np.sin(across / 4))[..., None], 3, 2).astype(np.uint8)
    shift = np.random.default_rng(0).normal(4, 0.1, (300, 90)).astype(np.float32)
    whole, band = (extend_border(picture, shift, 14, 1.0, rows)[0] for rows in (None, slice(100, 180)))
    assert np.abs(whole[114:194].astype(int) - band[14:-14]).max() <= 1
    mirrored = np.pad(picture, ((0, 0), (14, 0), (0, 0)), mode="symmetric")[100:180, :14]
    assert np.abs(whole[114:194, :14].astype(int) - mirrored).max() > 50


def gravel(height: int, width: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(2).normal(0, 1, (height, width, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 1.0)
    return np.clip(128 + 30 * noise / noise.std(), 0, 255).astype(np.uint8)


def test_texture_beyond_the_border_is_no_mirror_image() -> None:
    """It has the contrast of the photo, and begins without a seam."""
    picture = gravel(600, 800)
    colors, _ = extend_border(picture, np.full((600, 800), 4, np.float32), 16, 1.0)
    for beyond, mirrored in (
        (colors[:16, 16:-16][::-1], picture[:16]),
        (colors[16:-16, :16][:, ::-1].transpose(1, 0, 2), picture[:, :16].transpose(1, 0, 2)),
    ):
        rows = slice(20, -60)  # the last ones have no texture further on
        here, there = (values[3:, rows].astype(np.float32).ravel() for values in (beyond, mirrored))
        assert np.corrcoef(here, there)[0, 1] < 0.35
        assert 0.9 < here.std() / there.std() < 1.1
        seam = np.abs(beyond[0, rows].astype(int) - mirrored[0, rows]).mean()
        assert seam < 1.2 * np.abs(mirrored[1, rows].astype(int) - mirrored[0, rows]).mean()


def test_texture_in_a_band_is_that_of_the_whole() -> None:
    picture, shift = gravel(400, 260), np.full((400, 260), 4, np.float32)
    whole, band = (extend_border(picture, shift, 14, 1.0, rows)[0] for rows in (None, slice(100, 180)))
    assert np.abs(whole[114:194].astype(int) - band[14:-14]).max() <= 1
    mirrored = np.pad(picture, ((0, 0), (14, 0), (0, 0)), mode="symmetric")[100:180, :14]
    assert np.abs(whole[114:194, :14].astype(int) - mirrored).max() > 50


@given(
    arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(0, 50, width=32)),
    st.integers(1, 25),
)
def test_never_nearer_outwards(shift: NDArray[np.float32], margin: int) -> None:
    picture = np.full((*shift.shape, 3), 7, np.uint8)
    colors, depth = extend_border(picture, shift, margin, 1.0)
    height, width = shift.shape
    assert depth.shape == colors.shape[:2] == (height + 2 * margin, width + 2 * margin)
    assert (colors == 7).all()
    inner = slice(margin, margin + height), slice(margin, margin + width)
    assert np.array_equal(depth[inner], shift)
    right = depth[margin : margin + height, margin + width - 1 :]
    left = depth[margin : margin + height, margin::-1]
    below = depth[margin + height - 1 :]
    assert (np.diff(right, axis=1) <= 0).all()
    assert (np.diff(left, axis=1) <= 0).all()
    assert (np.diff(below, axis=0) <= 0).all()
