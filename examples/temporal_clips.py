"""Made clips with known depth and flow. Used by `measure_temporal.py` and `outline_clips.py`.

A room of textured walls, a floor and boards, with boards and balls that move, seen by a pinhole camera; every pixel's
ray is intersected with every surface, so that depth (along the optical axis) and the flow to the frame before are
exact. The textures are the pictures of this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pose = Callable[[int], Array]

LEVELS = 7
HERE = Path(__file__).parent
TEXTURES = ("coffee", "china", "flower", "astronaut", "chelsea", "rocket")
KINDS = ("slide", "dolly", "walkers", "handheld", "enter", "pan", "fast", "cut")
EXTRA_KINDS = ("retreat", "zoom", "roll", "posts")


@dataclass(frozen=True)
class Clip:
    """color (T, H, W, 3) uint8; depth (T, H, W) > 0; flow (T, H, W, 2) to the frame before, in pixels;
    seen (T, H, W) = visible in the frame before too; moving (T, H, W) = part of a moving object; starts = scenes."""

    name: str
    color: NDArray[np.uint8]
    depth: NDArray[np.float32]
    flow: NDArray[np.float32]
    seen: NDArray[np.bool_]
    moving: NDArray[np.bool_]
    starts: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Surface:
    """A board (half width and height in ``size``) in its own x-y plane, or a ball of radius ``size[0]``."""

    texture: str
    size: tuple[float, float]
    pose: Pose
    moves: bool = False
    ball: bool = False
    repeat: float = 1.0


def place(x: float, y: float, z: float, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """(4, 4) rigid transform: roll, then pitch (about x), then yaw (about y, down is positive), then a shift."""
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (yaw, pitch, roll))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    result = np.eye(4)
    result[:3, :3] = turn @ np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    result[:3, 3] = x, y, z
    return result


def still(pose: Array) -> Pose:
    """A pose that does not change."""
    return lambda _frame: pose


@lru_cache
def texture(name: str) -> NDArray[np.float32]:
    """(LEVELS, 256, 256, 3) float32 RGB: a picture, and the same ever more blurred for surfaces far away."""
    pixels = cv2.imread(str(HERE / f"{name}.jpg"))
    assert pixels is not None, name
    sharp = cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_AREA)[..., ::-1].astype(np.float32)
    levels = [sharp] + [cv2.GaussianBlur(sharp, (0, 0), 0.5 * 2**level) for level in range(1, LEVELS)]
    return np.stack(levels)


def paint(surface: Surface, uv: Array, distance: Array, pixels_wide: float) -> NDArray[np.float32]:
    """(N, 3) color at texture places 0..1; ``pixels_wide`` = focal length in pixels."""
    texels = surface.repeat * 256 / (2 * surface.size[0]) * distance / pixels_wide  # per pixel
    level = np.clip(np.log2(np.maximum(texels, 1)), 0, LEVELS - 1).round().astype(int)
    column, row = (uv * surface.repeat * 255 % 255).round().astype(int).T
    return np.asarray(texture(surface.texture)[level, row, column], np.float32)


def room(rng: np.random.Generator) -> list[Surface]:
    """Floor, three walls and some boards, all still."""
    surfaces = [
        Surface("china", (30, 30), still(place(0, 1.6, 15, pitch=np.pi / 2)), repeat=14),
        Surface("flower", (30, 12), still(place(0, -4, 22)), repeat=6),
        Surface("coffee", (18, 12), still(place(-8, -4, 12, yaw=np.pi / 2)), repeat=6),
        Surface("rocket", (18, 12), still(place(8, -4, 12, yaw=np.pi / 2)), repeat=6),
    ]
    for _ in range(9):
        half = rng.uniform(0.4, 1.1), rng.uniform(0.6, 1.6)
        pose = place(rng.uniform(-6, 6), 1.6 - half[1], rng.uniform(5, 18), yaw=rng.uniform(-0.7, 0.7))
        surfaces.append(Surface(TEXTURES[rng.integers(len(TEXTURES))], half, still(pose)))
    return surfaces


def walkers(speed: float) -> list[Surface]:
    """A ball and two boards that cross the picture; at speed 1 by 4 to 9 pixels a frame at 384 wide."""
    return [
        Surface("astronaut", (0.7, 0.7), lambda k: place(-3.5 + 0.1 * speed * k, 0.7, 4.2, 0.03 * k), True, True),
        Surface("chelsea", (0.5, 1.1), lambda k: place(3.5 - 0.07 * speed * k, 0.5, 6.0), True),
        Surface("coffee", (0.5, 0.5), lambda k: place(0.8, 0.4, 11 - 0.08 * speed * k, 0.3), True),
    ]


def shaking(rng: np.random.Generator, frames: int) -> Array:
    """(frames, 5) of a hand-held camera: x, y, z in meters, pitch and yaw in radians."""
    steps = np.cumsum(rng.normal(size=(frames + 8, 5)) * [0.012, 0.008, 0.006, 0.0016, 0.0016], axis=0)
    return np.asarray(cv2.GaussianBlur(steps, (1, 7), 1.5)[4:])


def scene(kind: str, frames: int, rng: np.random.Generator) -> tuple[list[Surface], Pose, Callable[[int], float]]:
    """Surfaces, camera (world to camera) and focal length (in widths) of a clip."""
    surfaces, hand = room(rng), shaking(rng, frames)
    cameras: dict[str, Pose] = {
        "posts": lambda k: place(0.6 - 0.03 * k, 0, 0, -0.05 + 0.0025 * k),
        "slide": lambda k: place(1.2 - 0.04 * k, 0, 0, -0.1 + 0.0035 * k),
        "dolly": lambda k: place(0.2 * np.sin(k / 20), 0, -0.09 * k),
        "retreat": lambda k: place(0, 0, -4 + 0.06 * k),
        "roll": lambda k: place(0, 0, 0, roll=0.012 * k),
        "handheld": lambda k: place(hand[k, 0], hand[k, 1], hand[k, 2] - 0.01 * k, hand[k, 4], hand[k, 3]),
        "enter": lambda k: place(-0.01 * k, 0, 0),
        "pan": lambda k: place(2.0 - 0.06 * k, 0, -0.02 * k, yaw=-0.45 + 0.014 * k),
        "fast": lambda k: place(0.3 * np.sin(k / 7), 0, 0, yaw=0.05 * np.sin(k / 9)),
    }
    if kind == "walkers":
        surfaces += walkers(1)
    elif kind == "fast":
        surfaces += walkers(2.2)
    elif kind == "handheld":
        surfaces += walkers(0.6)[:2]
    elif kind == "posts":  # from thin to wide, some of them leaning
        halves = (0.012, 0.05, 0.02, 0.09, 0.03, 0.016)
        for number, half in enumerate(halves):
            pose = place(-1.6 + 0.62 * number, 0.2, 3.2 + 0.35 * (number % 3), roll=0.12 * (number % 3 - 1))
            surfaces.append(Surface(TEXTURES[number], (half, 1.5), still(pose), repeat=half))
    elif kind == "enter":  # something near comes, stays, goes: does the depth of everything else pump?
        surfaces.append(Surface("coffee", (0.6, 0.6), lambda k: place(_enter(k / frames), 0.3, 2.0), True, True))

    def focal(k: int) -> float:
        return 0.86 * (1 + 0.008 * k) if kind == "zoom" else 0.86

    return surfaces, cameras.get(kind, still(np.eye(4))), focal


def _enter(time: float) -> float:
    return 3.0 - 9.6 * time if time < 0.25 else (0.6 if time < 0.66 else 0.6 + 9.6 * (time - 0.66))


def render(kind: str, frames: int = 60, width: int = 384, height: int = 216, seed: int = 0) -> Clip:
    """One clip; ``cut`` is half a slide and half a handheld clip of another room."""
    if kind == "cut":
        a, b = (render(part, frames // 2, width, height, seed + i) for i, part in enumerate(("slide", "handheld"), 11))
        pairs = [(getattr(a, name), getattr(b, name)) for name in ("color", "depth", "flow", "seen", "moving")]
        color, depth, flow, seen, moving = (np.concatenate(pair) for pair in pairs)
        return Clip("cut", color, depth, flow, seen, moving, (0, frames // 2))
    rng = np.random.default_rng([seed, len(kind)])
    surfaces, camera, focal = scene(kind, frames, rng)
    seen_color, depth, flow, owner = view(surfaces, camera, focal, frames, width, height)
    color = np.stack([np.clip(one + rng.normal(0, 2, one.shape), 0, 255).astype(np.uint8) for one in seen_color])
    moves = np.array([one.moves for one in surfaces])
    return Clip(kind, color, depth, flow, visible(depth, flow, owner), moves[owner])


def view(
    surfaces: list[Surface],
    camera: Pose,
    focal: Callable[[int], float],
    frames: int,
    width: int,
    height: int,
    lens: float = 0.0,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """What a camera sees: (T, H, W, 3) color without noise, depth, flow to the frame before, index of the surface.

    ``lens``: its blur in pixels (Gaussian).
    """
    color = np.empty((frames, height, width, 3), np.float32)
    depth = np.empty((frames, height, width), np.float32)
    flow = np.zeros((frames, height, width, 2), np.float32)
    owner = np.empty((frames, height, width), np.int32)
    for k in range(frames):
        before = max(k - 1, 0)
        views = [(camera(k) @ one.pose(k), camera(before) @ one.pose(before)) for one in surfaces]
        fine, *_ = trace(surfaces, views, width * 2, height * 2, focal(k), focal(before))
        fine = cv2.GaussianBlur(fine, (0, 0), 2 * lens) if lens else fine
        color[k] = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
        _, depth[k], flow[k], owner[k] = trace(surfaces, views, width, height, focal(k), focal(before))
    return color, depth, flow, owner


def trace(
    surfaces: list[Surface],
    views: list[tuple[Array, Array]],
    width: int,
    height: int,
    focal: float,
    focal_before: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Color, depth, flow and the index of the surface of every pixel."""
    # Pixel centers lie at whole numbers plus a half, so that a picture twice as fine covers the same field.
    x, y = np.meshgrid((np.arange(width) + 0.5 - width / 2), (np.arange(height) + 0.5 - height / 2))
    rays = np.stack([x / (focal * width), y / (focal * width), np.ones_like(x)], axis=-1)
    color = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), 200.0, np.float32)
    flow = np.zeros((height, width, 2), np.float32)
    owner = np.zeros((height, width), np.int32)
    for index, (surface, (view, view_before)) in enumerate(zip(surfaces, views, strict=True)):
        part = window(surface, view, width, height, focal)
        hit, distance, local, uv = intersect(surface, view, rays[part], depth[part])
        if not hit.any():
            continue
        depth[part][hit], owner[part][hit] = distance, index
        color[part][hit] = paint(surface, uv, distance, focal * width)
        earlier = local @ view_before[:3, :3].T + view_before[:3, 3]
        scale = focal_before * width / np.maximum(earlier[:, 2:], 1e-3)
        flow[part][hit] = earlier[:, :2] * scale - np.stack([x[part][hit], y[part][hit]], axis=-1)
    return color, depth, flow, owner


def window(surface: Surface, view: Array, width: int, height: int, focal: float) -> tuple[slice, slice]:
    """Rows and columns outside which a surface is not seen."""
    half = (surface.size[0],) * 3 if surface.ball else (*surface.size, 0.0)
    signs = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T
    corners = signs * half @ view[:3, :3].T + view[:3, 3]
    if corners[:, 2].min() <= 0.2:  # some of it is beside or behind the camera
        return slice(0, height), slice(0, width)
    places = corners[:, :2] / corners[:, 2:] * focal * width + np.array([width, height]) / 2
    low = np.floor(places.min(0) - 1).clip(0).astype(int)
    high = np.ceil(places.max(0) + 1).clip(0).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def intersect(
    surface: Surface, view: Array, rays: Array, depth: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], Array, Array, Array]:
    """Where a surface is hit before ``depth``: mask, distances, points in its own coordinates, texture places 0..1."""
    origin, turn = view[:3, 3], view[:3, :3]
    with np.errstate(divide="ignore", invalid="ignore"):
        if surface.ball:
            a, b = (rays * rays).sum(-1), rays @ origin
            root = b * b - a * (origin @ origin - surface.size[0] ** 2)
            distance = np.where(root >= 0, (b - np.sqrt(np.maximum(root, 0))) / a, np.inf)
        else:
            distance = (turn[:, 2] @ origin) / (rays @ turn[:, 2])
        near = np.isfinite(distance) & (distance > 0.2) & (distance < depth)
        local = (rays[near] * distance[near][:, None] - origin) @ turn
    if surface.ball:  # half of it faces the camera: the texture covers that
        around, up = np.arctan2(local[:, 0], -local[:, 2]), np.arcsin(np.clip(local[:, 1] / surface.size[0], -1, 1))
        uv = np.stack([around, up], axis=1) / np.pi + 0.5
    else:
        uv = local[:, :2] / surface.size / 2 + 0.5
    inside = np.logical_and.reduce(np.abs(uv - 0.5) <= 0.5, axis=1)
    hit = near.copy()
    hit[near] = inside
    return hit, distance[hit], local[inside], np.clip(uv[inside], 0, 1)


def visible(depth: NDArray[np.float32], flow: NDArray[np.float32], owner: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels that the frame before shows too: the same surface lies there, at nearly the same depth."""
    result = np.zeros(depth.shape, bool)
    rows, columns = np.mgrid[0 : depth.shape[1], 0 : depth.shape[2]]
    for k in range(1, len(depth)):
        x, y = np.rint(columns + flow[k, ..., 0]).astype(int), np.rint(rows + flow[k, ..., 1]).astype(int)
        inside = (x >= 1) & (x < depth.shape[2] - 1) & (y >= 1) & (y < depth.shape[1] - 1)
        x, y = np.clip(x, 0, depth.shape[2] - 1), np.clip(y, 0, depth.shape[1] - 1)
        near = np.abs(depth[k - 1][y, x] / depth[k] - 1) < 0.15
        result[k] = inside & np.equal(owner[k - 1][y, x], owner[k]) & near
    return result
