"""Scenes with many figures, vehicles or thin things, and rooms with a view; built on the worlds and the rooms."""

import numpy as np
from canvas import Canvas, Vector, vector
from flat import mirrored_in_water, tall_at_border
from indoors import room
from textures import Texture, noise, random_color
from thin import net, scatter, twig
from worlds import Props, daylight, ground, landscape, outdoor, shadow, sky, stand, street

Generator = np.random.Generator


def paint(rng: Generator, saturation: float = 0.7) -> Texture:
    """A painted metal surface."""
    shade = (0.75 + 0.3 * noise(rng, 128, 128, 3))[:, :, None]
    return Texture(
        np.clip(np.broadcast_to(random_color(rng, saturation), (128, 128, 3)) * shade, 0, 1).astype(np.float32)
    )


def windows(rng: Generator) -> Texture:
    """Dark glass with pillars, as the upper part of a car or a bus."""
    tile = np.full((128, 128, 3), rng.uniform(0.03, 0.25), np.float32)
    tile += 0.2 * noise(rng, 128, 128, 3)[:, :, None]
    tile[:, :: int(rng.integers(24, 60))] = random_color(rng, 0.5)
    return Texture(tile)


def vehicle(canvas: Canvas, rng: Generator, place: Vector, turn: float) -> None:
    """A car, van, bus or truck of boxes with wheels, lamps and windows."""
    body, glass, dark = paint(rng), windows(rng), Texture(np.full((128, 128, 3), 0.04, np.float32))
    kind = rng.choice(["car", "car", "car", "van", "bus", "truck"])
    wide, long = rng.uniform(1.6, 1.9), rng.uniform(3.8, 4.8)
    if kind in ("bus", "truck"):
        wide, long = 2.5, rng.uniform(7, 12)
    ahead, side = vector(np.sin(turn), 0, np.cos(turn)), vector(np.cos(turn), 0, -np.sin(turn))
    shadow(canvas, place, wide * 0.7, long * 0.6)
    low = 0.25 if kind == "car" else 0.4
    waist = {"car": 0.65, "van": 0.9, "bus": 1.0, "truck": 0.6}[str(kind)]
    canvas.box(place + vector(0, low, 0), vector(wide, waist, long), -turn, body, body, 2)
    if kind == "car":
        middle = place + vector(0, low + waist, 0) - ahead * long * 0.05
        canvas.box(middle, vector(wide * 0.88, 0.5, long * 0.5), -turn, glass, body, 1.2)
    elif kind == "truck":
        canvas.box(
            place + vector(0, low + waist, 0) - ahead * 0.8,
            vector(wide, 2.2, long * 0.78),
            -turn,
            paint(rng, 0.3),
            body,
            4,
        )
        canvas.box(
            place + vector(0, low + waist, 0) + ahead * (long / 2 - 0.8), vector(wide, 1.5, 1.6), -turn, glass, body, 2
        )
    else:
        high = 0.9 if kind == "van" else 1.6
        canvas.box(place + vector(0, low + waist, 0), vector(wide, high, long), -turn, glass, body, 2)
        canvas.box(place + vector(0, low + waist + high, 0), vector(wide, 0.25, long), -turn, body, body, 2)
    radius = 0.32 if kind in ("car", "van") else 0.5
    for i in (-1.0, 1.0):
        for j in (-0.32, 0.32):
            hub = place + side * (wide / 2 - 0.08) * i + ahead * long * j + vector(0, radius, 0)
            canvas.ellipsoid(hub, np.abs(side * 0.12) + np.abs(ahead * radius) + vector(0, radius, 0), dark)
    lamps = Texture(
        np.broadcast_to(vector(0.9, 0.2, 0.15) if rng.random() < 0.5 else vector(1, 1, 0.8), (128, 128, 3)).copy()
    )
    for i in (-0.8, 0.8):
        canvas.ellipsoid(
            place + side * wide / 2 * i - ahead * long / 2 + vector(0, low + 0.4, 0), vector(0.13, 0.09, 0.13), lamps
        )


def traffic(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """A street or a parking place with many vehicles, people and street furniture."""
    if rng.random() < 0.6:
        canvas = street(rng, props, height, width)
        half = 4.0
    else:
        canvas = Canvas(
            height, width, rng.uniform(0.7, 1.4), rng.normal(0.05, 0.08), rng.uniform(1.2, 3), daylight(rng, 1500)
        )
        sky(canvas, rng)
        ground(canvas, rng, props, "road" if rng.random() < 0.5 else "plain")
        half = 8.0
    for _ in range(int(rng.integers(1, 9))):
        z = float(np.exp(rng.uniform(np.log(4.5), np.log(60))))
        turn = rng.normal(0, 0.12) if rng.random() < 0.7 else rng.uniform(-1.6, 1.6)
        vehicle(canvas, rng, vector(rng.uniform(-half, half), 0, z), turn)
    scatter(canvas, rng, props.shelf, 3, 25, inside=False)
    for _ in range(int(rng.integers(0, 6))):
        place = vector(rng.uniform(-half, half), 0, float(np.exp(rng.uniform(np.log(2.5), np.log(30)))))
        stand(canvas, props.pick(rng, ("person",)), place, rng.uniform(1.4, 1.9))
    if rng.random() < 0.15:
        mirrored_in_water(canvas, rng)
    return canvas


def crowd(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """Draw 10 to 60 people or animals at distances of 2 to 50 m."""
    canvas = Canvas(
        height, width, rng.uniform(0.6, 1.3), rng.normal(0.08, 0.1), rng.uniform(1.3, 5), daylight(rng, 800)
    )
    sky(canvas, rng)
    ground(canvas, rng, props, str(rng.choice(["lawn", "plain", "any", "road"])))
    if rng.random() < 0.6:
        tall_at_border(canvas, rng, props)
    kind = ("person", "person", "person", "bust") if rng.random() < 0.75 else ("animal",)
    tall = rng.uniform(1.5, 1.8) if kind[0] == "person" else rng.uniform(0.6, 1.5)
    for z in np.sort(np.exp(rng.uniform(np.log(2.0), np.log(50), int(rng.integers(10, 60)))))[::-1]:
        place = vector(rng.uniform(-0.55, 0.55) * z * width / canvas.focal, 0, z)
        item = props.pick(rng, kind[:3], 0.25)
        canvas.cutout(place, tall * rng.uniform(0.85, 1.1), item.alpha, item.color, 0.2, item.bulge)
    return canvas


def thin_outdoor(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """Outdoors or in the hills with fences, wires, bicycles, bare trees, grass; at times a twig or a net close by."""
    canvas = (landscape if rng.random() < 0.25 else outdoor)(rng, props, height, width)
    if rng.random() < 0.3:
        tall_at_border(canvas, rng, props)
    scatter(canvas, rng, props.shelf, 1.5 + 0.7 * canvas.eye, 30 + 2 * canvas.eye, inside=False)
    if rng.random() < 0.15:
        mirrored_in_water(canvas, rng)
    kind = rng.random()
    if kind < 0.25:
        twig(canvas, rng)
    elif kind < 0.35:
        net(canvas, rng)
    return canvas


def furnished(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """A room with chairs, tables and lamps, and often a window to the outside."""
    canvas = room(rng, props, height, width)
    scatter(canvas, rng, props.shelf, 1.0, 6, inside=True)
    if rng.random() < 0.5:
        view_outside(canvas, rng, props)
    return canvas


def view_outside(canvas: Canvas, rng: Generator, props: Props) -> None:
    """A rectangle of the back wall becomes a window: what is behind it is far; frame and bars stay in the wall."""
    rows, columns = canvas.inverse.shape
    outside = outdoor(rng, props, rows, columns)
    left, top = int(rng.uniform(0.1, 0.6) * columns), int(rng.uniform(0.05, 0.35) * rows)
    window = np.s_[top : top + int(rng.uniform(0.2, 0.45) * rows), left : left + int(rng.uniform(0.15, 0.5) * columns)]
    wall = canvas.inverse[window]
    level = float(np.median(wall))
    behind = wall < level * 1.15  # what stands in the room hides the window
    lines = np.zeros(wall.shape, bool)
    for axis in (0, 1):
        step = wall.shape[axis] / int(rng.integers(1, 4))
        thick = max(int(0.012 * rows), 1)
        for at in np.append(np.arange(0, wall.shape[axis], step), wall.shape[axis] - thick):
            lines[
                (slice(int(at), int(at) + thick), slice(None))
                if axis == 0
                else (slice(None), slice(int(at), int(at) + thick))
            ] = True
    glass = behind & ~lines
    light = np.clip(outside.color[window] * rng.uniform(1.0, 1.8) + rng.uniform(0, 0.2), 0, 1)
    canvas.color[window][glass] = light[glass]
    canvas.inverse[window][glass] = np.minimum(outside.inverse[window] * 0.5, 0.6 * level)[glass]
    canvas.color[window][behind & lines] = random_color(rng, 0.15)
