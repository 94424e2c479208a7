"""What the scenes of things are made from: models in poses that rest on a surface, rooms, lamps, surfaces."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from catalog import Model
from meshes import WHITE, Mesh, Part, box, carton, cloth, mask, paint, rectangle, sticks, vessel
from numpy.typing import NDArray
from raster import Camera, Lamp, Thing
from textures import Shelf, random_color

Generator = np.random.Generator
Array = NDArray[np.float32]
PEOPLE = re.compile(r"female|male|boy|girl|dog|cat$|horse|bulldog|siamese", re.IGNORECASE)


def matrix(place: Array, yaw: float, scale: float | Array = 1.0, turn: Array | None = None) -> Array:
    """4x4 matrix: `turn` (3, 3) first, then scaling, rotation about Y, and the move to a place."""
    result = np.eye(4)
    c, s = np.cos(yaw), np.sin(yaw)
    around = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    result[:3, :3] = around @ np.diag(np.broadcast_to(scale, 3)) @ (np.eye(3) if turn is None else turn)
    result[:3, 3] = place
    return result.astype(np.float32)


def bounds(mesh: Mesh) -> tuple[Array, Array]:
    """Lowest and highest corner of a mesh."""
    low = np.min([part.vertices[:, :3].min(axis=0) for part in mesh], axis=0)
    return low, np.max([part.vertices[:, :3].max(axis=0) for part in mesh], axis=0)


class Spot(NamedTuple):
    """A taken circle of a surface: X, Z, radius and height of what stands there."""

    x: float
    z: float
    radius: float
    top: float


@dataclass
class Store:
    """Models sorted by what they are for, and pictures for surfaces."""

    models: list[Model]
    shelf: Shelf
    small: list[Model] = field(default_factory=list)
    kitchen: list[Model] = field(default_factory=list)
    furniture: list[Model] = field(default_factory=list)
    living: list[Model] = field(default_factory=list)

    def __post_init__(self) -> None:
        for model in self.models:
            largest = float(model.size.max())
            if PEOPLE.search(model.name):
                self.living.append(model)
            elif largest < 0.55:
                self.small.append(model)
            elif model.category == "Kitchen":
                self.kitchen.append(model)
            elif largest < 3.5:
                self.furniture.append(model)


def lying(rng: Generator) -> Array:
    """A quarter turn about a horizontal axis, to lay a thing on its side or its back."""
    c, s = 0.0, 1.0 if rng.random() < 0.5 else -1.0
    if rng.random() < 0.5:
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]], np.float32)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)


def settle(
    mesh: Mesh, rng: Generator, place: Array, size: float | None, tilt: float, yaw: float
) -> tuple[Array, Array]:
    """Matrix of a mesh that rests on `place`, turned by `yaw`, and its extent (width, height, depth) before that turn.

    size : largest side in meters, None = as it is. tilt : probability that it lies on its side.
    """
    turn = lying(rng) if rng.random() < tilt else np.eye(3, dtype=np.float32)
    low, high = bounds(mesh)
    scale = 1.0 if size is None else size / max(float((high - low).max()), 1e-6)
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    turned = corners @ turn.T * scale
    first, last = turned.min(axis=0), turned.max(axis=0)
    shift = -np.array([(first[0] + last[0]) / 2, first[1], (first[2] + last[2]) / 2])
    result = matrix(place, yaw, scale, turn)
    result[:3, 3] += matrix(np.zeros(3), yaw)[:3, :3] @ shift
    return result, last - first


class Stage:
    """The things of one scene and what is taken of its surfaces."""

    def __init__(self, rng: Generator, store: Store) -> None:
        self.rng, self.store = rng, store
        self.things: list[Thing] = []
        self.spots: list[Spot] = []

    def cover(self, share: float = 0.35) -> NDArray[np.uint8] | None:
        """A picture for plain surfaces, or None."""
        if self.rng.random() > share:
            return None
        return paint(self.rng, self.store.shelf, 0.55, 0.1)

    def add(self, mesh: Mesh, place: Array, glow: float = 0.0, casts: bool = True) -> None:
        """Put a mesh made in world coordinates at a place."""
        gloss = float(self.rng.choice([0.0, 0.15, 0.5], p=[0.5, 0.3, 0.2]))
        self.things.append(Thing(mesh, matrix(place, 0.0), gloss, glow, None, 1.0, casts))

    def shape(self, size: float) -> Mesh:
        """A shape by formula, about `size` large."""
        rng, shelf = self.rng, self.store.shelf
        kind = rng.choice(["carton", "vessel", "sticks", "cloth", "mask"], p=[0.42, 0.28, 0.1, 0.1, 0.1])
        if kind == "carton":
            sides = size * np.exp(rng.uniform(-1.6, 0.0, 3))
            return carton(rng, shelf, sides.astype(np.float32))
        return {"vessel": vessel, "sticks": sticks, "cloth": cloth, "mask": mask}[str(kind)](rng, shelf, size)

    def rest(
        self, place: Array, size: float | None, model: Model | None, tilt: float = 0.2, yaw: float | None = None
    ) -> tuple[Array, float]:
        """Let a model, or a shape by formula, rest on a place; returns its extent and where its top is."""
        mesh = model.mesh if model is not None else self.shape(size or 0.2)
        yaw = float(self.rng.uniform(0, 2 * np.pi)) if yaw is None else yaw
        pose, extent = settle(mesh, self.rng, place, size if model is not None else None, tilt, yaw)
        gloss = float(self.rng.choice([0.0, 0.2, 0.6, 1.0], p=[0.35, 0.3, 0.25, 0.1]))
        cover = self.cover() if model is not None else None
        self.things.append(Thing(mesh, pose, gloss, 0.0, cover, max(float(extent.max()), 0.05) / 2))
        return extent, float(place[1] + extent[1])

    def free(self, x: float, z: float, radius: float) -> bool:
        """Whether a circle of the surface is free; a little overlap is allowed, as outlines are not round."""
        return all((x - s.x) ** 2 + (z - s.z) ** 2 > (0.8 * (radius + s.radius)) ** 2 for s in self.spots)

    def choose(self, size: float, shapes: float) -> Model | None:
        """A small model, sometimes one of any kind as a toy, or None for a shape by formula."""
        rng, store = self.rng, self.store
        kind = rng.random()
        if kind < shapes or not store.small:
            return None
        pool = store.small if kind < shapes + 0.72 * (1 - shapes) else [*store.furniture, *store.living, *store.kitchen]
        return pool[int(rng.integers(len(pool)))] if pool else None

    def scatter(
        self,
        count: int,
        area: tuple[float, float, float, float],
        level: float,
        sizes: tuple[float, float],
        shapes: float = 0.4,
    ) -> None:
        """Let `count` things rest at a level, within X and Z limits; some stand on others."""
        rng = self.rng
        for _ in range(count):
            size = float(np.exp(rng.uniform(*np.log(sizes))))
            for _ in range(12):
                x, z = rng.uniform(area[0], area[1]), rng.uniform(area[2], area[3])
                if self.free(x, z, size / 2):
                    break
            else:
                continue
            model = self.choose(size, shapes)
            extent, top = self.rest(np.array([x, level, z], np.float32), size, model)
            self.spots.append(Spot(x, z, float(max(extent[0], extent[2])) / 2, top))
            if model is None and extent[1] < 1.2 * min(extent[0], extent[2]) and rng.random() < 0.4:
                part = float(min(extent[0], extent[2])) * rng.uniform(0.5, 1.0)
                if part > 0.03:
                    self.rest(np.array([x, top - 0.002, z], np.float32), part, self.choose(part, shapes))

    def wall(self, origin: Array, across: Array, up: Array, photograph: float, tile: float, glow: float = 0.0) -> None:
        """A flat rectangle: in one color, in a pattern, or with a picture, which is a plane whatever it shows."""
        texture = paint(self.rng, self.store.shelf, photograph, 0.3)
        corners = rectangle(np.asarray(origin, float), np.asarray(across, float), np.asarray(up, float), tile)
        color = pale(self.rng) if texture is None else WHITE
        self.add([Part(corners, color, texture)], np.zeros(3, np.float32), glow, casts=glow == 0.0)

    def posters(self, count: int, origin: Array, across: Array, up: Array, normal: Array) -> None:
        """Pictures, boards and lit windows just in front of a wall."""
        for _ in range(count):
            w, h = self.rng.uniform(0.15, 0.5, 2)
            u, v = self.rng.uniform(0, 1 - w), self.rng.uniform(0, 1 - h)
            glow = 1.0 if self.rng.random() < 0.12 else 0.0
            corner = origin + across * u + up * v + normal * self.rng.uniform(0.004, 0.03)
            self.wall(corner, across * w, up * h, 0.85, 0.0, glow)

    def block(self, size: Array, place: Array, tile: float = 0.0) -> None:
        """A box with one surface: boards, table tops, counters."""
        texture = paint(self.rng, self.store.shelf, 0.3, 0.1)
        part = Part(box(np.asarray(size, float), None, tile or 0.6), random_color(self.rng, 0.25), texture)
        self.add([part], np.asarray(place, np.float32))


def pale(rng: Generator) -> Array:
    """The color of a painted wall: mostly light, little saturated."""
    return np.clip(rng.uniform(0.35, 0.95) * (1 + rng.normal(0, 0.08, 3)), 0.05, 1).astype(np.float32)


def lamp(rng: Generator, shelf: Shelf) -> Lamp:
    """A lamp above, from any side, and light from all around."""
    angle, high = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.4)
    direction = np.array([np.cos(angle) * np.cos(high), np.sin(high), np.sin(angle) * np.cos(high)])
    share, level = rng.uniform(0.15, 0.8), rng.uniform(0.75, 1.25)
    warm = np.exp(rng.normal(0, 0.1) * np.array([1, 0, -1]))
    around = np.clip(shelf.photograph(rng, 64, 128, 0.6) * 255, 0, 255).astype(np.uint8)
    above = level * (1 - share) * rng.uniform(0.9, 1.2) * np.exp(rng.normal(0, 0.05, 3))
    below = level * (1 - share) * rng.uniform(0.4, 0.9) * np.exp(rng.normal(0, 0.08, 3))
    return Lamp(direction, level * share * 1.3 * warm, above, below, rng.uniform(0.0004, 0.004), around)


def occlusion(color: Array, inverse: Array, rng: Generator) -> Array:
    """Darken what lies behind its surroundings: corners and gaps between things."""
    result, strength = color, rng.uniform(0.5, 1.2)
    near = np.log(np.maximum(inverse, 1e-3))
    for sigma in (3.0, 9.0):
        deeper = np.clip(cv2.GaussianBlur(near, (0, 0), sigma) - near, 0, 0.12)
        result = result * (1 - strength * 2.2 * deeper)[:, :, None]
    return np.asarray(result, np.float32)


def camera(rng: Generator, target: Array, distance: float, pitch: float, yaw: float, view: float) -> Camera:
    """A camera that looks down at a target by `pitch`, from `yaw` (0 = from +Z)."""
    offset = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)]) * distance
    return Camera(np.asarray(target + offset, float), np.asarray(target, float), float(rng.normal(0, 0.05)), view)
