"""Made stereo scenes with true disparity that are hard to match: stripes, the edge of a bookshelf, bare walls.

Every surface is a plane whose disparity is linear in the left picture, with a texture drawn by formula, so that the
right picture and the truth are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image

Map = NDArray[np.float64]
SIZE = (480, 320)
PERIODS = (6, 9, 13, 20, 32)


@dataclass(frozen=True)
class Plane:
    """A rectangle of the left picture with its texture, and its disparity ``base + along * x + down * y`` in px."""

    texture: Callable[[Map, Map], Map]
    box: tuple[float, float, float, float]
    base: float
    along: float = 0.0
    down: float = 0.0


def noise(seed: int, scale: float, contrast: float) -> Callable[[Map, Map], Map]:
    """Smooth noise without repetition: interpolated random colors on two grids, ``scale`` and 5 times as wide."""
    random = np.random.default_rng(seed)
    grids = [random.uniform(-1, 1, (96, 128, 3)) for _ in range(2)]

    def at(x: Map, y: Map) -> Map:
        value = np.zeros((*x.shape, 3))
        for grid, cell in zip(grids, (scale, 5 * scale), strict=True):
            u, v = (x + 200) / cell, (y + 200) / cell
            column, row = np.floor(u).astype(int), np.floor(v).astype(int)
            s, t = (u - column)[..., None], (v - row)[..., None]
            corner = [grid[(row + j) % 96, (column + i) % 128] for j in (0, 1) for i in (0, 1)]
            value += (corner[0] * (1 - s) + corner[1] * s) * (1 - t) + (corner[2] * (1 - s) + corner[3] * s) * t
        return value * contrast

    return at


def wall(seed: int) -> Callable[[Map, Map], Map]:
    """A wall that can be matched everywhere."""
    grain = noise(seed, 3, 55)
    return lambda x, y: 130 + grain(x, y)


def stripes(period: float, seed: int) -> Callable[[Map, Map], Map]:
    """A striped cover: two colors in turn, with a little shading that does not repeat."""
    shade = noise(seed, 20, 3)

    def at(x: Map, y: Map) -> Map:
        wave = 1 / (1 + np.exp(-4 * np.sin(2 * np.pi * x / period)))
        return np.array([70, 80, 120]) + wave[..., None] * np.array([120, 110, 60]) + shade(x, y)

    return at


def striped_cover(period: float) -> list[Plane]:
    """A room with a striped bed cover that comes nearer downward and a pillow on it."""
    return [
        Plane(wall(1), (-200, -50, 700, 400), 6),
        Plane(stripes(period, 2), (60, 120, 420, 330), -2, 0.0, 0.1),
        Plane(wall(3), (180, 150, 260, 200), 24),
    ]


def striped_wall(period: float) -> list[Plane]:
    """A striped wallpaper between two posters, a lamp before it."""
    return [
        Plane(stripes(period, 4), (-200, -50, 700, 400), 8),
        Plane(wall(5), (30, 40, 130, 200), 8),
        Plane(wall(6), (330, 60, 450, 240), 8),
        Plane(wall(7), (210, 150, 250, 330), 30),
    ]


def bookshelf() -> list[Plane]:
    """Rows of books, one row a series of like spines, between boards with a little grain and plain dark sides."""
    spines, dark, grain = stripes(14, 8), noise(9, 30, 2), noise(15, 6, 9)
    planes = [Plane(wall(10), (-200, -50, 700, 400), 4)]
    for number, top in enumerate((20, 120, 220)):
        planes.append(Plane(spines if number == 1 else wall(11 + number), (120, top, 400, top + 84), 14))
        planes.append(Plane(lambda x, y: 44 + grain(x, y), (100, top + 84, 420, top + 100), 20))
    planes += [Plane(lambda x, y: 30 + dark(x, y), (edge, 10, edge + 18, 330), 20) for edge in (100, 402)]
    return planes


def plain(shade: float) -> Callable[[Map, Map], Map]:
    """A wholly textureless surface, evenly lit."""
    return lambda x, y: np.broadcast_to(np.array([shade, shade - 8, shade - 20]), (*x.shape, 3))


def plain_wall(along: float) -> list[Plane]:
    """A textureless wall with two posters, and a lamp; below is the floor or, where ``along`` turns the wall, tiles."""
    base, down = 10 - 240 * along, 0.0 if along else 0.12
    return [
        Plane(plain(200), (-200, -50, 700, 400), base, along),
        Plane(wall(16), (50, 50, 130, 150), base, along),
        Plane(wall(17), (350, 90, 410, 170), base, along),
        Plane(wall(18), (-200, 270, 700, 400), base - 270 * down, along, down),
        Plane(wall(19), (215, 120, 250, 330), 32),
    ]


def empty_wall() -> list[Plane]:
    """A textureless wall between a ceiling and a floor that meet it, and a plain cupboard before it."""
    return [
        Plane(plain(180), (-200, -50, 700, 400), 8),
        Plane(wall(20), (-200, -50, 700, 60), 8 + 0.1 * 60, 0.0, -0.1),
        Plane(wall(21), (-200, 250, 700, 400), 8 - 0.15 * 250, 0.0, 0.15),
        Plane(plain(110), (300, 110, 400, 300), 22),
    ]


def bedroom() -> list[Plane]:
    """A bed with a striped cover before a textureless wall with a picture, beside a plain shelf with books."""
    return [
        Plane(plain(205), (-200, -50, 700, 400), 8),
        Plane(wall(22), (180, 40, 270, 100), 8),
        Plane(stripes(13, 23), (40, 160, 330, 330), -8, 0.0, 0.1),
        Plane(wall(24), (80, 150, 160, 190), 16),
        Plane(plain(70), (370, 20, 700, 330), 20),
        *[Plane(wall(25 + row), (385, 35 + 70 * row, 700, 90 + 70 * row), 18) for row in range(4)],
    ]


SCENES: dict[str, Callable[[], list[Plane]]] = {
    **{f"cover {period}": lambda period=period: striped_cover(period) for period in PERIODS},
    **{f"wall {period}": lambda period=period: striped_wall(period) for period in PERIODS},
    "bookshelf": bookshelf,
    "plain wall": lambda: plain_wall(0.0),
    "turned wall": lambda: plain_wall(0.03),
    "empty wall": empty_wall,
    "bedroom": bedroom,
}


def render(planes: list[Plane], seed: int = 0) -> tuple[Image, Image, NDArray[np.float32]]:
    """Draw both eyes and the disparity of the left one, (H, W) float32 px, with the noise of a camera."""
    width, height = SIZE
    y, x = np.mgrid[:height, :width].astype(float)
    random = np.random.default_rng(seed)
    eyes, truth = [], np.zeros((height, width), np.float32)
    for right in (False, True):
        picture = np.zeros((height, width, 3))
        for plane in planes:
            place = (x + plane.base + plane.down * y) / (1 - plane.along) if right else x
            left, top, end, bottom = plane.box
            inside = (place >= left) & (place < end) & (y >= top) & (y < bottom)
            picture[inside] = plane.texture(place, y)[inside]
            if not right:
                truth[inside] = (plane.base + plane.along * x + plane.down * y)[inside]
        noisy = picture + random.normal(0, 1.5, picture.shape)
        eyes.append(Image(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)))
    return eyes[0], eyes[1], truth
