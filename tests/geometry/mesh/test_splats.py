"""Gaussian splats of layers: where they are, how they are turned, and how many there are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from depth3d.camera import Camera, inverse_distance
from depth3d.depthmap import DepthMap
from depth3d.geometry.mesh.layers import build_layers
from depth3d.geometry.mesh.splats import _quaternions, splats_of_layers
from depth3d.image import Image
from depth3d.splats import SplatCloud

WIDTH, HEIGHT = 96, 64
STEP = 1.5 / (0.06 * WIDTH)


def noise() -> Image:
    return Image(np.random.default_rng(3).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8))


def cloud_of(image: Image, depth: NDArray[np.float32], count: int = 40_000, border: float = 0.0) -> SplatCloud:
    layers = build_layers(image, DepthMap(depth), parallax_percent=6, quality="high", backdrop=False)
    return splats_of_layers(layers, count, step=STEP, border=border)


def projected(cloud: SplatCloud) -> NDArray[np.float64]:
    """(N, 2) picture space of the centers, as the camera at the origin sees them."""
    aspect = WIDTH / HEIGHT
    focal = Camera().focal(aspect)
    x, y, z = cloud.positions.astype(np.float64).T
    return np.column_stack([0.5 - focal * x / z, 0.5 + focal * aspect * y / z])


def matrices(cloud: SplatCloud) -> NDArray[np.float64]:
    w, x, y, z = cloud.rotations.astype(np.float64).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def test_a_wall_becomes_flat_gaussians_that_face_the_camera() -> None:
    cloud = cloud_of(noise(), np.full((HEIGHT, WIDTH), 0.5, np.float32))
    # Depths differ by a thirtieth of a step, so that every renderer draws in the same order.
    inverse = -1 / cloud.positions[:, 2]
    assert np.abs(inverse - inverse_distance(0.5)).max() <= STEP / 30
    assert len(np.unique(inverse)) > 0.9 * len(inverse)
    normals = matrices(cloud)[:, :, 2]
    assert np.abs(normals[:, 2]).min() > 0.9999
    assert (cloud.scales[:, 2] < 0.1 * cloud.scales[:, :2].min(1)).all()
    places = projected(cloud)
    assert places.min() > 0
    assert places.max() < 1
    # Together they cover the picture: one in every cell of a grid as fine as the photo.
    cells = np.zeros((HEIGHT, WIDTH), bool)
    cells[(places[:, 1] * HEIGHT).astype(int), (places[:, 0] * WIDTH).astype(int)] = True
    assert cells.all()


def test_a_slanted_floor_is_covered_along_its_slope() -> None:
    depth = np.linspace(0.1, 0.9, HEIGHT, dtype=np.float32)[:, None].repeat(WIDTH, 1)
    cloud = cloud_of(noise(), depth)
    # A row's inverse distance is linear in y, so this is a plane; its normal is the same everywhere.
    normals = matrices(cloud)[:, :, 2]
    inside = np.abs(projected(cloud)[:, 1] - 0.5) < 0.4
    mean = normals[inside] * np.sign(normals[inside][:, 1:2])
    assert np.quantile(np.abs(mean - mean.mean(0)).max(1), 0.95) < 0.01
    assert abs(mean.mean(0)[1]) > 0.5
    spread = cloud.scales[inside][:, :2].max(1) / cloud.scales[inside][:, :2].min(1)
    assert spread.mean() > 2  # long along the slope


def test_hidden_layers_are_in_the_cloud_and_even_places_are_merged() -> None:
    depth = np.zeros((HEIGHT, WIDTH), np.float32)
    depth[16:48, 30:60] = 1
    pixels = np.full((HEIGHT, WIDTH, 3), (40, 90, 200), np.uint8)
    pixels[16:48, 30:60] = (200, 60, 30)
    cloud = cloud_of(Image(pixels), depth)
    places = projected(cloud)
    behind = (np.abs(places[:, 0] - 45 / 96) < 0.4) & (cloud.positions[:, 2] < -5)
    over = (places[:, 0] > 31 / 96) & (places[:, 0] < 59 / 96) & (places[:, 1] > 17 / 64) & (places[:, 1] < 47 / 64)
    assert (behind & over).sum() > 3  # the wall goes on behind the square's border
    blue = np.abs(cloud.colors[behind & over].astype(int) - (40, 90, 200)).max(1) <= 4
    areas = cloud.scales[behind & over][:, :2].prod(1)
    assert areas[blue].sum() > 0.7 * areas.sum()
    assert len(cloud) < WIDTH * HEIGHT  # although four to a pixel were allowed


@pytest.mark.parametrize("count", [500, 3000])
def test_the_count_is_a_limit(count: int) -> None:
    depth = np.linspace(0, 1, WIDTH, dtype=np.float32)[None].repeat(HEIGHT, 0)
    assert count * 0.5 < len(cloud_of(noise(), depth, count)) <= count


def test_the_border_shows_beyond_the_photo() -> None:
    cloud = cloud_of(noise(), np.full((HEIGHT, WIDTH), 1.0, np.float32), border=0.03)
    places = projected(cloud)
    assert -0.03 - 1e-6 <= places.min() < 0
    assert 1 < places.max() <= 1.03 + 1e-6


def test_quaternions_turn_as_their_matrices() -> None:
    generator = np.random.default_rng(1)
    axes = np.linalg.qr(generator.normal(size=(200, 3, 3)))[0]
    axes *= np.sign(np.linalg.det(axes))[:, None, None]
    axes[0], axes[1] = np.diag([1.0, -1, -1]), np.diag([-1.0, -1, 1])  # half turns: w = 0
    ones = np.ones((200, 3), np.float32)
    cloud = SplatCloud(ones, ones, _quaternions(axes), np.zeros((200, 3), np.uint8), np.ones(200, np.float32))
    assert np.abs(matrices(cloud) - axes).max() < 1e-6


def seen_through(cloud: SplatCloud, moved: float) -> NDArray[np.float64]:
    """(HEIGHT, WIDTH) share of what lies behind the cloud that a camera sees, ``moved`` to the right.

    By the equations of Kerbl et al. 2023 (Gaussians projected with the camera's Jacobian); the order does not matter.
    """
    focal = Camera().focal(WIDTH / HEIGHT) * WIDTH
    x, y, z = (cloud.positions.astype(np.float64) - [moved, 0, 0]).T
    zero = np.zeros_like(z)
    jacobian = np.array([[-focal / z, zero, focal * x / z**2], [zero, focal / z, -focal * y / z**2]]).transpose(2, 0, 1)
    turned = matrices(cloud) * cloud.scales[:, None, :]
    spread = jacobian @ turned @ turned.transpose(0, 2, 1) @ jacobian.transpose(0, 2, 1) + 0.3 * np.eye(2)
    shape, reach = np.linalg.inv(spread), np.ceil(3 * np.sqrt(np.linalg.eigvalsh(spread)[:, 1]))
    places = np.column_stack([WIDTH / 2 - focal * x / z, HEIGHT / 2 + focal * y / z])
    left = np.ones((HEIGHT, WIDTH))
    for (across, down), conic, radius, opacity in zip(places, shape, reach, cloud.opacities, strict=True):
        rows = slice(max(0, int(down - radius)), max(0, int(down + radius) + 1))
        columns = slice(max(0, int(across - radius)), max(0, int(across + radius) + 1))
        away = np.mgrid[rows, columns][::-1].transpose(1, 2, 0)[: HEIGHT - rows.start, : WIDTH - columns.start] + 0.5
        away = away - (across, down)
        part = left[rows, columns]
        part *= 1 - np.minimum(0.99, opacity * np.exp(-0.5 * np.einsum("hwi,ij,hwj->hw", away, conic, away)))
    return left


@pytest.mark.parametrize("side", [-1, 1])
def test_no_hole_opens_when_the_camera_moves_by_two_percent(side: int) -> None:
    depth = np.zeros((HEIGHT, WIDTH), np.float32)
    depth[16:48, 30:60] = 1
    cloud = cloud_of(noise(), depth, 10_000, border=0.03)
    travel = 0.02 / Camera().focal(WIDTH / HEIGHT) / (inverse_distance(1.0) - inverse_distance(0.0))
    assert seen_through(cloud, side * travel).max() < 0.02
    # Without what lies behind the square's border a hole of two pixels opens.
    beside = (np.abs(projected(cloud) - (45 / 96, 0.5)) < (15.5 / 96, 16.5 / 64)).all(1)
    front = ~(beside & (cloud.positions[:, 2] < -2))
    parts = (cloud.positions, cloud.scales, cloud.rotations, cloud.colors, cloud.opacities)
    assert seen_through(SplatCloud(*(part[front] for part in parts)), side * travel).max() > 0.1
