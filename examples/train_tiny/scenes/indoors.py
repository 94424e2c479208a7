"""Indoor scenes: rooms, corridors and objects on a table. Each function returns a filled Canvas."""

import numpy as np
from canvas import Canvas, Light, vector
from textures import Texture, noise, random_color
from worlds import Props, shadow, sky, stand

Generator = np.random.Generator


def room(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """Floor, ceiling, three walls with pictures and windows, furniture of boxes and round bodies, people."""
    light = Light(
        vector(rng.normal(0, 0.5), 1, rng.normal(-0.5, 0.5)), float(rng.uniform(0.1, 0.5)), vector(1, 1, 1), 1e5
    )
    light = light._replace(direction=light.direction / np.linalg.norm(light.direction))
    canvas = Canvas(height, width, rng.uniform(0.8, 1.5), rng.normal(0.15, 0.2), rng.uniform(0.8, 1.8), light)
    sky(canvas, rng)
    corridor = rng.random() < 0.3
    half, back, tall = (
        (rng.uniform(0.8, 1.8), rng.uniform(6, 30), rng.uniform(2.2, 3.5))
        if corridor
        else (rng.uniform(1.5, 4), rng.uniform(2.5, 8), rng.uniform(2.3, 3.5))
    )
    turn = rng.normal(0, 0.15 if corridor else 0.4)
    ahead, side = vector(np.sin(turn), 0, np.cos(turn)), vector(np.cos(turn), 0, -np.sin(turn))
    canvas.plane(vector(0, 0, 0), vector(0, 1, 0), side, props.shelf.texture(rng), rng.uniform(0.4, 3))
    pale = Texture(
        np.clip(random_color(rng, 0.1) * 0.3 + 0.6 + 0.1 * noise(rng, 128, 128, 3)[:, :, None], 0, 1).astype(np.float32)
    )
    canvas.plane(vector(0, tall, 0), vector(0, -1, 0), side, pale, 3)
    walls = pale if rng.random() < 0.5 else props.shelf.texture(rng)
    up = vector(0, 1, 0)
    for normal, point in ((-ahead, ahead * back), (side, -side * half), (-side, side * half)):
        canvas.plane(point, normal, np.cross(normal, up).astype(np.float32), walls, rng.uniform(1, 4))
        for _ in range(int(rng.integers(0, 3))):
            u, v, wide, high = (
                rng.uniform(-half, half),
                rng.uniform(0.8, tall - 0.5),
                rng.uniform(0.3, 1.5),
                rng.uniform(0.3, 1.2),
            )
            across = np.cross(normal, up).astype(np.float32)
            along = np.cross(normal, across)
            center = point + across * u + up * v + normal * 0.02
            sign = float(along[1])
            picture = Texture(props.shelf.photograph(rng, 128, 128, 0.4))
            canvas.plane(
                center,
                normal,
                across,
                picture,
                wide,
                limits=(-wide / 2, wide / 2, -high / 2, high / 2) if sign else (-1, 1, -1, 1),
            )
    for _ in range(int(rng.integers(2, 10))):
        place = ahead * rng.uniform(1.2, back) + side * rng.uniform(-half, half)
        size = rng.uniform([0.3, 0.2, 0.3], [1.6, 1.4, 1.2]).astype(np.float32)
        shadow(canvas, place, float(size[0]) * 0.8, float(size[2]) * 0.8)
        canvas.box(
            place,
            size,
            turn + rng.choice([0, np.pi / 2]) + rng.normal(0, 0.2),
            props.shelf.texture(rng),
            props.shelf.texture(rng),
            rng.uniform(0.5, 2),
        )
        if rng.random() < 0.4:
            radius = rng.uniform(0.08, 0.3)
            canvas.ellipsoid(
                place + vector(0, float(size[1]) + radius * 0.8, 0),
                radius * rng.uniform(0.7, 1.3, 3).astype(np.float32),
                props.shelf.texture(rng),
            )
    for _ in range(int(rng.integers(0, 3))):
        stand(
            canvas,
            props.pick(rng, ("person", "animal", "blob", "statue")),
            ahead * rng.uniform(1.3, back) + side * rng.uniform(-half, half),
            rng.uniform(0.5, 1.9),
        )
    return canvas


def tabletop(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """Cups, fruit, boxes and toys on a surface seen from above, a wall or a room behind."""
    light = Light(
        vector(rng.normal(0, 0.5), 1, rng.normal(-0.3, 0.5)), float(rng.uniform(0.1, 0.6)), vector(1, 1, 1), 1e5
    )
    light = light._replace(direction=light.direction / np.linalg.norm(light.direction))
    canvas = Canvas(height, width, rng.uniform(0.5, 1.1), rng.uniform(0.1, 1.1), rng.uniform(0.3, 0.9), light)
    canvas.color[:] = random_color(rng, 0.2)
    canvas.plane(vector(0, 0, 0), vector(0, 1, 0), vector(1, 0, 0), props.shelf.texture(rng), rng.uniform(0.2, 2))
    canvas.plane(
        vector(0, 0, rng.uniform(1.2, 6)),
        vector(0, 0, -1),
        vector(1, 0, 0),
        Texture(props.shelf.photograph(rng, 128, 128, 0.5)),
        rng.uniform(1.5, 5),
    )
    focus = canvas.eye / max(np.tan(np.arcsin(canvas.sine)), 0.25)
    for _ in range(int(rng.integers(1, 9))):
        place = vector(rng.uniform(-0.35, 0.35) * focus, 0, focus * rng.uniform(0.6, 1.5))
        radius, kind = rng.uniform(0.04, 0.2), rng.random()
        shadow(canvas, place, radius * 1.2, radius * 1.6)
        if kind < 0.45:
            radii = radius * rng.uniform(0.6, 1.3, 3).astype(np.float32)
            canvas.ellipsoid(place + vector(0, float(radii[1]), 0), radii, props.shelf.texture(rng))
        elif kind < 0.75:
            canvas.box(
                place,
                (2 * radius * rng.uniform(0.4, 1.4, 3)).astype(np.float32),
                rng.uniform(0, 3),
                props.shelf.texture(rng),
                props.shelf.texture(rng),
                0.2,
            )
        else:
            stand(canvas, props.pick(rng, ("blob", "statue", "flower", "animal")), place, radius * 3)
    return canvas


def still_life(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """Many things close together before a busy board or shelf; all within a few meters."""
    light = Light(vector(0.3, 0.9, -0.3), float(rng.uniform(0.1, 0.5)), vector(1, 1, 1), 1e5)
    canvas = Canvas(height, width, rng.uniform(0.5, 1.1), rng.uniform(-0.05, 0.45), rng.uniform(0.3, 1.0), light)
    canvas.color[:] = random_color(rng, 0.2)
    far = rng.uniform(1.8, 4.0)
    near = far * rng.uniform(0.35, 0.7)
    canvas.plane(vector(0, 0, 0), vector(0, 1, 0), vector(1, 0, 0), props.shelf.texture(rng), rng.uniform(0.3, 2))
    turn = rng.normal(0, 0.25)
    normal, across = vector(np.sin(turn), 0, -np.cos(turn)), vector(np.cos(turn), 0, np.sin(turn))
    picture = props.shelf.photograph(rng, 128, 128, 0.3) if rng.random() < 0.6 else props.shelf.texture(rng).tile
    canvas.plane(vector(0, 0, far), normal, across, Texture(picture), rng.uniform(0.5, 2.5))
    for _ in range(int(rng.integers(0, 4))):
        size = rng.uniform([0.1, 0.1, 0.05], [0.9, 0.9, 0.4]).astype(np.float32)
        place = vector(rng.uniform(-0.5, 0.5) * far, 0, rng.uniform(near, far))
        canvas.box(place, size, rng.normal(0, 0.4), props.shelf.texture(rng), props.shelf.texture(rng), 0.5)
    wide = canvas.width / canvas.focal
    for distance in np.sort(rng.uniform(near, far * 0.98, int(rng.integers(4, 16))))[::-1]:
        place = vector(rng.uniform(-0.5, 0.5) * distance * wide, 0, float(distance))
        item = props.pick(rng, ("statue", "statue", "blob", "blob", "flower", "animal", "bust", "stems"), 0.15)
        tall = float(distance) * wide * rng.uniform(0.1, 0.5)
        if rng.random() < 0.3:
            place[1] = rng.uniform(0, 0.7) * canvas.eye
        shadow(canvas, place, tall * 0.3, tall * 0.3)
        canvas.cutout(place, tall, item.alpha, item.color, tall * rng.uniform(0.1, 0.4), item.bulge)
    return canvas
