from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depth3d.errors import InvalidInput
from depth3d.image import Image, Size, linear_to_srgb, srgb_to_linear


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 5), np.uint8),
        np.zeros((4, 5, 4), np.uint8),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((4, 5, 3)),
    ],
)
def test_wrong_pixels_are_refused_with_actual_and_expected(pixels: np.ndarray) -> None:
    with pytest.raises(InvalidInput, match=r"\(|uint8|empty"):
        Image(pixels)


def test_pixels_are_read_only_and_the_caller_keeps_his() -> None:
    mine = np.zeros((2, 3, 3), np.uint8)
    image = Image(mine)
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0, 0] = 1
    mine[0, 0, 0] = 1  # still mine to write


def test_size_is_width_then_height() -> None:
    assert Image(np.zeros((2, 3, 3), np.uint8)).size == Size(width=3, height=2)


@given(st.integers(0, 255))
def test_linear_light_round_trip(value: int) -> None:
    coded = np.array([value / 255], np.float32)
    assert round(float(linear_to_srgb(srgb_to_linear(coded))[0]) * 255) == value


def test_linear_light_known_values() -> None:
    assert srgb_to_linear(np.array([0.5], np.float32))[0] == pytest.approx(0.21404, abs=1e-4)


def test_eight_bit_rounds() -> None:
    image = Image(np.full((1, 1, 3), 65535, np.uint16))
    assert image.eight_bit().pixels.tolist() == [[[255, 255, 255]]]
    assert Image(np.full((1, 1, 3), 128 * 257, np.uint16)).eight_bit().pixels[0, 0, 0] == 128


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(1, 4000))
def test_fit_never_enlarges(width: int, height: int, side: int) -> None:
    fitted = Size(width, height).fit(side)
    assert max(fitted) <= max(side, 1)
    assert fitted.width <= width
    assert fitted.height <= height
    assert min(fitted) >= 1
