"""Colors of Gaussians, fitted to what splat viewers draw of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scenes import texture

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.geometry.mesh.drawn_colors import _bands, fit_colors
from depth3d.geometry.mesh.layers import build_layers
from depth3d.geometry.mesh.splats import splats_of_layers
from depth3d.image import Image, Size
from depth3d.splats import SplatCloud

SIZE = Size(120, 80)
CAMERA = Camera()


def drawn(cloud: SplatCloud, size: Size = SIZE, right: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(H, W, 3) as a viewer draws it before black, and (H, W) how much of the black is visible."""
    moved = replace(cloud, positions=cloud.positions - np.array([right, 0, 0], np.float32))
    picture = np.zeros((size.pixels, 3))
    open_ = np.ones(size.pixels)
    for band in _bands(moved, size, CAMERA):
        rows = slice(band.start, band.start + band.count)
        picture[rows] = band.picture(cloud.colors.astype(np.float32))
        open_[rows] -= np.bincount(band.pixels, band.shares, band.count)
    return picture.reshape(size.height, size.width, 3), open_.reshape(size.height, size.width)


def cloud_of(scales: list[list[float]], places: list[list[float]], opacities: list[float]) -> SplatCloud:
    turns = np.tile(np.array([1, 0, 0, 0], np.float32), (len(places), 1))
    colors = np.array([[200, 0, 0], [0, 200, 0]], np.uint8)[: len(places)]
    floats = (np.array(values, np.float32) for values in (places, scales, opacities))
    position, scale, opacity = floats
    return SplatCloud(position, scale, turns, colors, opacity)


def test_one_gaussian_is_its_formula() -> None:
    focal = CAMERA.focal(SIZE.aspect) * SIZE.width
    wide, high = 6 * 2 / focal, 3 * 2 / focal  # 6 and 3 pixels at a distance of 2
    angle = 0.5
    cloud = cloud_of([[wide, high, 1e-6]], [[0, 0, -2]], [0.8])
    cloud = replace(cloud, rotations=np.array([[math.cos(angle / 2), 0, 0, math.sin(angle / 2)]], np.float32))
    picture, _ = drawn(cloud)
    rows, columns = np.mgrid[: SIZE.height, : SIZE.width]
    x, y = columns + 0.5 - SIZE.width / 2, SIZE.height / 2 - rows - 0.5  # +Y up: counterclockwise
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    squared = along**2 / (36 + 0.3) + across**2 / (9 + 0.3)
    wanted = np.where(squared <= 8, 200 * 0.8 * np.exp(-squared / 2), 0)
    assert np.abs(picture[..., 0] - wanted)[np.abs(squared - 8) > 0.01].max() < 0.01


def test_the_nearer_one_covers_the_farther_one() -> None:
    cloud = cloud_of([[0.2, 0.2, 0.2]] * 2, [[0.0, 0.0, -3.0], [0.0, 0.0, -2.0]], [0.9, 0.6])
    picture, open_ = drawn(cloud)
    middle = picture[SIZE.height // 2, SIZE.width // 2]
    assert middle[1] == pytest.approx(200 * 0.6, abs=1)
    assert middle[0] == pytest.approx(200 * 0.9 * 0.4, abs=1)
    assert open_[SIZE.height // 2, SIZE.width // 2] == pytest.approx(0.04, abs=0.005)


def scene() -> tuple[Image, DepthMap]:
    """A textured square before a wall: half of it smooth, half of it textured."""
    pixels = np.array(texture(SIZE, 3).pixels)
    pixels[:, :70] = (90, 140, 210)
    pixels[25:60, 40:80] = texture(SIZE, 5).pixels[25:60, 40:80]
    depth = np.full((SIZE.height, SIZE.width), 0.1, np.float32)
    depth[25:60, 40:80] = 0.9
    return Image(pixels), DepthMap(depth)


@pytest.fixture(scope="module")
def photo_and_cloud() -> tuple[Image, SplatCloud]:
    photo, depth = scene()
    layers = build_layers(photo, depth, parallax_percent=6, quality="high", border_percent=5)
    return photo, splats_of_layers(layers, 40_000, step=1.5 / (0.06 * SIZE.width), border=0.04)


def decibels(picture: NDArray[np.float64], photo: Image) -> float:
    return float(10 * np.log10(255**2 / np.mean((np.clip(picture, 0, 255) - photo.pixels) ** 2)))


def test_fitted_colors_are_drawn_as_the_photo(photo_and_cloud: tuple[Image, SplatCloud]) -> None:
    photo, cloud = photo_and_cloud
    before = decibels(drawn(cloud)[0], photo)
    fitted = fit_colors(cloud, photo, CAMERA)
    after = decibels(drawn(fitted)[0], photo)
    assert after > max(30, before + 3), (before, after)
    double = Size(SIZE.width * 2, SIZE.height * 2)
    large = Image(photo.pixels.repeat(2, 0).repeat(2, 1))
    assert decibels(drawn(fitted, double)[0], large) > decibels(drawn(cloud, double)[0], large) - 0.5


@pytest.mark.parametrize("percent", [0, 2, -2])
def test_no_holes_open_when_the_camera_moves(photo_and_cloud: tuple[Image, SplatCloud], percent: float) -> None:
    _, cloud = photo_and_cloud
    right = percent / 100 / (CAMERA.focal(SIZE.aspect) * 0.9)  # inverse distances 1 and 0.1 part by this
    _, open_ = drawn(cloud, right=right)
    assert open_.max() < 0.08  # of what is behind everything
