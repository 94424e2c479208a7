"""Close-ups: one to four large, near figures in front of a far, often blurred background."""

from collections.abc import Callable

import cv2
import numpy as np
from canvas import Canvas, Plane
from dressing import Figure
from indoors import room
from textures import between, foliage, noise, random_color
from worlds import Props, daylight, landscape, outdoor, street

Generator = np.random.Generator
KINDS = ("bust", "animal", "flower", "blob", "person", "statue", "stems")
KIND_SHARES = (0.24, 0.16, 0.15, 0.15, 0.15, 0.07, 0.08)
Scene = Callable[[Generator, Props, int, int], Canvas]


def far_view(rng: Generator, props: Props, height: int, width: int) -> tuple[Plane, Plane]:
    """Color and inverse depth of a background; its nearest point has inverse depth 1 (or it is flat)."""
    kind = rng.random()
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    if kind < 0.3:
        scenes: tuple[Scene, ...] = (outdoor, outdoor, landscape, street, room)
        canvas = scenes[int(rng.integers(len(scenes)))](rng, props, height, width)
        return canvas.color, np.minimum(canvas.inverse / max(float(np.quantile(canvas.inverse, 0.98)), 1e-4), 1.0)
    if kind < 0.55 and props.rooms:
        picture, inverse = props.rooms[int(rng.integers(len(props.rooms)))]
        flip = slice(None, None, -1 if rng.random() < 0.5 else 1)
        picture, inverse = np.ascontiguousarray(picture[:, flip]), np.ascontiguousarray(inverse[:, flip])
        color = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
        return color, cv2.resize(inverse, (width, height), interpolation=cv2.INTER_NEAREST) / float(inverse.max())
    ramp = np.broadcast_to(y ** rng.uniform(1, 3) * rng.uniform(0, 0.6) + rng.uniform(0.0, 0.3), (height, width))
    if kind < 0.65:
        leaves = cv2.resize(foliage(rng), (width, height), interpolation=cv2.INTER_LINEAR)
        return leaves * (0.5 + noise(rng, height, width, 4))[:, :, None], ramp.astype(np.float32)
    if kind < 0.88:
        return props.shelf.photograph(rng, height, width, 0.35), ramp.astype(np.float32)
    first, second = random_color(rng, 0.3), random_color(rng, 0.3)
    if rng.random() < 0.5:
        first, second = first * 0.2, second * 0.3
    mask = (
        noise(rng, height, width, int(rng.integers(1, 6)), 0.4)
        if rng.random() < 0.6
        else np.broadcast_to(y, (height, width))
    )
    color = between(np.asarray(mask, np.float32), first, second)
    for _ in range(int(rng.integers(0, 25)) if rng.random() < 0.4 else 0):
        light = np.zeros((height, width), np.uint8)
        cv2.circle(
            light, (int(rng.integers(width)), int(rng.integers(height))), int(rng.integers(2, 14)), 255, -1, cv2.LINE_AA
        )
        color = color + (light / 255.0)[:, :, None] * random_color(rng, 0.8) * 0.6
    return np.clip(color, 0, 1).astype(np.float32), ramp.astype(np.float32) * 0.3


def place(
    color: Plane, inverse: Plane, item: Figure, nearness: float, matrix: Plane, rng: Generator, blur: float = 0.0
) -> None:
    """Draw a figure over the picture, in place, its outline at inverse depth `nearness`, nearer than all it covers."""
    height, width = inverse.shape
    size = (width, height)
    alpha = cv2.warpAffine(item.alpha, matrix, size, flags=cv2.INTER_AREA)
    body = cv2.warpAffine(item.color, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    bulge = cv2.warpAffine(item.bulge, matrix, size, flags=cv2.INTER_LINEAR)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    tilt = rng.normal(0, 0.08) * (x / width - 0.5) + (rng.normal(0.04, 0.1)) * (y / height - 0.5)
    own = nearness * (1.0 + rng.uniform(0.05, 0.5) * bulge + tilt)
    own = np.maximum(own, inverse * 1.02)
    if blur > 0.3:
        alpha, body = cv2.GaussianBlur(alpha, (0, 0), blur), cv2.GaussianBlur(body, (0, 0), blur)
    color += (body - color) * alpha[:, :, None]
    solid = alpha > 0.5
    inverse[solid] = own[solid]


def transform(item: Figure, height: int, width: int, tall: float, x: float, bottom: float, degrees: float) -> Plane:
    """Similarity that puts the cut-out `tall` pixels high with the middle of its foot at (x, bottom)."""
    rows, columns = item.alpha.shape
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, tall / rows)
    middle = matrix @ np.array([columns / 2, rows / 2, 1.0])
    matrix[:, 2] += np.array([x, bottom - tall / 2]) - middle
    return matrix.astype(np.float32)


def closeup(rng: Generator, props: Props, height: int, width: int) -> Canvas:
    """Draw one to four large figures in front of a far background."""
    canvas = Canvas(height, width, 0.9, 0.0, 1.5, daylight(rng, 1e5))
    color, inverse = far_view(rng, props, height, width)
    blur = rng.uniform(0.5, 7.0) if rng.random() < 0.65 else 0.0
    if blur:
        color = cv2.GaussianBlur(color, (0, 0), blur)
    color, inverse = np.ascontiguousarray(color, np.float32), inverse * rng.uniform(0.15, 0.75)
    count = int(rng.choice([1, 2, 3, 4], p=[0.6, 0.2, 0.12, 0.08]))
    for nearness in np.sort(np.append(rng.uniform(0.45, 0.9, count - 1), 1.0)):
        kind = str(rng.choice(KINDS, p=KIND_SHARES))
        item = props.pick(rng, (kind,), 0.4)
        tall = height * rng.uniform(0.5, 1.15) * float(nearness) ** 0.5
        bottom = height * rng.uniform(1.03, 1.2)
        if kind in ("blob", "flower"):
            tall, bottom = height * rng.uniform(0.3, 1.2), height * rng.uniform(0.7, 1.2)
        if rng.random() < 0.15:
            tall, bottom = tall * 1.8, bottom + tall * rng.uniform(0, 0.7)
        x = width * (0.5 + rng.normal(0, 0.13 if count == 1 else 0.28))
        matrix = transform(item, height, width, tall, x, bottom, rng.normal(0, 5))
        place(color, inverse, item, float(nearness), matrix, rng)
    if rng.random() < 0.15:
        item = props.pick(rng, ("tree", "blob", "flower"), 0.0)
        matrix = transform(
            item,
            height,
            width,
            height * rng.uniform(0.5, 1.2),
            width * rng.choice([0.0, 1.0]),
            height * 1.2,
            rng.normal(0, 60),
        )
        place(color, inverse, item, 1.6, matrix, rng, rng.uniform(1, 6))
    canvas.color[:], canvas.inverse[:] = np.clip(color, 0, 1), inverse
    return canvas
