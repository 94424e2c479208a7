"""Flat things that look deep: fronts with doors and windows, pictures of pictures, screens, mirrors, wet ground."""

import cv2
import numpy as np
from canvas import Canvas, Light, Plane, vector
from dressing import figure
from textures import Shelf, Texture, noise, procedural, random_color
from worlds import Props, daylight, ground, sky, stand

Generator = np.random.Generator
WIDE, HIGH = 384, 256


def pane(rng: Generator, shelf: Shelf, height: int, width: int) -> Plane:
    """Glass: dark, curtained, lit, or with a faint reflection of a picture."""
    kind = rng.random()
    if kind < 0.35:
        return np.full((height, width, 3), rng.uniform(0.02, 0.3), np.float32)
    if kind < 0.75:
        reflection = shelf.photograph(rng, max(height, 8), max(width, 8), 0.3)[:height, :width]
        return np.asarray(reflection * rng.uniform(0.25, 0.9) + rng.uniform(0, 0.2), np.float32)
    color = random_color(rng, 0.3)
    folds = 0.7 + 0.3 * np.sin(np.arange(width) * rng.uniform(0.3, 1.2))
    return np.clip(np.broadcast_to(color * folds[None, :, None], (height, width, 3)), 0, 1).astype(np.float32)


def opening(wall: Plane, rng: Generator, shelf: Shelf, box: tuple[int, int, int, int], style: Generator) -> None:
    """A window or a door inside (left, top, width, height), drawn into the wall; `style` repeats along the front."""
    left, top, wide, high = box
    if wide < 6 or high < 6:
        return
    frame, bars = random_color(style, 0.2), int(style.integers(0, 4))
    edge = max(int(min(wide, high) * style.uniform(0.04, 0.14)), 1)
    shutters, arch, is_wood = style.random() < 0.35, style.random() < 0.2, style.random() < 0.25
    part = wall[top : top + high, left : left + wide]
    panel = random_color(style, 0.4)
    inner = pane(rng, shelf, high, wide) if not is_wood else np.broadcast_to(panel, part.shape).copy()
    if arch:
        y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
        round_top = ((x - wide / 2) / (wide / 2)) ** 2 + ((y - wide / 2) / (wide / 2)) ** 2 < 1
        part[(y > wide / 2) | round_top] = inner[(y > wide / 2) | round_top]
    else:
        part[:] = inner
        cv2.rectangle(part, (0, 0), (wide - 1, high - 1), frame.tolist(), edge)
    for bar in range(1, bars + 1):
        x = int(wide * bar / (bars + 1))
        cv2.line(part, (x, 0), (x, high), frame.tolist(), max(edge // 2, 1), cv2.LINE_AA)
    if bars:
        cv2.line(part, (0, high // 2), (wide, high // 2), frame.tolist(), max(edge // 2, 1), cv2.LINE_AA)
    if shutters:
        color = random_color(style, 0.6)
        for start in (max(left - wide // 2, 0), left + wide):
            shutter = wall[top : top + high, start : min(start + wide // 2, wall.shape[1])]
            slats = 0.75 + 0.25 * np.sign(np.sin(np.arange(len(shutter)) * 1.6))
            shutter[:] = (color * slats[:, None, None]).astype(np.float32)
    if style.random() < 0.5:
        wall[top + high : top + high + edge, left : left + wide] *= 0.6  # shadow of the sill


def front_texture(rng: Generator, shelf: Shelf) -> Texture:
    """A wall with rows of windows, doors, sometimes shop windows, signs and drain pipes; (HIGH, WIDE, 3)."""
    base = procedural(rng) if rng.random() < 0.5 else np.broadcast_to(random_color(rng, 0.25), (128, 128, 3))
    wall = np.tile(cv2.resize(np.ascontiguousarray(base, np.float32), (128, 128)), (2, 3, 1))
    wall = wall * (0.8 + 0.4 * noise(rng, HIGH, WIDE, 6))[:, :, None]
    rows, columns = int(rng.integers(1, 5)), int(rng.integers(2, 7))
    cell_y, cell_x = HIGH // rows, WIDE // columns
    wide, high = int(cell_x * rng.uniform(0.3, 0.6)), int(cell_y * rng.uniform(0.4, 0.7))
    seed = int(rng.integers(1 << 30))
    for row in range(rows):
        for column in range(columns):
            if rng.random() < 0.1:
                continue
            box = (column * cell_x + (cell_x - wide) // 2, row * cell_y + (cell_y - high) // 2, wide, high)
            if row == rows - 1 and rng.random() < 0.4:
                box = (box[0], HIGH - int(cell_y * 0.85), wide, int(cell_y * 0.85))
            opening(wall, rng, shelf, box, np.random.default_rng(seed if row < rows - 1 else (seed, column)))
    for _ in range(int(rng.integers(0, 4))):
        x, y = int(rng.integers(0, WIDE - 60)), int(rng.integers(0, HIGH - 30))
        sign = np.full((int(rng.integers(8, 24)), int(rng.integers(20, 60)), 3), 255 * random_color(rng, 0.9), np.uint8)
        ink = (255 * random_color(rng, 0.9)).tolist()
        cv2.putText(sign, "ABCDEFG"[: int(rng.integers(2, 7))], (2, len(sign) - 3), 0, len(sign) / 40, ink, 1)
        wall[y : y + len(sign), x : x + sign.shape[1]] = sign / 255.0
    if rng.random() < 0.4:
        x = int(rng.integers(0, WIDE))
        cv2.line(wall, (x, 0), (x, HIGH), (random_color(rng) * 0.5).tolist(), int(rng.integers(1, 4)))
    return Texture(np.clip(wall, 0, 1).astype(np.float32))


def plain_front(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """A flat front with all that is on it in its plane; at times people, trees and thin things before it."""
    canvas = Canvas(
        height, width, rng.uniform(0.5, 1.3), rng.normal(-0.05, 0.12), rng.uniform(1.2, 6), daylight(rng, 2000.0)
    )
    sky(canvas, rng)
    ground(canvas, rng, props, str(rng.choice(["plain", "road", "any", "lawn"])))
    turn = rng.uniform(-1.1, 1.1)
    normal, across = vector(np.sin(turn), 0, -np.cos(turn)), vector(np.cos(turn), 0, np.sin(turn))
    distance, tall = rng.uniform(4, 16), rng.uniform(5, 20)
    wide = tall * WIDE / HIGH
    start = -wide * rng.uniform(0.3, 0.7)
    up = float(np.cross(normal, across)[1]) > 0
    for index in range(-2, 3):
        limits = (start + index * wide, start + (index + 1) * wide, *((0.0, tall) if up else (-tall, 0.0)))
        canvas.plane(
            vector(0, 0, distance), normal, across, front_texture(rng, props.shelf), 1.0, limits=limits, once=True
        )
    for _ in range(int(rng.integers(0, 5))):
        place = vector(rng.uniform(-0.5, 0.5) * distance, 0, rng.uniform(2.5, distance * 0.85))
        stand(canvas, props.pick(rng, ("person", "person", "tree", "animal", "statue")), place, rng.uniform(0.8, 2.5))
    return canvas


def picture_of(rng: Generator, shelf: Shelf) -> Plane:
    """What hangs on a wall or lies on a table: a photograph, a painting, a line drawing, a page; (128, 128, 3)."""
    photo = shelf.photograph(rng, 128, 128, 0.5)
    kind = rng.random()
    if kind < 0.5:
        return photo
    if kind < 0.65:
        return cv2.medianBlur((photo * 255).astype(np.uint8), 9).astype(np.float32) / 255.0
    if kind < 0.8:
        gray = cv2.cvtColor((photo * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
        ink = 1.0 - cv2.dilate(cv2.Canny(gray, 60, 160), np.ones((2, 2), np.uint8)) / 255.0
        return np.repeat(ink[:, :, None], 3, axis=2).astype(np.float32) * rng.uniform(0.8, 1.0)
    page = np.full((128, 128, 3), rng.uniform(0.8, 1.0), np.float32)
    for y in range(10, 120, int(rng.integers(5, 10))):
        cv2.line(page, (10, y), (int(rng.integers(60, 118)), y), (0.2, 0.2, 0.2), 1)
    return page


def gallery(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """A wall with pictures, screens or mirrors, seen straight or at an angle: their content is flat."""
    light = Light(vector(0.3, 0.8, -0.5), float(rng.uniform(0.1, 0.4)), vector(1, 1, 1), 1e5)
    canvas = Canvas(height, width, rng.uniform(0.6, 1.3), rng.normal(0.05, 0.15), rng.uniform(1.0, 1.8), light)
    canvas.color[:] = random_color(rng, 0.2)
    canvas.plane(vector(0, 0, 0), vector(0, 1, 0), vector(1, 0, 0), props.shelf.texture(rng), rng.uniform(0.4, 3))
    turn = rng.uniform(-0.9, 0.9)
    normal, across = vector(np.sin(turn), 0, -np.cos(turn)), vector(np.cos(turn), 0, np.sin(turn))
    distance = rng.uniform(1.2, 5)
    plain = (
        np.broadcast_to(random_color(rng, 0.2) * 0.5 + 0.4, (128, 128, 3))
        * (0.95 + 0.05 * noise(rng, 128, 128, 4))[:, :, None]
    )
    wall = Texture(np.clip(plain, 0, 1).astype(np.float32)) if rng.random() < 0.7 else props.shelf.texture(rng)
    canvas.plane(vector(0, 0, distance), normal, across, wall, rng.uniform(1, 3))
    up = 1.0 if float(np.cross(normal, across)[1]) > 0 else -1.0
    reach = distance * width / canvas.focal
    for _ in range(int(rng.integers(1, 6))):
        wide, high = rng.uniform(0.2, 1.0, 2) * reach * rng.uniform(0.4, 1.0)
        u, v = rng.uniform(-0.5, 0.5) * reach, up * max(canvas.eye + rng.uniform(-0.3, 0.4) * reach, high / 2 + 0.05)
        frame, point = 0.06 * min(wide, high), vector(0, 0, distance) + normal * 0.02
        border = Texture(np.broadcast_to(random_color(rng, 0.3), (128, 128, 3)).astype(np.float32))
        for size, texture, lift in ((frame, border, 0.0), (0.0, Texture(picture_of(rng, props.shelf)), 0.001)):
            limits = (u - wide / 2 - size, u + wide / 2 + size, v - high / 2 - size, v + high / 2 + size)
            canvas.plane(point + normal * lift, normal, across, texture, 1.0, limits=limits, once=True)
    for _ in range(int(rng.integers(0, 4))):
        place = vector(rng.uniform(-0.4, 0.4) * reach, 0, rng.uniform(0.5, 0.9) * distance)
        item = props.pick(rng, ("person", "statue", "flower", "animal"), 0.3)
        stand(canvas, item, place, rng.uniform(0.3, 1.0) * distance * 0.5)
    return canvas


def mirrored_in_water(canvas: Canvas, rng: Generator) -> None:
    """Ground that reflects what stands above the horizon, as water and wet streets do; its depth stays the ground's."""
    horizon = round(canvas.height / 2 - canvas.focal * canvas.sine / canvas.cosine)
    rows = np.arange(max(horizon, 0), canvas.height)
    source = np.clip(2 * horizon - rows, 0, canvas.height - 1)
    level = (canvas.rays[:, :, 1] * -1.0 / canvas.eye).clip(0)
    is_ground = np.abs(canvas.inverse - level) < 0.02 * level
    reflection = cv2.blur(np.ascontiguousarray(canvas.color[source]), (1, int(rng.integers(1, 8))))
    share = rng.uniform(0.3, 0.85) * is_ground[rows][:, :, None]
    canvas.color[rows] += (reflection * rng.uniform(0.6, 1.0) - canvas.color[rows]) * share


def before_leaves(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """A small subject, or a few, before a hedge, a wall of leaves or another busy, nearly flat background."""
    canvas = Canvas(
        height, width, rng.uniform(0.4, 1.1), rng.normal(0.05, 0.12), rng.uniform(0.5, 1.8), daylight(rng, 1e4)
    )
    canvas.color[:] = random_color(rng, 0.2)
    ground(canvas, rng, props, str(rng.choice(["lawn", "any", "plain"])))
    far = rng.uniform(3, 12)
    turn = rng.normal(0, 0.25)
    normal, across = vector(np.sin(turn), 0, -np.cos(turn)), vector(np.cos(turn), 0, np.sin(turn))
    leaves = props.shelf.texture(rng, "foliage" if rng.random() < 0.75 else "any")
    canvas.plane(vector(0, 0, far), normal, across, leaves, rng.uniform(0.5, 4))
    for _ in range(int(rng.integers(0, 25))):
        z = far * rng.uniform(0.8, 0.99)
        spot = vector(rng.uniform(-0.6, 0.6) * z * width / canvas.focal, rng.uniform(0, 1.2) * canvas.eye, z)
        canvas.ellipsoid(spot, (far * rng.uniform(0.02, 0.12, 3)).astype(np.float32), leaves)
    if rng.random() < 0.5:
        cv2.GaussianBlur(canvas.color, (0, 0), rng.uniform(0.6, 5.0), dst=canvas.color)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))):
        z = far * rng.uniform(0.3, 0.75)
        view = z * height / canvas.focal
        item = props.pick(rng, ("animal", "flower", "person", "blob", "stems"), 0.35)
        place = vector(rng.uniform(-0.35, 0.35) * z * width / canvas.focal, 0, z)
        if rng.random() < 0.4:
            place[1] = rng.uniform(0, 0.8) * canvas.eye
        canvas.cutout(place, view * rng.uniform(0.12, 0.5), item.alpha, item.color, view * 0.06, item.bulge)
    return canvas


def tall_at_border(canvas: Canvas, rng: Generator, props: Props) -> None:
    """A house, a trunk or a wall that fills the picture's left or right border from a middle distance."""
    distance = float(np.exp(rng.uniform(np.log(3), np.log(40))))
    side = rng.choice([-1.0, 1.0])
    edge = 0.5 * distance * canvas.width / canvas.focal
    if rng.random() < 0.5:
        size = vector(rng.uniform(0.3, 1.2) * edge, rng.uniform(1.0, 3.0) * edge + canvas.eye, rng.uniform(1, 20))
        wall = props.shelf.texture(rng, "facade" if rng.random() < 0.5 else "any")
        place = vector(side * (edge * rng.uniform(0.9, 1.1) + size[0] * 0.3), 0, distance + size[2] / 2)
        canvas.box(place, size, rng.normal(0, 0.15), wall, wall, rng.uniform(2, 6))
    else:
        item = figure(rng, props.shelf, "tree")
        stand(canvas, item, vector(side * edge * rng.uniform(0.6, 1.0), 0, distance), edge * rng.uniform(1.5, 4), 0.2)
