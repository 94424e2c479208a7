"""Moves the steps of a depth map by a pixel or two to where the picture's colors change."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import chunked, parts_around
from depth3d.geometry.edges.discontinuities import find_discontinuities
from depth3d.geometry.edges.masks import around
from depth3d.geometry.pixels import colors_at, rows_columns

__all__ = ["SNAP_NOISE", "SNAP_TEAR", "snap_steps", "window_at"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

SNAP_TEAR = 1.0  # pixels of shift
SNAP_REACH = 4  # of the window in which the colors of both sides are compared
SNAP_NOISE = 20.0  # gray levels
LEAN = 2.0  # weight of the neighbors' sides
LEAN_INNER = 2  # of SNAP_REACH: these neighbors have most of the weight, and decide most pixels alone
LIKE_SHARE = 0.25  # of a step: places whose sides differ by less share their averages
_WINDOWS_AT_ONCE = 500  # their pixels fit into the processor's cache
_PLACES_AT_ONCE = 40_000


class _Step(NamedTuple):
    """Pixels to decide on, (K,) each: flat index, depth on both sides of the step."""

    places: Indices
    high: Floats
    low: Floats

    def some(self, which: Indices) -> _Step:
        return _Step(self.places[which], self.high[which], self.low[which])


class _Sides(NamedTuple):
    """Color and depth of the near and the far side of a step, (2, 3, K) and (2, K) each."""

    mean: Floats
    square: Floats
    level: Floats


def snap_steps(shift: Floats, picture: NDArray[np.uint8], spacing: int, where: Mask | None = None) -> Floats:
    """Move the steps of a depth map by a pixel or two to where the picture's colors change.

    The colors of both sides are averaged around each step. A pixel is assigned to the side with the more similar
    color, weighted against the side of most of its neighbors.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift.
    picture : NDArray[np.uint8]
        (H, W, 3) of the same size.
    spacing : int
        Pixels between the samples of a window. Squares of so many pixels share their averages, which would hardly
        differ: without this the time would grow with the square of the picture.
    where : Mask | None
        (H, W), the pixels that may change; default all.
    """
    beside = np.zeros(shift.shape, bool)
    read = np.ones(shift.shape, bool) if where is None else where
    for part in parts_around(read, SNAP_REACH * spacing, halo=1):
        beside[part.at] = find_discontinuities(shift[part.read], SNAP_TEAR).beside()[part.inside]
    band = around(beside, spacing)
    if where is not None:
        band &= where
    steps = _steps(shift, band, spacing)
    del band
    result = shift.copy()
    if not len(steps.places):
        return result
    chosen, sides_of = _shared(steps, shift.shape[1], spacing)
    parts = chunked(
        lambda some: _sides(shift, picture, beside, spacing, steps.some(some)),
        chosen,
        _WINDOWS_AT_ONCE,
    )
    sides = _Sides(*(np.concatenate(values, -1) for values in zip(*parts, strict=True)))

    def decide(some: Indices) -> None:
        places, high, low = steps.some(some)
        middle = (high + low) / np.float32(2)
        own = colors_at(picture, places)
        mine = sides_of[some]
        cost = [
            ((own - mean.take(mine, 1)) ** 2).sum(0) / (2 * SNAP_NOISE**2 + np.maximum(square[mine], 0))
            for mean, square in zip(sides.mean, sides.square, strict=True)
        ]
        gain = cost[1] - cost[0]
        # Elsewhere the neighbors cannot change the decision; nor can all of them where the inner ones are enough.
        close = np.flatnonzero(np.abs(gain) < 1.01 * LEAN)
        for reach in (LEAN_INNER, SNAP_REACH):
            lean, open_share = _lean(shift, places[close], middle[close], spacing, reach)
            leaning = gain[close] + np.float32(LEAN) * lean
            sure = np.abs(leaning) >= 1.01 * LEAN * open_share
            gain[close[sure]] = leaning[sure]
            close = close[~sure]
        to_near = gain > 0
        changes = to_near != (shift.ravel()[places] > middle)
        level = np.where(to_near[changes], *(values[mine[changes]] for values in sides.level))
        result.ravel()[places[changes]] = level

    chunked(decide, np.arange(len(steps.places)), _PLACES_AT_ONCE)
    return result


def window_at(places: Indices, reach: int, spacing: int, shape: tuple[int, ...]) -> Indices:
    """(K, N) flat indices of the windows around ``places`` (K,), flat indices of a picture of this shape."""
    y, x = rows_columns(places, shape[1])
    steps = np.arange(-reach, reach + 1) * spacing
    rows, columns = (y[:, None] + steps).clip(0, shape[0] - 1), (x[:, None] + steps).clip(0, shape[1] - 1)
    window: Indices = (rows[:, :, None] * shape[1] + columns[:, None, :]).reshape(len(places), -1)
    return window


def _steps(shift: Floats, band: Mask, spacing: int) -> _Step:
    """The pixels of ``band`` with a step in their window, and the window's largest and smallest depth."""
    reach = (SNAP_REACH - 1) * spacing
    samples = np.zeros(2 * reach + 1, np.uint8)
    samples[::spacing] = 1
    extremes = [np.zeros_like(shift) for _ in _EXTREMES]
    for part in parts_around(band, 0, halo=reach):
        for whole, how in zip(extremes, _EXTREMES, strict=True):
            whole[part.at] = _windowed(shift[part.read], samples, how)[part.inside]
    places = np.flatnonzero(band)
    high, low = (whole.ravel().take(places) for whole in extremes)
    return _Step(places, high, low).some(np.flatnonzero(high - low > 2 * SNAP_TEAR))


_EXTREMES = (cv2.MORPH_DILATE, cv2.MORPH_ERODE)


def _windowed(values: Floats, samples: NDArray[np.uint8], how: int) -> Floats:
    """Largest or smallest of the samples around each pixel; the border is repeated."""
    for kernel in (samples[None], samples[:, None]):
        values = np.asarray(cv2.morphologyEx(values, how, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
    return values


def _shared(steps: _Step, width: int, square: int) -> tuple[Indices, Indices]:
    """The steps whose sides are computed, and for each step the number of the one among them that it uses.

    One per square of pixels; also every one whose sides are at other depths than those of its square.
    """
    count = len(steps.places)
    if square == 1:
        return np.arange(count), np.arange(count)
    row, column = rows_columns(steps.places, width)
    across = -(-width // square)
    cell = row // square * across + column // square
    chosen = np.full(int(cell.max()) + 1, -1, np.int64)
    chosen[cell] = np.arange(count)
    middle = np.flatnonzero((row % square == square // 2) & (column % square == square // 2))
    chosen[cell[middle]] = middle
    mine = chosen[cell]
    apart = np.maximum(np.abs(steps.high - steps.high[mine]), np.abs(steps.low - steps.low[mine]))
    apart = apart > np.minimum(SNAP_TEAR * square, (steps.high - steps.low) * LIKE_SHARE)
    mine = np.where(apart, np.arange(count), mine)
    needed = np.zeros(count, bool)
    needed[mine] = True
    return np.flatnonzero(needed), (np.cumsum(needed) - 1)[mine]


def _sides(shift: Floats, picture: NDArray[np.uint8], beside: Mask, spacing: int, steps: _Step) -> _Sides:
    """Average the colors and depths of both sides of the steps."""
    grid = np.arange(-SNAP_REACH, SNAP_REACH + 1)
    wide = np.exp(-(grid[:, None] ** 2 + grid**2).ravel().astype(np.float32) / (2 * 2.5**2))
    window = window_at(steps.places, SNAP_REACH, spacing, shift.shape)
    # ``take`` and small matrix products: several times as fast as indexing by rows and columns, and as einsum.
    depth, color = shift.ravel().take(window), picture.reshape(-1, 3).take(window, 0).astype(np.float32)
    near = depth > ((steps.high + steps.low) / np.float32(2))[:, None]
    # The pixels beside a step mix the colors of both sides.
    trust = wide * (np.float32(1) - np.float32(0.9) * beside.ravel().take(window))
    weight = np.empty((len(window), 2, window.shape[1]), np.float32)
    np.multiply(trust, near, out=weight[:, 0])
    np.subtract(trust, weight[:, 0], out=weight[:, 1])
    mass = (weight.sum(2) + np.float32(1e-6)).T
    mean = (weight @ color).transpose(1, 2, 0) / mass[:, None]
    color *= color
    squares = color @ np.ones((3, 1), np.float32)  # summed over the channels
    square = (weight @ squares)[..., 0].T / mass - (mean * mean).sum(1)
    return _Sides(mean, square, (weight @ depth[..., None])[..., 0].T / mass)


def _lean(shift: Floats, places: Indices, middle: Floats, spacing: int, reach: int) -> tuple[Floats, float]:
    """Share of near pixels around the places, near ones weighted most: -1 = all far, 1 = all near.

    Returns also the share of the weight of the pixels further than ``reach``, which are left out.
    """
    height, width = shift.shape
    row, column = rows_columns(places, width)
    steps = range(-reach, reach + 1)
    rows = [(row + step * spacing).clip(0, height - 1) * width for step in steps]
    columns = [(column + step * spacing).clip(0, width - 1) for step in steps]
    weights = np.exp(-(np.arange(-SNAP_REACH, SNAP_REACH + 1) ** 2) / (2 * 1.5**2))
    flat, total, most, mass = shift.ravel(), np.zeros(len(places), np.float32), float(weights.sum() ** 2), 0.0
    for y, line in zip(steps, rows, strict=True):
        for x, across in zip(steps, columns, strict=True):
            weight = np.float32(weights[y + SNAP_REACH] * weights[x + SNAP_REACH])
            total += (flat.take(line + across) > middle) * weight
            mass += float(weight)
    return np.asarray((2 * total - np.float32(mass)) / np.float32(most), np.float32), max(0.0, 1 - mass / most)
