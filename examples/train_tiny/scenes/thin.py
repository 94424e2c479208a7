"""Thin things, drawn into a Canvas with exact depth: railings, wires, bicycles, branches, stems, chairs."""

from itertools import pairwise

import numpy as np
from canvas import Canvas, Vector, vector
from textures import Shelf, Texture, random_color

Generator = np.random.Generator


def metal(rng: Generator) -> Vector:
    """Color of a bar: mostly dark or pale, sometimes painted."""
    if rng.random() < 0.3:
        return random_color(rng, 0.8)
    return (rng.uniform(0.03, 0.3) if rng.random() < 0.6 else rng.uniform(0.6, 0.95)) * vector(1, 1, 1)


def heading(rng: Generator) -> Vector:
    """A random horizontal unit vector."""
    angle = rng.uniform(0, np.pi)
    return vector(np.cos(angle), 0, np.sin(angle))


def railing(canvas: Canvas, rng: Generator, middle: Vector, along: Vector | None = None) -> None:
    """Posts, rails and often pickets or crossed wires along a straight line."""
    along = heading(rng) if along is None else along
    color, long, high = metal(rng), rng.uniform(2, 14), rng.uniform(0.7, 2.0)
    first = middle - along * long / 2
    post, bar = rng.uniform(0.02, 0.07), rng.uniform(0.008, 0.03)
    up = vector(0, high, 0)
    for part in np.arange(0, long + 0.01, rng.uniform(1.2, 2.5)):
        canvas.stroke(first + along * part, first + along * part + up, post, color)
    for level in np.linspace(1.0, rng.uniform(0.1, 0.6), int(rng.integers(1, 5))):
        canvas.stroke(first + up * level, first + along * long + up * level, bar * 1.5, color)
    if rng.random() < 0.65:
        spacing = rng.uniform(0.1, 0.35)
        lean = along * (rng.uniform(-1, 1) if rng.random() < 0.15 else 0.0)
        for part in np.arange(0, long, max(spacing, long / 90)):
            foot = first + along * part
            canvas.stroke(foot + up * 0.08, foot + up + lean, bar, color)


def wires(canvas: Canvas, rng: Generator, near: float) -> None:
    """Poles and the cables that hang between them."""
    along, side = heading(rng), rng.uniform(-0.4, 0.4)
    place = vector(side * near, 0, near)
    high, span = rng.uniform(4, 9), rng.uniform(15, 40)
    color, dark = metal(rng) * 0.6, vector(0.06, 0.06, 0.06)
    tops = []
    for index in range(-1, 4):
        foot = place + along * span * index
        canvas.stroke(foot, foot + vector(0, high, 0), rng.uniform(0.06, 0.15), color)
        tops.append(foot + vector(0, high, 0))
    across = vector(-along[2], 0, along[0])
    sag = rng.uniform(0.2, 1.2)
    parts = np.linspace(0, 1, 9, dtype=np.float32)[:, None]
    for offset in rng.uniform(-1, 1, int(rng.integers(1, 5))):
        for first, second in pairwise(tops):
            line = first + (second - first) * parts + across * offset
            line[:, 1] -= (4 * sag * parts * (1 - parts))[:, 0] + 0.2
            canvas.path(line.astype(np.float32), 0.02, dark)


def bicycle(canvas: Canvas, rng: Generator, foot: Vector) -> None:
    """Two wheels with spokes and a frame."""
    along = heading(rng)
    up, color, dark = vector(0, 1, 0), random_color(rng, 1.0), vector(0.05, 0.05, 0.05)
    turn = np.linspace(0, 2 * np.pi, 25, dtype=np.float32)[:, None]
    hubs = [foot + up * 0.34 - along * 0.52, foot + up * 0.34 + along * 0.52]
    for hub in hubs:
        rim = hub + (along * np.cos(turn) + up * np.sin(turn)) * 0.33
        canvas.path(rim.astype(np.float32), 0.022, dark)
        for index in range(0, 24, 3):
            canvas.stroke(hub, rim[index].astype(np.float32), 0.003, vector(0.6, 0.6, 0.6))
    crank, saddle, bars = foot + up * 0.3, foot + up * 0.9 - along * 0.2, foot + up * 0.95 + along * 0.38
    head = foot + up * 0.78 + along * 0.36
    for start, end in ((hubs[0], crank), (hubs[0], saddle), (crank, saddle), (crank, head), (saddle, head)):
        canvas.stroke(start, end, 0.018, color)
    canvas.stroke(hubs[1], bars, 0.018, color)
    side = vector(-along[2], 0, along[0])
    canvas.stroke(bars - side * 0.28, bars + side * 0.28, 0.015, dark)
    canvas.stroke(saddle - along * 0.1, saddle + along * 0.14, 0.04, dark)


def branch(
    canvas: Canvas, rng: Generator, start: Vector, step: Vector, radius: float, color: Vector, left: int
) -> None:
    """A bare branch that forks."""
    end = (start + step).astype(np.float32)
    canvas.stroke(start, end, radius, color)
    if left == 0:
        return
    for _ in range(int(rng.choice([1, 2, 3], p=[0.2, 0.55, 0.25]))):
        length = float(np.linalg.norm(step)) * rng.uniform(0.55, 0.95)
        turned = step / np.linalg.norm(step) + rng.normal(0, 0.45, 3) + vector(0, 0.08, 0)
        branch(
            canvas,
            rng,
            end,
            (turned / np.linalg.norm(turned) * length).astype(np.float32),
            radius * 0.62,
            color,
            left - 1,
        )


def bare_tree(canvas: Canvas, rng: Generator, foot: Vector) -> None:
    """A tree in winter."""
    tall = rng.uniform(3, 10)
    color = random_color(rng, 0.15) * 0.35
    branch(canvas, rng, foot, vector(0, tall * 0.28, 0), tall * rng.uniform(0.012, 0.03), color, 5)


def twig(canvas: Canvas, rng: Generator) -> None:
    """A branch that reaches into the picture from its border, close to the eye, with leaves or blossoms."""
    depth = rng.uniform(0.5, 3.0)
    reach = depth * canvas.width / canvas.focal
    side = rng.choice([-1.0, 1.0])
    start = canvas.origin + vector(side * reach * 0.55, rng.uniform(-0.3, 0.5) * reach, depth)
    step = vector(-side * rng.uniform(0.1, 0.25), rng.normal(0, 0.08), rng.normal(0, 0.05)) * reach
    color = random_color(rng, 0.2) * 0.4
    branch(canvas, rng, start, step, 0.008 * reach, color, 3)
    leaf = Texture(np.broadcast_to(random_color(rng, 0.7), (128, 128, 3)).astype(np.float32))
    for _ in range(int(rng.integers(0, 14))):
        center = start + step * rng.uniform(0.3, 2.5) + rng.normal(0, 0.06, 3) * reach
        canvas.ellipsoid(center.astype(np.float32), (reach * rng.uniform(0.008, 0.03, 3)).astype(np.float32), leaf)


def stems(canvas: Canvas, rng: Generator, place: Vector, shelf: Shelf) -> None:
    """A tuft of grass, flowers or reeds."""
    high, width = rng.uniform(0.2, 1.0), rng.uniform(0.1, 0.8)
    green = vector(0.2, 0.35, 0.1) * rng.uniform(0.4, 2.0) * np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
    bloom = Texture(np.broadcast_to(random_color(rng, 1.0), (128, 128, 3)).astype(np.float32))
    flowers = rng.random() < 0.6
    parts = np.linspace(0, 1, 6, dtype=np.float32)[:, None]
    for _ in range(int(rng.integers(4, 30))):
        foot = place + vector(rng.normal(0, width), 0, rng.normal(0, width))
        lean = vector(rng.normal(0, 0.3), 1, rng.normal(0, 0.3)) * high * rng.uniform(0.6, 1.2)
        line = foot + lean * parts + vector(rng.normal(0, 0.2), 0, 0) * high * parts**2
        canvas.path(line.astype(np.float32), 0.006 + 0.006 * rng.random(), green * rng.uniform(0.6, 1.4))
        if flowers and rng.random() < 0.6:
            canvas.ellipsoid(line[-1].astype(np.float32), vector(1, 0.6, 1) * high * rng.uniform(0.03, 0.1), bloom)


def chair(canvas: Canvas, rng: Generator, foot: Vector, shelf: Shelf) -> None:
    """A seat or a table top on four legs; a chair also has a back of bars."""
    is_table = rng.random() < 0.4
    along = heading(rng)
    side, up = vector(-along[2], 0, along[0]), vector(0, 1, 0)
    high = rng.uniform(0.4, 0.5) if not is_table else rng.uniform(0.45, 0.8)
    half, depth = (rng.uniform(0.2, 0.25), 0.22) if not is_table else (rng.uniform(0.3, 0.9), rng.uniform(0.3, 0.5))
    color = random_color(rng, 0.3)
    radius = rng.uniform(0.012, 0.03)
    corners = [foot + along * half * i + side * depth * j for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    for corner in corners:
        canvas.stroke(corner, corner + up * high, radius, color)
    turn = float(np.arctan2(along[2], along[0]))
    top = (
        Texture(np.broadcast_to(color, (128, 128, 3)).astype(np.float32)) if rng.random() < 0.6 else shelf.texture(rng)
    )
    canvas.box(foot + up * (high - 0.02), vector(2 * half, 0.04, 2 * depth), turn, top, top, 1.0)
    if not is_table:
        back = up * (high + rng.uniform(0.35, 0.55))
        for share in np.linspace(0, 1, int(rng.integers(2, 6))):
            base = corners[0] + (corners[3] - corners[0]) * share
            canvas.stroke(base + up * high, base + back, radius * 0.8, color)
        canvas.stroke(corners[0] + back, corners[3] + back, radius * 1.5, color)


def lamp(canvas: Canvas, rng: Generator, foot: Vector, high: float) -> None:
    """A street lamp or a standard lamp."""
    color = metal(rng)
    canvas.stroke(foot, foot + vector(0, high, 0), high * 0.012, color)
    glow = Texture(np.full((128, 128, 3), rng.uniform(0.5, 1.0), np.float32))
    canvas.ellipsoid(foot + vector(0, high, 0), vector(1, 0.8, 1) * high * rng.uniform(0.03, 0.08), glow)


def net(canvas: Canvas, rng: Generator) -> None:
    """Wire netting or window bars close to the eye, across the picture."""
    depth, spacing = rng.uniform(0.4, 1.5), rng.uniform(0.06, 0.25)
    half = depth * canvas.width / canvas.focal
    color, radius = metal(rng), rng.uniform(0.002, 0.012) * depth
    lean = rng.choice([0.0, 0.0, 1.0])
    turn = rng.normal(0, 0.2)
    for part in np.arange(-half, half, max(spacing, half / 30)):
        shift = vector(part, 0, depth + part * turn) + canvas.origin
        canvas.stroke(shift - vector(lean * half, half, 0), shift + vector(lean * half, half, 0), radius, color)
        if lean:
            canvas.stroke(shift + vector(half, -half, 0), shift + vector(-half, half, 0), radius, color)
    if not lean and rng.random() < 0.5:
        for level in np.arange(-half, half, spacing * 3):
            ends = [canvas.origin + vector(x, level, depth + x * turn) for x in (-half, half)]
            canvas.stroke(ends[0], ends[1], radius, color)


def scatter(canvas: Canvas, rng: Generator, shelf: Shelf, near: float, far: float, *, inside: bool) -> None:
    """One to five thin things on the ground between two distances."""
    for _ in range(int(rng.integers(1, 6))):
        z = float(np.exp(rng.uniform(np.log(near), np.log(far))))
        place = vector(rng.uniform(-0.5, 0.5) * z * canvas.width / canvas.focal, 0, z)
        kind = rng.random()
        if inside:
            if kind < 0.7:
                chair(canvas, rng, place, shelf)
            elif kind < 0.85:
                lamp(canvas, rng, place, rng.uniform(1.2, 1.9))
            else:
                stems(canvas, rng, place, shelf)
        elif kind < 0.3:
            railing(canvas, rng, place)
        elif kind < 0.45:
            bicycle(canvas, rng, place)
        elif kind < 0.6:
            bare_tree(canvas, rng, place + vector(0, 0, 4))
        elif kind < 0.75:
            stems(canvas, rng, place, shelf)
        elif kind < 0.85:
            lamp(canvas, rng, place, rng.uniform(2.5, 7.0))
        elif kind < 0.93:
            wires(canvas, rng, max(z, 6.0))
        else:
            chair(canvas, rng, place, shelf)
