"""Outdoor scenes: open ground, streets, hills and water. The functions from `outdoor` on return a filled Canvas."""

from dataclasses import dataclass

import cv2
import numpy as np
from canvas import Canvas, Light, Plane, vector
from dressing import Figure, figure, mirrored
from numpy.typing import NDArray
from textures import Shelf, Texture, between, facade, noise, procedural, random_color

Generator = np.random.Generator


@dataclass
class Props:
    """Material for scenes: surfaces, cut-outs from real pictures, and real pictures with depth as backgrounds."""

    shelf: Shelf
    cutouts: list[Figure]
    rooms: list[tuple[NDArray[np.uint8], NDArray[np.float32]]]

    def pick(self, rng: Generator, kinds: tuple[str, ...], real: float = 0.35) -> Figure:
        """A figure of one of the kinds; with probability `real` a real cut-out instead."""
        if self.cutouts and rng.random() < real:
            return mirrored(self.cutouts[int(rng.integers(len(self.cutouts)))], rng)
        return figure(rng, self.shelf, str(rng.choice(kinds)))


def daylight(rng: Generator, reach: float) -> Light:
    """Light of a sunny or overcast sky, with haze that reaches 63 % at `reach` meters."""
    angle, high = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.3)
    direction = vector(np.cos(angle) * np.cos(high), np.sin(high), np.sin(angle) * np.cos(high))
    gray = rng.uniform(0.55, 0.95)
    haze = np.clip(gray * vector(0.92, 0.98, 1.06) * (1 + rng.normal(0, 0.06, 3)), 0, 1).astype(np.float32)
    return Light(direction, float(rng.uniform(0.1, 0.7)), haze, reach)


def sky(canvas: Canvas, rng: Generator) -> None:
    """Fill the canvas with sky at infinity: a gradient, often clouds; sometimes dusk, night or plain white."""
    up = canvas.rays[:, :, 1] / np.linalg.norm(canvas.rays, axis=2)
    zenith = vector(0.18, 0.38, 0.75) * rng.uniform(0.4, 1.3) * np.exp(rng.normal(0, 0.15, 3))
    kind = rng.random()
    if kind < 0.15:
        zenith = canvas.light.haze * rng.uniform(0.8, 1.05)
    elif kind < 0.3:
        zenith = vector(0.05, 0.08, 0.2) * rng.uniform(0.2, 2)
    low = canvas.light.haze if kind > 0.25 else np.clip(canvas.light.haze * vector(1.1, 0.75, 0.5), 0, 1)
    share = np.clip(up / rng.uniform(0.25, 0.9), 0, 1) ** rng.uniform(0.5, 1.0)
    color = between(share.astype(np.float32), low, zenith.astype(np.float32))
    if rng.random() < 0.65:
        field = Texture(np.repeat(noise(rng, 128, 128, 4, fall=0.6)[:, :, None], 3, axis=2))
        high = np.maximum(up, 0.02)
        scale = rng.uniform(0.15, 0.6)
        u, v = canvas.rays[:, :, 0] / high * scale, canvas.rays[:, :, 2] / high * scale
        cloud = field.sample(u.astype(np.float32), v.astype(np.float32), (0.01 / high).astype(np.float32))[:, :, 0]
        cover = np.clip((cloud - rng.uniform(0.35, 0.7)) * rng.uniform(2, 6), 0, 1) * np.clip(up * 8, 0, 1)
        white = np.clip(canvas.light.haze * rng.uniform(0.9, 1.2), 0, 1)
        color = color + (white * (0.75 + 0.25 * cloud)[:, :, None] - color) * cover[:, :, None]
    canvas.color[:] = np.clip(color, 0, 1)


def ground(canvas: Canvas, rng: Generator, props: Props, kind: str) -> None:
    """Draw level ground up to the horizon: lawn, paving, road, sand, snow or water."""
    turn = rng.uniform(-0.6, 0.6)
    across = vector(np.cos(turn), 0, np.sin(turn))
    up, start = vector(0, 1, 0), vector(0, 0, 0)
    if kind == "water":
        waves = np.repeat(cv2.resize(noise(rng, 128, 32, 8, 0.8), (128, 128))[:, :, None], 3, axis=2)
        tone = canvas.light.haze * rng.uniform(0.4, 0.9) * vector(0.7, 0.9, 1.0)
        texture = Texture(np.clip(tone * (0.5 + rng.uniform(0.3, 1) * waves), 0, 1).astype(np.float32))
        canvas.plane(start, up, vector(1, 0, 0), texture, rng.uniform(3, 12))
        return
    texture = props.shelf.texture(rng, "foliage" if kind == "lawn" else "any")
    if kind == "plain":
        tone = random_color(rng, 0.15)
        texture = Texture(between(noise(rng, 128, 128, 16, 0.8), tone * 0.75, np.clip(tone * 1.2, 0, 1)))
    tint = None
    if kind == "road":
        half, edge = rng.uniform(2, 6), rng.uniform(-3, 3)
        tone = rng.uniform(0.2, 0.6)

        def tint(u: Plane, v: Plane) -> Plane:
            on = np.abs(u - edge) < half
            line = on & (np.abs(np.abs(u - edge) - half * 0.92) < 0.08)
            line |= on & (np.abs(u - edge) < 0.08) & (v % 6 < 3)
            return np.where(line[:, :, None], 3.0, np.where(on[:, :, None], tone, 1.0)).astype(np.float32)

        across = vector(np.cos(turn * 0.3), 0, np.sin(turn * 0.3))
    canvas.plane(start, up, across, texture, rng.uniform(0.6, 6), tint=tint)


def shadow(canvas: Canvas, foot: Plane, wide: float, long: float) -> None:
    """Darken an ellipse on the ground that extends from the foot away from the sun."""
    points = canvas.origin + canvas.rays / np.maximum(canvas.inverse, 1e-4)[:, :, None]
    away = -canvas.light.direction[[0, 2]]
    away = away / (np.linalg.norm(away) + 1e-6)
    flat = points[:, :, [0, 2]] - foot[[0, 2]] - away * long * 0.4
    along, side = flat @ away, flat @ np.array([-away[1], away[0]], np.float32)
    near = (
        np.exp(-((along / long) ** 2 + (side / wide) ** 2) * 1.5)
        * (np.abs(points[:, :, 1]) < 0.05)
        * (canvas.inverse > 0)
    )
    canvas.color *= (1.0 - 0.65 * near)[:, :, None].astype(np.float32)


def stand(canvas: Canvas, item: Figure, foot: Plane, high: float, flat: float = 0.35) -> None:
    """Draw a cut-out with its shadow, standing on the ground."""
    wide = high * item.alpha.shape[1] / item.alpha.shape[0]
    shadow(canvas, foot, wide * 0.4, max(wide * 0.5, high * 0.35))
    canvas.cutout(foot, high, item.alpha, item.color, wide * flat, item.bulge)


def backdrop(canvas: Canvas, rng: Generator, props: Props) -> None:
    """Draw up to three ridges or tree lines at 40 to 1500 m."""
    for _ in range(int(rng.integers(0, 4))):
        distance = float(np.exp(rng.uniform(np.log(40), np.log(1500))))
        wide = distance * canvas.width / canvas.focal * 1.2
        high = distance * rng.uniform(0.03, 0.3)
        line = noise(rng, 2, 256, int(rng.integers(2, 12)), rng.uniform(0.4, 0.7))[0]
        rows = np.linspace(1, 0, 128, dtype=np.float32)[:, None]
        alpha = np.clip((line[None] * rng.uniform(0.5, 1) + 0.15 - rows) * 60, 0, 1).astype(np.float32)
        tile = props.shelf.texture(rng, "foliage" if rng.random() < 0.6 else "any").tile
        color = cv2.resize(np.tile(tile, (1, 3, 1)), (256, 128)) * rng.uniform(0.5, 1.1)
        foot = vector(rng.uniform(-0.1, 0.1) * wide, 0, distance)
        canvas.cutout(
            foot,
            high + canvas.eye,
            cv2.resize(alpha, (512, 128)) if wide > 4 * high else alpha,
            cv2.resize(color, (512, 128)) if wide > 4 * high else color,
        )


def spread(rng: Generator, canvas: Canvas, near: float, far: float) -> Plane:
    """A random point on the ground inside the view, at a distance between `near` and `far`."""
    z = float(np.exp(rng.uniform(np.log(near), np.log(far))))
    return vector(rng.uniform(-0.55, 0.55) * z * canvas.width / canvas.focal, 0, z)


def outdoor(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """Ground to the horizon with trees, people, animals, stones and houses."""
    view, eye = rng.uniform(0.6, 1.55), float(np.exp(rng.uniform(np.log(0.5), np.log(8))))
    canvas = Canvas(height, width, view, rng.normal(0.03, 0.12), eye, daylight(rng, float(np.exp(rng.uniform(4, 8)))))
    sky(canvas, rng)
    ground(
        canvas, rng, props, str(rng.choice(["lawn", "plain", "road", "any", "water"], p=[0.35, 0.2, 0.2, 0.15, 0.1]))
    )
    backdrop(canvas, rng, props)
    for _ in range(int(rng.integers(0, 6))):
        place = spread(rng, canvas, 6 + 2 * eye, 150)
        size = vector(rng.uniform(4, 20), rng.uniform(3, 25), rng.uniform(4, 20))
        walls, roof = props.shelf.texture(rng, "facade" if rng.random() < 0.6 else "any"), props.shelf.texture(rng)
        canvas.box(
            place + vector(np.sign(place[0]) * 6, 0, size[2]),
            size,
            rng.uniform(-0.7, 0.7),
            walls,
            roof,
            rng.uniform(3, 12),
        )
    for _ in range(int(rng.integers(0, 10))):
        stand(canvas, figure(rng, props.shelf, "tree"), spread(rng, canvas, 3 + eye, 80), rng.uniform(2, 12), 0.2)
    for _ in range(int(rng.integers(0, 4))):
        place, radius = spread(rng, canvas, 2 + eye, 40), rng.uniform(0.2, 1.5)
        shadow(canvas, place, radius, radius * 1.4)
        canvas.ellipsoid(
            place + vector(0, radius * 0.5, 0),
            radius * rng.uniform(0.6, 1.4, 3).astype(np.float32),
            props.shelf.texture(rng),
        )
    for _ in range(int(rng.integers(0, 6))):
        place = spread(rng, canvas, 1.5 + 0.8 * eye, 40)
        stand(canvas, props.pick(rng, ("person", "person", "animal", "statue", "blob")), place, rng.uniform(0.5, 2.2))
    return canvas


def street(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """A road or corridor between walls of houses, with cars as boxes and people."""
    canvas = Canvas(
        height,
        width,
        rng.uniform(0.7, 1.5),
        rng.normal(0.02, 0.08),
        rng.uniform(1.2, 4),
        daylight(rng, rng.uniform(100, 2000)),
    )
    sky(canvas, rng)
    ground(canvas, rng, props, "road" if rng.random() < 0.7 else "plain")
    half = rng.uniform(3, 10)
    for side in (-1, 1):
        z = rng.uniform(-3, 5)
        while z < 150:
            size = vector(8, rng.uniform(4, 22), rng.uniform(5, 18))
            if rng.random() < 0.85:
                wall = props.shelf.texture(rng, "facade" if rng.random() < 0.7 else "any")
                canvas.box(
                    vector(side * (half + 4 + rng.uniform(0, 1.5)), 0, z + size[2] / 2),
                    size,
                    0,
                    wall,
                    wall,
                    rng.uniform(4, 12),
                )
            z += float(size[2]) + rng.choice([0, 0, 3])
    for _ in range(int(rng.integers(0, 7))):
        place = vector(rng.uniform(-half, half) * 0.8, 0, np.exp(rng.uniform(np.log(5), np.log(60))))
        paint = Texture(
            np.broadcast_to(random_color(rng, 0.7), (128, 128, 3)) * (0.7 + 0.3 * noise(rng, 128, 128, 4))[:, :, None]
        )
        shadow(canvas, place, 1.5, 2.5)
        canvas.box(place + vector(0, 0.3, 0), vector(1.8, 0.7, 4.2), rng.normal(0, 0.1), paint, paint, 2)
        canvas.box(
            place + vector(0, 1.0, 0),
            vector(1.6, 0.5, 2.2),
            rng.normal(0, 0.05),
            Texture(procedural(rng) * 0.3),
            paint,
            2,
        )
    for _ in range(int(rng.integers(0, 8))):
        place = vector(rng.uniform(-half, half) * 0.95, 0, np.exp(rng.uniform(np.log(2.5), np.log(40))))
        stand(canvas, props.pick(rng, ("person", "person", "person", "statue", "tree")), place, rng.uniform(1.4, 2.0))
    return canvas


def landscape(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """Hills or dunes as a height field, some with water, trees and a figure."""
    canvas = Canvas(
        height,
        width,
        rng.uniform(0.6, 1.4),
        rng.normal(0.0, 0.08),
        rng.uniform(1.5, 30),
        daylight(rng, float(np.exp(rng.uniform(5, 8.5)))),
    )
    sky(canvas, rng)
    steps, reach = 220, float(np.exp(rng.uniform(5, 8)))
    growth = np.linspace(0, 1, steps)[:, None] ** rng.uniform(2, 5)
    hills = (
        noise(rng, steps, 128, int(rng.integers(2, 7)), rng.uniform(0.3, 0.5)) * growth * reach * rng.uniform(0.02, 0.2)
    )
    wet = rng.random() < 0.35
    hills -= hills.max() * (rng.uniform(0.2, 0.5) if wet else 0.0)
    canvas.terrain(
        hills.astype(np.float32),
        reach,
        props.shelf.texture(rng, "foliage" if rng.random() < 0.6 else "any"),
        rng.uniform(2, 30),
    )
    ground(canvas, rng, props, "water" if wet else "plain")
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 6))):
            kinds = ("tree", "tree", "person", "statue", "animal")
            stand(canvas, props.pick(rng, kinds, 0.2), spread(rng, canvas, 2 + canvas.eye, 60), rng.uniform(1, 8))
    return canvas


def front(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """One large flat front, straight or at an angle: its doors, windows and stones must not become steps."""
    view, eye = rng.uniform(0.6, 1.3), rng.uniform(1.2, 5)
    canvas = Canvas(height, width, view, rng.normal(-0.05, 0.12), eye, daylight(rng, 2000.0))
    sky(canvas, rng)
    ground(canvas, rng, props, str(rng.choice(["plain", "lawn", "any"])))
    turn = rng.uniform(-1.1, 1.1)
    normal = vector(np.sin(turn), 0, -np.cos(turn))
    across = vector(np.cos(turn), 0, np.sin(turn))
    distance, tall = rng.uniform(5, 15), rng.uniform(5, 40)
    stone = random_color(rng, 0.2) * noise(rng, 128, 128, 24, 0.9)[:, :, None] + 0.1
    tile = procedural(rng) if rng.random() < 0.5 else np.clip(stone, 0, 1)
    panels = facade(rng)
    holes = np.abs(panels - np.median(panels, axis=(0, 1))).sum(axis=2) > 0.25
    tile = np.where(holes[:, :, None], panels, tile).astype(np.float32)
    start = vector(0, 0, distance)
    up = -1.0 if float(np.cross(normal, across)[1]) < 0 else 1.0
    limits = (-60.0, 60.0, 0.0, tall) if up > 0 else (-60.0, 60.0, -tall, 0.0)
    canvas.plane(start, normal, across, Texture(tile), rng.uniform(4, 14), limits=limits)
    for _ in range(int(rng.integers(0, 4))):
        place = vector(rng.uniform(-0.5, 0.5) * distance, 0, rng.uniform(2.5, distance * 0.8))
        stand(canvas, props.pick(rng, ("person", "tree", "animal", "statue")), place, rng.uniform(0.8, 2.5))
    return canvas
