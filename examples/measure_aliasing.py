"""How much silhouettes crawl on a slow camera path, beside a ray march and one elastic sheet of the same scene.

    python examples/measure_aliasing.py [--size 320x180] [--frames 24] [--step 0.5] [--quality normal]

The scene is made by formula: discs, bars and slanted cards at several depths before a smooth wall. Its true picture
from anywhere is known, each pixel being the mean of 8 x 8 points. The camera slides sideways by ``step`` pixels of
travel between nearest and farthest a frame. What a frame changes against the one before, less what the true picture
changes there, is what no motion explains: it flickers. Printed is its root mean square in gray levels, along the
outlines (3 pixels each way) and over the whole picture; 0 would be perfect. A picture that stood still would score
what the true motion changes, printed last. The eye is slightly off the straight path upwards, so that edges of every
direction are crossed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from yardsticks import RayMarch, rubber_sheet

from depth3d.camera import FARTHEST_INVERSE, Camera
from depth3d.depthmap import DepthMap
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image, Size
from depth3d.render.renderer import Renderer

Floats = NDArray[np.float32]
SAMPLES = 8
STILL = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--step", type=float, default=0.5)
    parser.add_argument("--quality", default="normal", choices=("draft", "normal", "high"))
    arguments = parser.parse_args()
    size = Size(*map(int, arguments.size.split("x")))
    found = measure(size, arguments.frames, arguments.step, arguments.quality)
    print(f"{size}, {arguments.frames} frames, {arguments.step} px a frame; gray levels, root mean square")
    print(f"{'':14s}{'outlines':>10s}{'everywhere':>12s}")
    for name, (outlines, everywhere) in found.items():
        print(f"{name:14s}{outlines:10.2f}{everywhere:12.3f}")
    print(f"the ray march flickers {found['ray march'][0] / found['depth3d'][0]:.2f} times as much as depth3d")


def measure(size: Size, frames: int, step: float, quality: str = "normal") -> dict[str, tuple[float, float]]:
    """Residual along outlines and everywhere, for every way of drawing."""
    pixels, depth = true_view(size, (0.0, 0.0))
    image, depth_map = Image(pixels.round().astype(np.uint8)), DepthMap(depth)
    moves = [((k - frames / 2) * step, 0.37 * (k - frames / 2) * step) for k in range(frames)]
    most = 100 * max(abs(x) for x, _ in moves) * 1.1 / size.width
    names = ("depth3d", "rubber mesh", "ray march", "8 bits alone", "no motion")
    squares = {name: np.zeros(2) for name in names}
    margin = int(max(map(abs, moves[0]))) + 1  # what lies beyond the photo's border is another matter
    inner = slice(margin, -margin), slice(margin, -margin)
    march = RayMarch(image, depth_map)
    with Renderer(size) as ours, Renderer(size) as rubber:
        ours.upload(build_layers(image, depth_map, parallax_percent=most, quality=quality))  # type: ignore[arg-type]
        rubber.upload(rubber_sheet(image, depth_map))
        draw: dict[str, Callable[[tuple[float, float]], Floats]] = {
            "depth3d": lambda move: ours.draw(camera(size, move)).pixels.astype(np.float32),
            "rubber mesh": lambda move: rubber.draw(camera(size, move)).pixels.astype(np.float32),
            "ray march": lambda move: march.draw((-move[0], -move[1]), STILL).pixels.astype(np.float32),
            "8 bits alone": lambda move: truth.round(),
            "no motion": lambda move: pixels,
        }
        before: dict[str, Floats] = {}
        for move in moves:
            truth, seen_depth = true_view(size, move)
            edge = outlines(seen_depth)[inner]
            now = {name: (view(move) - truth)[inner] for name, view in draw.items()}
            for name, difference in now.items():
                if name in before:
                    square = ((difference - before[name]) ** 2).mean(2)
                    squares[name] += square[edge].mean(), square.mean()
            before = now
    return {name: tuple(np.sqrt(total / (frames - 1))) for name, total in squares.items()}  # type: ignore[misc]


def camera(size: Size, move: tuple[float, float]) -> Camera:
    """A camera for which depth 1 lands ``move`` pixels left and above depth 0."""
    photo = Camera()
    unit = 1 / (photo.focal(size.aspect) * (1 - FARTHEST_INVERSE) * size.width)
    still = 1 / (FARTHEST_INVERSE + (1 - FARTHEST_INVERSE) * STILL)
    return photo.aside(move[0] * unit, -move[1] * unit, size.aspect, still)


def true_view(size: Size, move: tuple[float, float]) -> tuple[Floats, Floats]:
    """The picture when depth v is moved by ``move * (STILL - v)`` pixels, and the depth in the middle of its pixels."""
    fine = (np.arange(size.width * SAMPLES) + 0.5) / SAMPLES, (np.arange(size.height * SAMPLES) + 0.5) / SAMPLES
    x, y = np.meshgrid(*fine, copy=False)
    x, y = x.astype(np.float32), y.astype(np.float32)
    unit = size.width / 640
    light = wall((x - move[0] * STILL) / unit, (y - move[1] * STILL) / unit)
    for level, inside, coded in things(size.width, size.height):
        shown = inside(x - move[0] * (STILL - level), y - move[1] * (STILL - level))
        light[shown] = to_linear(np.float32(coded))
    boxes = light.reshape(size.height, SAMPLES, size.width, SAMPLES, 3).mean((1, 3))
    columns, rows = np.meshgrid(np.arange(size.width) + 0.5, np.arange(size.height) + 0.5)
    depth = np.zeros((size.height, size.width), np.float32)
    for level, inside, _ in things(size.width, size.height):
        depth[inside(columns - move[0] * (STILL - level), rows - move[1] * (STILL - level))] = level
    return to_coded(boxes), depth


def wall(x: Floats, y: Floats) -> Floats:
    """Soft waves of light, so smooth that what the wall is filled with matters little."""
    wave = 0.25 + 0.1 * np.sin(x / 37 + 0.5 * np.sin(y / 29))
    return np.stack([wave, 0.9 * wave, 0.8 * wave], -1).astype(np.float32)


Inside = Callable[[NDArray[np.floating], NDArray[np.floating]], NDArray[np.bool_]]


def things(width: int, height: int) -> list[tuple[float, Inside, tuple[int, int, int]]]:
    """Depth, shape and sRGB color, from far to near."""

    def disc(x: float, y: float, radius: float) -> Inside:
        return lambda u, v: np.hypot(u - x * width, v - y * height) < radius * width

    def bar(x: float, y: float, slope: float, half: float) -> Inside:
        return lambda u, v: np.abs((u - x * width) + slope * (v - y * height)) < half * width

    def card(x: float, y: float, side: float, turn: float) -> Inside:
        cos, sin = np.cos(turn), np.sin(turn)
        return lambda u, v: (
            np.maximum(
                np.abs(cos * (u - x * width) + sin * (v - y * height)),
                np.abs(cos * (v - y * height) - sin * (u - x * width)),
            )
            < side * width
        )

    return [
        (0.35, bar(0.25, 0.5, 0.15, 0.02), (230, 225, 210)),
        (0.5, card(0.7, 0.35, 0.08, 0.3), (30, 60, 35)),
        (0.65, disc(0.42, 0.6, 0.07), (240, 240, 235)),
        (0.8, bar(0.88, 0.5, -0.45, 0.012), (20, 20, 25)),
        (1.0, disc(0.62, 0.72, 0.06), (25, 20, 60)),
        (1.0, card(0.12, 0.75, 0.05, 0.9), (250, 200, 60)),
    ]


def outlines(depth: Floats) -> NDArray[np.bool_]:
    """Pixels within 3 of a step of depth."""
    step = np.zeros(depth.shape, bool)
    step[:, 1:] |= np.diff(depth, axis=1) != 0
    step[1:] |= np.diff(depth, axis=0) != 0
    for _ in range(3):
        grown = step.copy()
        grown[1:] |= step[:-1]
        grown[:-1] |= step[1:]
        grown[:, 1:] |= step[:, :-1]
        grown[:, :-1] |= step[:, 1:]
        step = grown
    return step


def to_linear(coded: NDArray[np.floating]) -> NDArray[np.floating]:
    """Gray levels 0..255 of sRGB to light."""
    share = coded / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def to_coded(light: Floats) -> Floats:
    """Light to gray levels 0..255 of sRGB."""
    high = 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055
    return np.asarray(255 * np.where(light <= 0.0031308, light * 12.92, high), np.float32)


if __name__ == "__main__":
    main()
