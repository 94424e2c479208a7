"""Conversion between RGB and planes of YUV 4:2:0, against the formulas of ITU-T H.273 in float64."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.frames import BT709, Color
from depth3d.io.video.planes import from_planes, has_planes, to_planes

MATRICES = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}


def colorful(height: int = 36, width: int = 64) -> NDArray[np.uint8]:
    """Smooth colors up to full saturation, with hard edges."""
    rows, columns = np.mgrid[:height, :width]
    picture = np.stack([columns * 4, rows * 7, (columns + rows) * 2 % 256], axis=-1) % 256
    picture[8:16, 10:40], picture[20:30, 31:50] = (255, 0, 0), (0, 0, 255)
    return picture.astype(np.uint8)


def exact_yuv(rgb: NDArray[np.uint8], color: Color) -> NDArray[np.float64]:
    red, blue = MATRICES[color.matrix]
    r, g, b = np.moveaxis(rgb / 255, -1, 0)
    y = red * r + (1 - red - blue) * g + blue * b
    u, v = (b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red))
    if color.full_range:
        return np.stack([255 * y, 255 * u + 128, 255 * v + 128])
    return np.stack([219 * y + 16, 224 * u + 128, 224 * v + 128])


def furthest(frame: av.VideoFrame, exact: Iterable[NDArray[np.float64]]) -> float:
    """Largest difference of a frame's planes from exact ones; chroma is the mean of four pixels."""
    height, width, differences = frame.height, frame.width, []
    for plane, values in zip(frame.planes, exact, strict=True):
        mean = values.reshape(plane.height, height // plane.height, plane.width, width // plane.width).mean((1, 3))
        stored = np.array(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width]
        differences.append(np.abs(stored - mean).max())
    return float(max(differences))


def exact_rgb(frame: av.VideoFrame, color: Color) -> NDArray[np.float64]:
    red, blue = MATRICES[color.matrix]
    y, u, v = (np.array(p, np.uint8).reshape(p.height, -1)[:, : p.width].astype(float) for p in frame.planes)
    height, width = y.shape
    planes = []
    for plane in (u, v):
        wide = np.stack([np.interp(np.arange(width) / 2, np.arange(width // 2), row) for row in plane])
        places = (np.arange(height) + 0.5) / 2 - 0.5
        planes.append(np.stack([np.interp(places, np.arange(height // 2), row) for row in wide.T]).T)
    u, v = planes
    y, u, v = (y / 255, (u - 128) / 255, (v - 128) / 255)
    if not color.full_range:
        y, u, v = (y * 255 - 16) / 219, u * 255 / 224, v * 255 / 224
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(255 * np.stack([r, g, b], axis=-1), 0, 255)


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full_range", [False, True])
def test_colors_become_the_planes_of_their_matrix(matrix: int, full_range: bool) -> None:
    color, rgb = replace(BT709, matrix=matrix, full_range=full_range), colorful()
    y, u, v = exact_yuv(rgb, color)
    frame = to_planes(rgb, color)
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 64, 36)
    assert furthest(frame, (y, u, v)) < 1.1


@pytest.mark.parametrize("height", [4, 6, 38, 150])
@pytest.mark.parametrize("width", [30, 64, 200])
def test_sides_need_not_be_multiples_of_four(height: int, width: int) -> None:
    rgb = colorful(height, width)
    frame = to_planes(rgb, BT709)
    assert (frame.width, frame.height) == (width, height)
    assert furthest(frame, exact_yuv(rgb, BT709)) < 1.1
    assert np.abs(from_planes(frame, BT709) - exact_rgb(frame, BT709)).max() < 1.7


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full_range", [False, True])
def test_planes_become_colors_with_chroma_on_every_second_column(matrix: int, full_range: bool) -> None:
    color = replace(BT709, matrix=matrix, full_range=full_range)
    frame = to_planes(colorful(), color)
    error = np.abs(from_planes(frame, color) - exact_rgb(frame, color))
    assert error.max() < 1.7  # half a level of chroma and one of rounding
    assert (error > 1.01).mean() < 0.1


def test_decoded_frames_may_have_padded_rows() -> None:
    frame = av.VideoFrame(50, 20, "yuv420p")  # rows are aligned to 32 bytes and more
    assert frame.planes[0].line_size > 50
    for number, plane in enumerate(frame.planes):
        plane.update(bytes(np.full(plane.buffer_size, (90, 100, 150)[number], np.uint8)))
    assert np.abs(from_planes(frame, BT709) - exact_rgb_of(90, 100, 150)).max() <= 1


def exact_rgb_of(y: int, u: int, v: int) -> NDArray[np.float64]:
    frame = av.VideoFrame.from_ndarray(
        np.concatenate([np.full(16, y), np.full(4, u), np.full(4, v)]).astype(np.uint8).reshape(6, 4), "yuv420p"
    )
    return exact_rgb(frame, BT709)[0, 0]


def test_odd_sides_other_formats_and_unknown_matrices_are_left_to_libswscale() -> None:
    assert has_planes("yuv420p", 64, 36, BT709)
    assert not has_planes("yuv420p", 63, 36, BT709)
    assert not has_planes("yuv420p", 64, 35, BT709)
    assert not has_planes("yuv444p", 64, 36, BT709)
    assert not has_planes("yuv420p10le", 64, 36, BT709)
    assert not has_planes("yuv420p", 64, 36, replace(BT709, matrix=7))
