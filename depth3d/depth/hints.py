"""Repair a depth map by strokes: solved together with the map, along the edges of the picture.

Strokes give a wanted change of depth at a few pixels. It spreads by edge-aware diffusion, the weighted least squares of
"Fast Global Image Smoothing Based on Weighted Least Squares" (Min et al., IEEE TIP 2014, section IV.D: sparse data are
smoothed together with their mask, and divided). Edges of the guide (picture and depth) stop it, so that a stroke
reaches as far as its surface. Where little weight arrives, the map stays as it is.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.hints import Hints, Stroke
from depth3d.image import Image, Size

__all__ = ["apply_hints"]

_LARGEST = 1600  # pixels of the longer side at which it is solved
# Diffusion reaches about this share of the picture's longer side; differences of the guide (0 to 255) that stop it.
_REACH, _EDGE = 0.4, 0.8
_DEPTH_WEIGHT = 2.5  # a step of the map's own depth counts as so many times the same step of brightness
# Share of weight at which a pixel follows the strokes half-way. Inside a surface with a stroke it is 10 to 100 times as
# much, beyond an edge a hundredth.
_HALF_WAY = 3e-3
_Floats = NDArray[np.float32]


def apply_hints(depth: DepthMap, hints: Hints, image: Image) -> DepthMap:
    """Return the depth map with the strokes applied, at the size of ``depth``.

    Parameters
    ----------
    depth : DepthMap
        The map to repair.
    hints : Hints
        The strokes.
    image : Image
        The picture, for its edges.
    """
    if not isinstance(hints, Hints):
        raise InvalidInput(f"apply_hints: hints is {type(hints).__name__}, expected Hints (read_hints gives them)")
    if not hints:
        return depth
    size = depth.size.fit(_LARGEST)
    values = depth.resized(size).values.copy()
    start = values.copy()
    colors = image.eight_bit().resized(size).pixels
    for stroke in hints.strokes:
        if stroke.kind == "cut":
            values = _cut(values, stroke, size)
    guide = _guide(colors, values, hints)
    for stroke in hints.strokes:
        if stroke.kind == "plane":
            values = _flatten(values, stroke, guide, size)
    change, mask = _wanted(values, hints, size)
    if mask.any():
        values = values + _spread(change, mask, guide)
    difference: NDArray[Any] = values - start
    if size != depth.size:
        difference = cv2.resize(difference, tuple(depth.size), interpolation=cv2.INTER_LINEAR)
    return DepthMap(np.clip(depth.values + difference, 0, 1).astype(np.float32))


def _drawn(stroke: Stroke, size: Size, thickness: int | None = None) -> NDArray[np.bool_]:
    mask = np.zeros((size.height, size.width), np.uint8)
    points = stroke.pixels(size)
    width = stroke.thickness(size) if thickness is None else thickness
    if len(points) == 1:
        cv2.circle(mask, (int(points[0, 0]), int(points[0, 1])), max(1, width // 2), 1, -1)
    else:
        cv2.polylines(mask, [points.reshape(-1, 1, 2)], False, 1, width)
    return mask.astype(bool)


def _guide(colors: NDArray[np.uint8], values: _Floats, hints: Hints) -> NDArray[np.uint8]:
    """Return what the diffusion sees as edges: two channels of color without its texture, and the depth itself."""
    lab = cv2.cvtColor(colors, cv2.COLOR_RGB2LAB)
    for _ in range(2):
        lab = cv2.bilateralFilter(lab, 7, 24, 5)
    tone = cv2.addWeighted(lab[..., 1], 2.0, lab[..., 2], 2.0, -384.0)  # both opponent colors, centered at 128
    depth = np.clip(values * (255 * _DEPTH_WEIGHT), 0, 255 * _DEPTH_WEIGHT)
    guide = np.dstack([lab[..., 0], tone, (depth / _DEPTH_WEIGHT).astype(np.uint8)])
    size = Size(values.shape[1], values.shape[0])
    for stroke in hints.strokes:
        if stroke.kind == "cut":  # a wall that no diffusion passes; two pixels, or it would pass diagonally
            guide[_drawn(stroke, size, 2)] = guide[_drawn(stroke, size, 2)] + 128
    return np.ascontiguousarray(guide)


def _smooth(values: _Floats, guide: NDArray[np.uint8]) -> _Floats:
    reach = _REACH * max(guide.shape[:2])
    found = cv2.ximgproc.fastGlobalSmootherFilter(guide, values.astype(np.float32), reach * reach, _EDGE)
    return np.asarray(found, np.float32)


def _spread(change: _Floats, mask: NDArray[np.bool_], guide: NDArray[np.uint8]) -> _Floats:
    weight = _smooth(mask.astype(np.float32), guide)
    total = _smooth(np.where(mask, change, 0), guide)
    return np.asarray(total / np.maximum(weight, 1e-12) * _share(weight, mask), np.float32)


def _share(weight: _Floats, mask: NDArray[np.bool_]) -> _Floats:
    """Return how far each pixel follows the strokes, 0 to 1."""
    followed = np.square(weight) / (np.square(weight) + np.float32(_HALF_WAY**2))
    return np.where(mask, np.float32(1), followed)


def _wanted(values: _Floats, hints: Hints, size: Size) -> tuple[_Floats, NDArray[np.bool_]]:
    """Return the wanted change of depth at the strokes, and where there are strokes."""
    change = np.zeros_like(values)
    painted = np.zeros(values.shape, bool)
    if hints.painted is not None:
        targets = cv2.resize(hints.painted, tuple(size), interpolation=cv2.INTER_NEAREST)
        painted = ~np.isnan(targets)
        change[painted] = targets[painted] - values[painted]
    for stroke in hints.strokes:
        if stroke.kind in ("cut", "plane"):
            continue
        mask = _drawn(stroke, size)
        if stroke.kind in ("nearer", "farther"):
            sign = 1 if stroke.kind == "nearer" else -1
            change[mask] = np.clip(values[mask] + np.float32(sign * stroke.value), 0, 1) - values[mask]
        else:
            target = stroke.value if stroke.kind == "value" else _depth_at(values, stroke.pixels(size)[0])
            change[mask] = np.float32(target) - values[mask]
        painted |= mask
    return change, painted


def _depth_at(values: _Floats, place: NDArray[np.int32]) -> float:
    x, y = (int(one) for one in place)
    return float(np.median(values[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]))


def _flatten(values: _Floats, stroke: Stroke, guide: NDArray[np.uint8], size: Size) -> _Floats:
    """Give the stroke's surface the depth of a plane through the stroke (a plane stays one in inverse depth)."""
    mask = _drawn(stroke, size)
    rows, columns = np.nonzero(mask)
    terms = np.column_stack([columns, rows, np.ones(len(rows))]) / max(size)
    kept = np.ones(len(rows), bool)
    plane: NDArray[Any] = np.zeros(3)
    for _ in range(3):  # without outliers: what the stroke touches beside its surface
        plane = np.linalg.lstsq(terms[kept], values[mask][kept], rcond=None)[0]
        off = np.abs(terms @ plane - values[mask])
        kept = off <= max(1e-3, 2.5 * float(np.median(off)))
    y, x = np.mgrid[0 : size.height, 0 : size.width] / max(size)
    flat = np.clip(plane[0] * x + plane[1] * y + plane[2] / max(size), 0, 1).astype(np.float32)
    share = _share(_smooth(mask.astype(np.float32), guide), mask)
    return np.asarray(values + (flat - values) * share, np.float32)


def _cut(values: _Floats, stroke: Stroke, size: Size) -> _Floats:
    """Turn the slope under the stroke into a step at its middle line: each side goes on as it is beside the stroke."""
    band = _drawn(stroke, size)
    if band.all():
        return values
    _, nearest = cv2.distanceTransformWithLabels(
        band.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE, labelType=cv2.DIST_LABEL_PIXEL
    )
    depth_of = np.zeros(int(nearest.max()) + 1, np.float32)
    depth_of[nearest[~band]] = values[~band]
    return np.where(band, depth_of[nearest], values).astype(np.float32)
