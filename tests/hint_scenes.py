"""Three scenes with true depth, the same depth spoiled as networks spoil it, and twelve strokes for each."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scenes import texture

from depth3d.depthmap import DepthMap
from depth3d.hints import Hints, Stroke
from depth3d.image import Image, Size

SIZE = Size(320, 240)
FAR_FROM_STROKES = 24  # pixels


@dataclass(frozen=True)
class HintScene:
    """``untouched``: pixels of surfaces without a stroke, far from every stroke."""

    image: Image
    truth: DepthMap
    spoiled: DepthMap
    hints: Hints
    untouched: NDArray[np.bool_]


def _ellipse(x: float, y: float, wide: float, high: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[0 : SIZE.height, 0 : SIZE.width]
    return np.asarray(((columns / SIZE.width - x) / wide) ** 2 + ((rows / SIZE.height - y) / high) ** 2 < 1)


def _box(left: float, top: float, right: float, bottom: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[0 : SIZE.height, 0 : SIZE.width]
    x, y = columns / SIZE.width, rows / SIZE.height
    return np.asarray((x >= left) & (x < right) & (y >= top) & (y < bottom))


def _line(x0: float, y0: float, x1: float, y1: float) -> NDArray[np.float32]:
    return np.linspace((x0, y0), (x1, y1), 12, dtype=np.float32)


def _scene(
    shapes: list[tuple[NDArray[np.bool_], float, float]], hints: list[Stroke], slope: float, seed: int
) -> HintScene:
    """Shapes: (mask, true depth, spoiled depth), back to front, before a wall that slopes."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(0, 1, SIZE.height, dtype=np.float32)[:, None]
    truth = np.broadcast_to(0.1 + slope * rows, (SIZE.height, SIZE.width)).astype(np.float32).copy()
    spoiled = truth.copy()
    surface = np.zeros((SIZE.height, SIZE.width), int)
    tones = [rng.integers(60, 190, 3) for _ in range(len(shapes) + 1)]
    for number, (mask, true, wrong) in enumerate(shapes, 1):
        truth[mask], spoiled[mask], surface[mask] = true, wrong, number
    colors = np.stack(tones)[surface] + (texture(SIZE, seed).pixels.astype(int) - 128) // 6
    spoiled = cv2.GaussianBlur(spoiled, (0, 0), 2.0)  # networks' outlines are soft
    painted = np.zeros((SIZE.height, SIZE.width), np.uint8)
    for stroke in hints:
        cv2.polylines(painted, [stroke.pixels(SIZE).reshape(-1, 1, 2)], False, 1, stroke.thickness(SIZE))
    touched = np.unique(surface[painted > 0])
    away = cv2.distanceTransform(1 - painted, cv2.DIST_L2, 5) > FAR_FROM_STROKES
    border = cv2.morphologyEx(surface.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8)) > 0
    untouched = ~np.isin(surface, touched) & away & ~border
    return HintScene(
        Image(np.clip(colors, 0, 255).astype(np.uint8)),
        DepthMap(truth),
        DepthMap(spoiled),
        Hints(tuple(hints)),
        untouched,
    )


def scenes() -> dict[str, HintScene]:
    """A portrait whose ear lies on the wall, a table of things at wrong depths, a street with a swallowed sign."""

    def value(depth: float, *ends: float) -> Stroke:
        return Stroke("value", _line(*ends), 0.012, depth)

    def moved(kind: str, by: float, *ends: float) -> Stroke:
        return Stroke(kind, _line(*ends), 0.012, by)  # type: ignore[arg-type]

    head, ears = _ellipse(0.5, 0.42, 0.17, 0.3), _ellipse(0.31, 0.42, 0.05, 0.1) | _ellipse(0.69, 0.42, 0.05, 0.1)
    body = _ellipse(0.5, 1.0, 0.36, 0.32)
    plant, frame = _ellipse(0.12, 0.8, 0.1, 0.18), _box(0.8, 0.08, 0.97, 0.3)
    portrait = _scene(
        [(frame, 0.2, 0.2), (plant, 0.6, 0.6), (ears, 0.72, 0.25), (body, 0.7, 0.45), (head, 0.8, 0.6)],
        [
            *(value(0.72, x, 0.36, x, 0.48) for x in (0.295, 0.705)),
            *(value(0.8, 0.42, y, 0.58, y) for y in (0.25, 0.35, 0.45, 0.55)),
            *(moved("nearer", 0.25, 0.3, y, 0.7, y) for y in (0.84, 0.9, 0.96)),
            moved("nearer", 0.2, 0.5, 0.2, 0.5, 0.6),
            *(Stroke("same", _line(0.45, y, 0.55, y), 0.012) for y in (0.6, 0.64)),
        ],
        0.0,
        3,
    )
    cups = [_ellipse(x, 0.62, 0.08, 0.16) for x in (0.18, 0.4, 0.62, 0.85)]
    table = _scene(
        [
            (_box(0, 0.7, 1, 1), 0.5, 0.5),
            (cups[0], 0.7, 0.4),
            (cups[1], 0.75, 0.95),
            (cups[2], 0.65, 0.35),
            (cups[3], 0.8, 0.8),
            (_box(0.1, 0.08, 0.5, 0.34), 0.15, 0.4),
        ],
        [
            *(value(0.7, 0.14, y, 0.22, y) for y in (0.54, 0.62, 0.7)),
            *(moved("farther", 0.2, 0.36, y, 0.44, y) for y in (0.54, 0.62, 0.7)),
            *(moved("nearer", 0.3, 0.58, y, 0.66, y) for y in (0.54, 0.62, 0.7)),
            *(value(0.15, 0.14, y, 0.46, y) for y in (0.14, 0.2, 0.28)),
        ],
        0.0,
        5,
    )
    street = _scene(
        [
            (_box(0, 0.2, 0.25, 0.75), 0.45, 0.7),
            (_box(0.78, 0.1, 1, 0.75), 0.5, 0.5),
            (_box(0.47, 0.35, 0.5, 0.9), 0.8, 0.3),
            (_box(0.38, 0.12, 0.6, 0.36), 0.8, 0.3),
            (_ellipse(0.68, 0.85, 0.08, 0.1), 0.9, 0.6),
        ],
        [
            *(value(0.8, 0.41, y, 0.57, y) for y in (0.18, 0.24, 0.3)),
            *(value(0.8, 0.485, y, 0.485, y + 0.12) for y in (0.4, 0.55, 0.7)),
            *(moved("farther", 0.25, 0.05, y, 0.2, y) for y in (0.3, 0.5, 0.65)),
            *(moved("nearer", 0.3, 0.63, y, 0.73, y) for y in (0.81, 0.86, 0.9)),
        ],
        0.2,
        8,
    )
    return {"portrait": portrait, "table": table, "street": street}
