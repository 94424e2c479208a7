"""Extends the background behind occluders, from every depth discontinuity up to the maximum disocclusion width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import chunked

__all__ = ["ALL_WAYS", "FROM_LEFT", "FROM_RIGHT", "HiddenSurface", "extend_background", "read_beyond_rim"]

# Steps (down, right) in which the background is extended. The right eye sees more background at the right side of
# objects, so the background there is extended from right to left.
FROM_RIGHT = ((0, -1),)
FROM_LEFT = ((0, 1),)
ALL_WAYS = ((0, -1), (0, 1), (-1, 0), (1, 0))

# Pixels extended beyond the maximum disocclusion width, for texture filtering and rounding.
OVERLAP = 3
SAME_SURFACE = 1.5  # pixels of shift


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


def extend_background(
    seen: NDArray[np.float32],
    cover: NDArray[np.float32],
    tolerance: float,
    ways: tuple[tuple[int, int], ...] = ALL_WAYS,
) -> tuple[HiddenSurface, HiddenSurface]:
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
    The layer behind the visible surface, and a second layer behind the first. Outside its own mask the second layer
    repeats the depth and source of the first.
    """
    count, over = seen.size, cover.ravel()
    first = HiddenSurface(seen.ravel().copy(), np.arange(count, dtype=np.int32), np.zeros(count, bool))
    second = HiddenSurface(np.empty(count, np.float32), np.empty(count, np.int32), np.zeros(count, bool))
    latest = np.empty(count, np.int32)  # which candidate is kept where several reach a pixel in one step

    def going_on(front: _Front, run: int) -> _Front:
        """The part of a front that a surface in front still covers, and that lies before no other hidden surface."""
        gap = over.take(front.targets) - front.levels
        front = front.some(np.flatnonzero((gap > tolerance) & (run <= gap + OVERLAP)))
        # A third layer is not stored, but the surface may be needed again further on.
        deeper = first.depth.take(front.targets) - front.levels > tolerance
        return front.some(np.flatnonzero(deeper | ~first.mask.take(front.targets)))

    targets, origins = _starts(cover, tolerance, ways)
    front = going_on(_Front(targets, origins.astype(np.int32), seen.ravel()[origins]), 1)
    run = 1
    while len(front.targets):
        front = _farthest(front, latest)
        free = ~first.mask.take(front.targets)
        behind = ~free & ~second.mask.take(front.targets)
        for hidden, mine in ((first, free), (second, behind)):
            at, origins, levels = front.some(np.flatnonzero(mine))
            hidden.source[at], hidden.depth[at], hidden.mask[at] = origins, levels, True
        run += 1
        # Sorted out way by way: most of what comes next has been reached before.
        steps = [going_on(part, run) for part in _moved(front, ways, seen.shape)]
        front = _Front(*(np.concatenate(parts) for parts in zip(*steps, strict=True)))
    del latest
    for own, other in ((second.depth, first.depth), (second.source, first.source)):
        np.copyto(own, other, where=~second.mask)
    return _shaped(first, seen.shape), _shaped(second, seen.shape)


def _shaped(hidden: HiddenSurface, shape: tuple[int, ...]) -> HiddenSurface:
    return HiddenSurface(hidden.depth.reshape(shape), hidden.source.reshape(shape), hidden.mask.reshape(shape))


def read_beyond_rim(hidden: HiddenSurface, seen: NDArray[np.float32], pixels: int) -> None:
    """Move the sources ``pixels`` further from the outline, where no foreground color is mixed in; in place.

    A source stays in place if its surface ends before that.
    """
    height, width = seen.shape
    source, flat = hidden.source.ravel(), seen.ravel()

    def move(here: NDArray[np.int64]) -> None:
        own = source[here]
        row, column = np.divmod(own, width)
        down, right = row - here // width, column - here % width
        length = np.maximum(np.hypot(down, right), 1)
        moved_row = np.rint(row + pixels * down / length).astype(np.int64).clip(0, height - 1)
        moved_column = np.rint(column + pixels * right / length).astype(np.int64).clip(0, width - 1)
        moved = moved_row * width + moved_column
        source[here] = np.where(np.abs(flat[moved] - flat[own]) < SAME_SURFACE, moved, own)

    chunked(move, np.flatnonzero(hidden.mask))


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
    width = cover.shape[1]
    pairs = []
    for axis in (1, 0):
        along = [way for way in ways if way[axis]]
        if not along:
            continue
        step = np.diff(cover, axis=axis)
        rows, columns = np.nonzero(np.abs(step) > tolerance)
        rises = step[rows, columns] > 0
        first = rows * width + columns
        second = first + (1 if axis else width)
        for way in along:
            forth = way[axis] > 0
            pair = (second, first) if forth else (first, second)
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


def _moved(front: _Front, ways: tuple[tuple[int, int], ...], shape: tuple[int, ...]) -> Iterator[_Front]:
    """The front one pixel further each way, without what would leave the picture."""
    height, width = shape
    row = front.targets // width
    column = front.targets - row * width
    for down, right in ways:
        if down:
            inside = row > 0 if down < 0 else row < height - 1
        else:
            inside = column > 0 if right < 0 else column < width - 1
        part = front.some(np.flatnonzero(inside))
        yield _Front(part.targets + (down * width + right), part.origins, part.levels)
