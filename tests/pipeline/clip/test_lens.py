"""Depth of field, motion blur and vignetting over the frames of a clip, against the formula."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.frames import Frame
from depth3d.geometry.camera.paths import named_path
from depth3d.image import Image, Size, srgb_to_linear
from depth3d.options import AnimateOptions
from depth3d.pipeline.clip.renderers import PathRenderer, StereoStrength

SIZE = Size(200, 120)


def drawn(image: Image, depth: float, focus: float, time: float = 0.0, **lens: float) -> Image:
    options = AnimateOptions(seconds=1.0, **{"amount": 0.0, **lens})  # type: ignore[arg-type]
    frame = Frame(0, Fraction(time), image)
    flat = DepthMap(np.full((SIZE.height, SIZE.width), depth, np.float32))
    with PathRenderer(SIZE, options, rate=25.0) as renderer:
        return renderer.draw(renderer.prepare(frame, flat, StereoStrength(2.0, focus)))


def white_line(dtype: type = np.uint8) -> Image:
    """Wide enough that coded values mixed at its edges, as clips are read, hardly change its light."""
    pixels = np.zeros((SIZE.height, SIZE.width, 3), dtype)
    pixels[:, 98:103] = np.iinfo(dtype).max
    return Image(pixels)


def light(image: Image) -> np.ndarray:
    return np.asarray(srgb_to_linear(image.floats()[..., 1]))


def spread(image: Image) -> float:
    """Standard deviation of the light along the middle row, px."""
    row, columns = light(image)[SIZE.height // 2], np.arange(SIZE.width)
    middle = (row * columns).sum() / row.sum()
    return float(np.sqrt((row * (columns - middle) ** 2).sum() / row.sum()))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_out_of_focus_a_line_is_as_wide_as_the_disc_and_keeps_its_light(dtype: type) -> None:
    seen = drawn(white_line(dtype), 0.2, 0.8, bokeh=10.0)
    assert seen.pixels.dtype == dtype
    width = 0.1 * SIZE.width * 0.6  # of the disc: 10 % of the picture's width times the distance from the focus
    # A disc spreads by a quarter of its width, a band of five pixels by the square root of two.
    assert spread(seen) == pytest.approx(np.hypot(width / 4, np.sqrt(2)), rel=0.08)
    assert light(seen)[60].sum() == pytest.approx(5.0, rel=0.1)


def test_in_focus_the_line_stays_sharp() -> None:
    assert spread(drawn(white_line(), 0.8, 0.8, bokeh=10.0)) == pytest.approx(np.sqrt(2), abs=0.05)


def test_the_corners_lose_the_promised_light_and_the_middle_none() -> None:
    gray = Image(np.full((SIZE.height, SIZE.width, 3), 40000, np.uint16))
    seen = light(drawn(gray, 0.5, 0.5, vignette=60.0)) / light(gray)
    assert seen[59:61, 99:101] == pytest.approx(1.0, abs=0.002)
    assert seen[0, 0] == pytest.approx(0.4, abs=0.02)


def test_the_open_shutter_smears_by_the_camera_s_way() -> None:
    image = white_line(np.uint16)
    path = named_path("swing", Camera.of_photo(image), SIZE.aspect, amount=20.0, seconds=1.0, focus=0.0)
    seen = drawn(image, 1.0, 0.0, path="swing", amount=20.0, shutter=360.0)  # type: ignore[arg-type]
    still = [drawn(image, 1.0, 0.0, time, path="swing", amount=20.0) for time in (-0.5 / 25, 0.5 / 25)]  # type: ignore[arg-type]
    ends = [float((light(one)[60] * np.arange(SIZE.width)).sum() / light(one)[60].sum()) for one in still]
    way = abs(ends[1] - ends[0])
    assert path.duration == 1.0
    assert way > 3
    # An even band as wide as the way, and the line's own five pixels.
    assert spread(seen) == pytest.approx(np.hypot(way / np.sqrt(12), np.sqrt(2)), rel=0.1)
