"""Extends the background behind occluders, from every depth discontinuity up to the maximum disocclusion width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import CACHED_PIXELS, chunked, row_bands
from depth3d.geometry.pixels import rows_columns

__all__ = [
    "ALL_WAYS",
    "FROM_LEFT",
    "FROM_RIGHT",
    "DeeperSurface",
    "HiddenSurface",
    "extend_background",
    "read_beyond_rim",
    "without_islands",
]

# Steps (down, right) in which the background is extended. The right eye sees more background at the right side of
# objects, so the background there is extended from right to left.
FROM_RIGHT = ((0, -1),)
FROM_LEFT = ((0, 1),)
ALL_WAYS = ((0, -1), (0, 1), (-1, 0), (1, 0))

# Pixels extended beyond the maximum disocclusion width, for texture filtering and rounding.
OVERLAP = 3
SAME_SURFACE = 1.5  # pixels of shift
ISLAND = 1 / 200  # of the width: side of a square with the pixels of the largest island


@dataclass(frozen=True, slots=True, eq=False)
class HiddenSurface:
    """One disoccluded background layer.

    Parameters
    ----------
    depth : NDArray[np.float32]
        (H, W) float32, in pixels of shift; outside ``mask`` the depth of the visible surface.
    source : NDArray[np.int32]
        (H, W) int32, flat index of the visible background pixel that is extended to here.
    mask : NDArray[np.bool_]
        (H, W) bool, pixels that this layer covers.
    """

    depth: NDArray[np.float32]
    source: NDArray[np.int32]
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class DeeperSurface:
    """The second disoccluded background layer, which covers few pixels: only these.

    Parameters
    ----------
    places : NDArray[np.int64]
        (K,) flat indices of its pixels.
    depth : NDArray[np.float32]
        (K,) pixels of shift.
    source : NDArray[np.int32]
        (K,) flat indices of the visible background pixels that are extended to here.
    """

    places: NDArray[np.int64]
    depth: NDArray[np.float32]
    source: NDArray[np.int32]

    def over(self, first: HiddenSurface) -> HiddenSurface:
        """Return this layer with the depth and the sources of the ``first`` one outside; takes over its arrays."""
        first.mask[:] = False
        first.mask.ravel()[self.places] = True
        first.depth.ravel()[self.places] = self.depth
        first.source.ravel()[self.places] = self.source
        return first


def extend_background(
    seen: NDArray[np.float32],
    cover: NDArray[np.float32],
    tolerance: float,
    ways: tuple[tuple[int, int], ...] = ALL_WAYS,
) -> tuple[HiddenSurface, DeeperSurface]:
    """Extend the background behind occluders, up to the maximum disocclusion width.

    All discontinuities are extended simultaneously, one pixel per iteration. Where two backgrounds reach a pixel in
    the same iteration, the farther one is kept. A farther background that meets a nearer one continues behind it, in
    the second layer.

    Parameters
    ----------
    seen : NDArray[np.float32]
        (H, W) float32, visible depth in pixels of shift.
    cover : NDArray[np.float32]
        ``seen`` after the foreground was dilated (>= seen).
    tolerance : float
        A larger difference between neighbors, in pixels of shift, is a discontinuity.
    ways : tuple[tuple[int, int], ...]
        Steps (down, right) allowed: ``ALL_WAYS``, ``FROM_RIGHT`` or ``FROM_LEFT``.

    Returns
    -------
    The layer behind the visible surface, and a second layer behind the first.
    """
    count, over = seen.size, cover.ravel()
    # Until the end the depth of the first layer is what hides a surface: the visible one, or this layer.
    first = HiddenSurface(over.copy(), np.arange(count, dtype=np.int32), np.zeros(count, bool))
    deeper = np.zeros(count, bool)
    second = [_Front(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))]
    latest = np.empty(count, np.int32)  # which candidate is kept where several reach a pixel in one step
    targets, origins = _starts(cover, tolerance, ways)
    front, run = _Front(targets, origins.astype(np.int32), seen.ravel()[origins]), 1
    front = front.some(np.flatnonzero(over[targets] - front.levels > tolerance))
    while len(front.targets):
        front = front.some(np.flatnonzero(run <= over.take(front.targets) - front.levels + OVERLAP))
        front = _farthest(front, latest)
        free = ~first.mask.take(front.targets)
        at, sources, levels = front.some(np.flatnonzero(free))
        first.source[at], first.depth[at], first.mask[at] = sources, levels, True
        # A third layer is not stored, but the surface may be needed again further on.
        behind = front.some(np.flatnonzero(~free & ~deeper.take(front.targets)))
        deeper[behind.targets] = True
        second.append(behind)
        steps = list(_moved(front, ways, first.depth, tolerance, seen.shape))
        front = _Front(*(np.concatenate(parts) for parts in zip(*steps, strict=True)))
        run += 1
    del latest
    np.copyto(first.depth, seen.ravel(), where=~first.mask)
    places, sources, levels = (np.concatenate(parts) for parts in zip(*second, strict=True))
    shape = seen.shape
    first = HiddenSurface(first.depth.reshape(shape), first.source.reshape(shape), first.mask.reshape(shape))
    return first, DeeperSurface(places, levels, sources)


def without_islands(first: HiddenSurface, deeper: DeeperSurface) -> DeeperSurface:
    """Take islands of a few pixels out of the first layer: the deeper surface takes their place; in place.

    Where an edge in soft depth is torn, they extend scraps of it, and would stay behind as specks.

    Returns the deeper surface without these pixels.
    """
    height, width = first.mask.shape
    covered = np.zeros(height * width, np.uint8)
    covered[deeper.places] = 1
    _, labels = cv2.connectedComponents(covered.reshape(height, width), connectivity=8)
    part = labels.ravel().take(deeper.places)
    chosen = (np.bincount(part) < (ISLAND * width) ** 2)[part]
    at = deeper.places[chosen]
    first.depth.ravel()[at], first.source.ravel()[at] = deeper.depth[chosen], deeper.source[chosen]
    return DeeperSurface(deeper.places[~chosen], deeper.depth[~chosen], deeper.source[~chosen])


def read_beyond_rim(hidden: HiddenSurface | DeeperSurface, seen: NDArray[np.float32], pixels: int) -> None:
    """Move the sources ``pixels`` further from the outline, where no foreground color is mixed in; in place.

    A source stays in place if its surface ends before that.
    """
    height, width = seen.shape
    flat, source = seen.ravel(), hidden.source.ravel()
    pixel_of = None if isinstance(hidden, HiddenSurface) else hidden.places

    def move(some: NDArray[np.int64]) -> None:
        here = some if pixel_of is None else pixel_of[some]
        own = source[some]
        row, column = rows_columns(own, width)
        y, x = rows_columns(here, width)
        down, right = row - y, column - x
        length = np.maximum(np.hypot(down, right), 1)
        moved_row = np.rint(row + pixels * down / length).astype(np.int64).clip(0, height - 1)
        moved_column = np.rint(column + pixels * right / length).astype(np.int64).clip(0, width - 1)
        moved = moved_row * width + moved_column
        source[some] = np.where(np.abs(flat[moved] - flat[own]) < SAME_SURFACE, moved, own)

    chunked(move, np.flatnonzero(hidden.mask) if isinstance(hidden, HiddenSurface) else np.arange(len(source)))


class _Front(NamedTuple):
    """Pixels that a background is extended to next, (K,) each: flat index, that of its source, its depth."""

    targets: NDArray[np.int64]
    origins: NDArray[np.int32]
    levels: NDArray[np.float32]

    def some(self, which: NDArray[np.int64]) -> _Front:
        return _Front(self.targets.take(which), self.origins.take(which), self.levels.take(which))


def _starts(
    cover: NDArray[np.float32], tolerance: float, ways: tuple[tuple[int, int], ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat indices (near side, far side) of the pixel pairs at discontinuities, far to near along ``ways``."""
    width, pairs = cover.shape[1], []
    for axis, beside in ((1, 1), (0, width)):
        along = [way for way in ways if way[axis]]
        if not along:
            continue
        firsts, rising = [], []
        for band in row_bands(cover.shape, halo=1, pixels=CACHED_PIXELS):
            rows = slice(band.rows.start, band.rows.stop + 1 - axis)  # a step down the rows needs the next one
            step = np.diff(cover[rows], axis=axis)
            row, column = rows_columns(np.flatnonzero(np.abs(step) > tolerance), step.shape[1])
            firsts.append((row + rows.start) * width + column)
            rising.append(step[row, column] > 0)
        first, rises = np.concatenate(firsts), np.concatenate(rising)
        for way in along:
            forth = way[axis] > 0
            pair = (first + beside, first) if forth else (first, first + beside)
            pairs.append(tuple(side[rises == forth] for side in pair))
    near, far = zip(*pairs, strict=True)
    return np.concatenate(near), np.concatenate(far)


def _farthest(front: _Front, latest: NDArray[np.int32]) -> _Front:
    """Keep one candidate for each target: the farthest, and the last one of several at the same depth.

    ``latest`` is memory for a number per pixel of the picture.
    """
    turn = np.arange(len(front.targets), dtype=np.int32)
    latest[front.targets] = turn
    while True:
        kept = latest.take(front.targets)
        farther = np.flatnonzero(front.levels < front.levels.take(kept))
        if not len(farther):
            return front.some(np.flatnonzero(kept == turn))
        latest[front.targets[farther]] = turn[farther]


def _moved(
    front: _Front,
    ways: tuple[tuple[int, int], ...],
    cover: NDArray[np.float32],
    tolerance: float,
    shape: tuple[int, ...],
) -> Iterator[_Front]:
    """The front one pixel further each way, where it is hidden by the surface at depth ``cover`` there."""
    height, width = shape
    row, column = rows_columns(front.targets, width)
    for down, right in ways:
        if down:
            inside = row > 0 if down < 0 else row < height - 1
        else:
            inside = column > 0 if right < 0 else column < width - 1
        reached = front.targets + (down * width + right)
        inside &= cover.take(reached, mode="clip") - front.levels > tolerance
        which = np.flatnonzero(inside)
        yield _Front(reached.take(which), front.origins.take(which), front.levels.take(which))
