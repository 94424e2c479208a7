"""Cut-out shapes: people, busts, animals, trees, flowers, soft blobs, statues; (h, w) float32 masks in [0, 1]."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from textures import noise

Generator = np.random.Generator
Plane = NDArray[np.float32]
TALL = 192


class Pen:
    """Draws filled shapes in a picture whose unit is its height."""

    def __init__(self, height: int, width: int) -> None:
        self.mask = np.zeros((height, width), np.uint8)
        self.unit = float(height)

    def point(self, x: float, y: float) -> tuple[int, int]:
        """Units -> pixels with 3 fractional bits; x from the middle, y from the top."""
        return int((x * self.unit + self.mask.shape[1] / 2) * 8), int(y * self.unit * 8)

    def ellipse(self, x: float, y: float, wide: float, high: float, degrees: float = 0.0) -> None:
        """A filled ellipse by its half axes."""
        axes = (int(max(wide * self.unit, 0.5) * 8), int(max(high * self.unit, 0.5) * 8))
        cv2.ellipse(self.mask, self.point(x, y), axes, degrees, 0, 360, 255, -1, cv2.LINE_AA, 3)

    def limb(self, start: tuple[float, float], end: tuple[float, float], first: float, last: float) -> None:
        """A tapering limb with round ends."""
        for part in np.linspace(0, 1, 14):
            radius = first + (last - first) * part
            self.ellipse(start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part, radius, radius)

    def polygon(self, points: NDArray[np.float64]) -> None:
        """A filled polygon, (K, 2) in units."""
        pixels = np.array([self.point(float(x), float(y)) for x, y in points], np.int32)
        cv2.fillPoly(self.mask, [pixels], 255, cv2.LINE_AA, 3)

    def finish(self) -> Plane:
        """The mask as float."""
        return self.mask.astype(np.float32) / 255.0


def person(rng: Generator) -> Plane:
    """A standing or walking person with random arms."""
    pen = Pen(TALL, int(TALL * 0.8))
    head, shoulder, hip = 0.075 * rng.uniform(0.9, 1.15), rng.uniform(0.1, 0.14), rng.uniform(0.07, 0.11)
    lean = rng.normal(0, 0.03)
    pen.ellipse(lean, 0.02 + head, head * 0.8, head)
    pen.limb((lean, 0.12), (lean * 0.7, 0.2), 0.035, 0.04)
    pen.polygon(np.array([[lean - shoulder, 0.21], [lean + shoulder, 0.21], [hip, 0.53], [-hip, 0.53]]))
    pen.limb((lean - shoulder * 0.8, 0.22), (lean + shoulder * 0.8, 0.22), 0.035, 0.035)
    if rng.random() < 0.3:
        flare = rng.uniform(0.1, 0.2)
        pen.polygon(
            np.array([[-hip, 0.45], [hip, 0.45], [flare, rng.uniform(0.65, 0.98)], [-flare, rng.uniform(0.65, 0.98)]])
        )
    for side in (-1.0, 1.0):
        elbow = (lean + side * (shoulder + rng.uniform(-0.02, 0.1)), 0.37 + rng.uniform(-0.1, 0.03))
        hand = (elbow[0] + rng.normal(0, 0.09), elbow[1] + rng.uniform(-0.14, 0.15))
        pen.limb((lean + side * shoulder, 0.23), elbow, 0.035, 0.028)
        pen.limb(elbow, hand, 0.028, 0.022)
        knee = (side * (hip * 0.6 + rng.uniform(0, 0.05)), 0.74 + rng.uniform(-0.03, 0.02))
        foot = (knee[0] + rng.normal(0, 0.05), 0.965)
        pen.limb((side * hip * 0.55, 0.52), knee, 0.055, 0.04)
        pen.limb(knee, foot, 0.04, 0.026)
        pen.ellipse(foot[0] + side * 0.015, 0.98, 0.04, 0.018)
    return pen.finish()


def bust(rng: Generator) -> Plane:
    """Head and shoulders, cut off by the lower border, as in a portrait."""
    pen = Pen(TALL, int(TALL * rng.uniform(0.9, 1.5)))
    head = rng.uniform(0.17, 0.3)
    lean = rng.normal(0, 0.05)
    top = rng.uniform(0.02, 0.1)
    pen.ellipse(lean, top + head, head * rng.uniform(0.68, 0.85), head, rng.normal(0, 8))
    if rng.random() < 0.6:
        wide = head * rng.uniform(0.85, 1.4)
        pen.ellipse(lean, top + head * 0.85, wide, head * rng.uniform(0.85, 1.0))
        if rng.random() < 0.5:
            pen.polygon(
                np.array(
                    [
                        [lean - wide, top + head],
                        [lean + wide, top + head],
                        [lean + wide * 0.9, top + 2.6 * head],
                        [lean - wide * 0.9, top + 2.6 * head],
                    ]
                )
            )
    if rng.random() < 0.2:
        pen.ellipse(lean, top + head * 0.5, head * rng.uniform(1.1, 1.7), head * 0.22, rng.normal(0, 6))
    neck = top + head * 1.75
    pen.limb((lean, neck), (lean * 0.5, neck + 0.12), head * 0.42, head * 0.45)
    shoulder = head * rng.uniform(1.5, 2.3)
    y = neck + head * rng.uniform(0.3, 0.6)
    curve = [
        [lean * 0.5 + shoulder * np.sin(a), y + shoulder * 0.55 * (1 - np.cos(a))] for a in np.linspace(-1.5, 1.5, 24)
    ]
    pen.polygon(np.array([[curve[0][0] * 1.1, 1.1], *curve, [curve[-1][0] * 1.1, 1.1]]))
    return pen.finish()


def animal(rng: Generator) -> Plane:
    """A standing or sitting animal with four legs, or a bird."""
    kind = rng.random()
    pen = Pen(TALL, int(TALL * 1.5))
    if kind < 0.5:
        long, thick, y = rng.uniform(0.3, 0.5), rng.uniform(0.13, 0.22), rng.uniform(0.4, 0.6)
        pen.ellipse(0, y, long, thick)
        neck = (long * 1.05, y - rng.uniform(0.02, 0.28))
        pen.limb((long * 0.75, y - thick * 0.2), neck, thick * 0.8, thick * 0.5)
        pen.ellipse(neck[0] + 0.07, neck[1], rng.uniform(0.1, 0.16), rng.uniform(0.07, 0.11), rng.normal(15, 15))
        pen.limb(neck, (neck[0] - 0.02, neck[1] - rng.uniform(0.1, 0.16)), 0.045, 0.015)
        for x in (-0.85, -0.6, 0.55, 0.8):
            foot = x * long + rng.normal(0, 0.05)
            pen.limb((x * long, y + thick * 0.4), (foot, 0.98), rng.uniform(0.05, 0.07), 0.03)
        pen.limb((-long * 0.95, y), (-long * 1.2, y + rng.uniform(-0.3, 0.3)), 0.04, 0.015)
    elif kind < 0.8:
        pen.ellipse(0, 0.72, rng.uniform(0.2, 0.36), 0.34, rng.normal(0, 8))
        head, x = rng.uniform(0.14, 0.24), rng.normal(0, 0.07)
        pen.ellipse(x, 0.1 + head, head * rng.uniform(0.85, 1.2), head)
        for side in (-1, 1):
            ear = x + side * head * 0.7
            pen.polygon(
                np.array(
                    [
                        [ear - head * 0.35, 0.12 + head * 0.5],
                        [ear + head * 0.35, 0.12 + head * 0.5],
                        [ear + side * 0.04, 0.02],
                    ]
                )
            )
    else:
        pen.ellipse(0, 0.55, rng.uniform(0.14, 0.22), 0.36, rng.normal(0, 25))
        pen.ellipse(rng.normal(0, 0.08), 0.2, 0.13, 0.14)
        pen.limb((0, 0.7), (rng.normal(0, 0.2), 1.0), 0.08, 0.04)
    mask = pen.finish()
    return mask if rng.random() < 0.5 else np.ascontiguousarray(mask[:, ::-1])


def tree(rng: Generator) -> Plane:
    """Trunk and a ragged crown, a conifer, a palm, or bare branches."""
    pen = Pen(TALL, int(TALL * rng.uniform(0.5, 1.1)))
    kind, half = rng.random(), 0.5 * pen.mask.shape[1] / TALL
    trunk = rng.uniform(0.012, 0.045)
    pen.limb((0, 1.0), (rng.normal(0, 0.04), 0.35), trunk, trunk * 0.5)
    if kind < 0.55:
        low = rng.uniform(0.55, 0.9)
        for _ in range(int(rng.integers(8, 26))):
            x, y = rng.normal(0, half * 0.4), rng.uniform(0.1, low)
            radius = rng.uniform(0.06, 0.16)
            pen.ellipse(
                float(np.clip(x, -half + radius, half - radius)), max(y, radius), radius, radius * rng.uniform(0.6, 1)
            )
    elif kind < 0.75:
        for y in np.linspace(0.02, 0.9, 12):
            wide = half * 0.9 * y * rng.uniform(0.75, 1.0)
            pen.polygon(np.array([[0, y - 0.1], [wide, y + 0.07], [-wide, y + 0.07]]))
    else:
        branch(pen, rng, (0.0, 0.6), -np.pi / 2, 0.3, trunk * 0.8, 5)
        if rng.random() < 0.4:
            return pen.finish()
    ragged = noise(rng, *pen.mask.shape, 12, fall=0.9)
    crown = cv2.GaussianBlur(pen.finish(), (0, 0), 2.0)
    return np.asarray(np.clip((crown - rng.uniform(0.3, 0.75) * ragged) * 6 + 0.2, 0, 1), np.float32)


def branch(
    pen: Pen, rng: Generator, start: tuple[float, float], angle: float, length: float, thick: float, depth: int
) -> None:
    """Draw a branch that forks until it is thin."""
    end = (start[0] + length * np.cos(angle), start[1] + length * np.sin(angle))
    pen.limb(start, end, max(thick, 0.004), max(thick * 0.7, 0.003))
    if depth > 0:
        for _ in range(int(rng.integers(2, 4))):
            branch(pen, rng, end, angle + rng.normal(0, 0.55), length * rng.uniform(0.5, 0.75), thick * 0.62, depth - 1)


def flower(rng: Generator) -> Plane:
    """A blossom of many petals, with or without a stem."""
    pen = Pen(TALL, TALL)
    petals, radius = int(rng.integers(5, 16)), rng.uniform(0.2, 0.32)
    middle = rng.uniform(0.32, 0.5)
    if rng.random() < 0.7:
        pen.limb((0, middle), (rng.normal(0, 0.1), 1.1), 0.02, 0.025)
    turn = rng.uniform(0, 6)
    for index in range(petals):
        angle = turn + 2 * np.pi * index / petals
        x, y = 0.6 * radius * np.cos(angle), middle + 0.6 * radius * np.sin(angle)
        pen.ellipse(x, y, radius * 0.55, radius * rng.uniform(0.15, 0.35), float(np.degrees(angle)))
    pen.ellipse(0, middle, radius * 0.6, radius * 0.6)
    return pen.finish()


def blob(rng: Generator) -> Plane:
    """A smooth closed curve by random harmonics: fruit, stone, cushion, anything."""
    pen = Pen(TALL, int(TALL * rng.uniform(0.6, 1.8)))
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radius = np.ones_like(angle)
    for order in range(2, 8):
        radius += rng.normal(0, 0.35 / order**1.3) * np.cos(order * angle + rng.uniform(0, 6))
    radius = np.maximum(radius, 0.25) / np.maximum(radius, 0.25).max() * 0.48
    wide = pen.mask.shape[1] / TALL
    pen.polygon(np.stack([radius * np.cos(angle) * wide, 0.5 + radius * np.sin(angle)], axis=1))
    return pen.finish()


def statue(rng: Generator) -> Plane:
    """A tall, mirror-symmetric shape: column, tower, rocket, vase or pagoda."""
    pen = Pen(TALL, int(TALL * rng.uniform(0.3, 1.0)))
    half = 0.48 * pen.mask.shape[1] / TALL
    steps = int(rng.integers(4, 14))
    rows = np.sort(np.concatenate([[0.02, 1.0], rng.uniform(0.02, 1, steps)]))
    grow = np.linspace(rng.uniform(0.1, 0.9), 1.0, len(rows))
    widths = half * np.clip(rng.uniform(0.35, 1.0, len(rows)) * grow, 0.06, 1)
    if rng.random() < 0.5:
        rows, widths = np.repeat(rows, 2)[1:], np.repeat(widths, 2)[:-1]
    pen.polygon(np.concatenate([np.stack([-widths, rows], 1), np.stack([widths, rows], 1)[::-1]]))
    return pen.finish()


def stems(rng: Generator) -> Plane:
    """A few blades of grass or stalks, bent, some with a bud or an insect on them."""
    pen = Pen(TALL, int(TALL * 1.3))
    for _ in range(int(rng.integers(1, 5))):
        x, lean, bend = rng.uniform(-0.5, 0.5), rng.normal(0, 0.5), rng.normal(0, 0.4)
        thick, end = rng.uniform(0.01, 0.05), rng.uniform(0.0, 0.5)
        parts = np.linspace(0, 1, 10)
        points = [(x + lean * t + bend * t * t, 1.05 - (1.05 - end) * t) for t in parts]
        for t, first, last in zip(parts, points, points[1:], strict=False):
            pen.limb(first, last, thick * (1.05 - t), thick * (0.95 - t) + 0.004)
        if rng.random() < 0.5:
            bud = points[int(rng.integers(4, 10))]
            pen.ellipse(*bud, rng.uniform(0.03, 0.1), rng.uniform(0.03, 0.09), rng.uniform(0, 180))
    return pen.finish()


SHAPES: dict[str, Callable[[Generator], Plane]] = {
    "person": person, "bust": bust, "animal": animal, "tree": tree, "flower": flower, "blob": blob, "statue": statue,
    "stems": stems,
}  # fmt: skip


def profile(mask: Plane) -> Plane:
    """Bulge of a round body towards the camera: 0 at the outline, 1 at its thickest place; (h, w)."""
    inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    inside = cv2.GaussianBlur(inside, (0, 0), 3.0)
    part = inside / max(float(inside.max()), 1e-6)
    return np.sqrt(np.clip(part * (2.0 - part), 0, 1)).astype(np.float32)
