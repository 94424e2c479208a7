"""Gives hair, wool and other fringes before a plain background the depth of the foreground that they belong to.

A network's outline runs inside fur, hair or the pile of wool, and cuts off tips. In new views, what sticks out stays on
the background as a contour of the subject in its old place, and colors the gap between. Where the background nearby is
plain, everything beside an outline that differs from it, but does not go on beyond it, belongs to the foreground.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import parts_around
from depth3d.geometry.edges.blur import wide_blur
from depth3d.geometry.edges.discs import block_extremes, dilate_disc
from depth3d.geometry.edges.masks import around, close_gaps, closest, enlarged_mask
from depth3d.image import Size

__all__ = ["Beside", "averaging", "cover_fringe", "find_beside", "raised", "reduced"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

REACH = 1 / 48, 1 / 30  # of the width: how far a fringe sticks out; what has the colors of the foreground, too
SOLVED_SIDE = 1000  # px; larger photos are examined at this size
STEP, STEP_SHARE = 1.0, 0.1  # least step of depth beside a fringe: pixels of shift, share of the range
PLAIN = 12.0, 20.0  # largest deviation of a plain background from its mean color nearby, of 255 levels (Euclidean, RGB)
DIFFERENT, DEVIATIONS = 12.0, 3.0  # a fringe differs by more than so many levels and so many deviations
LIKE = 0.5  # colors of the foreground are so much nearer to its mean than to the background's
LEAST_MASS = 0.003  # share of background pixels in the average
BLOCK = 4  # px across the blocks in which it is tested whether there is a step nearby
SEAM = 1  # px, half of the width of gaps between a fringe and its foreground that are closed
ROOT, LEAST = 2, 4  # px; the blur of an exact outline reaches so far, and the shortest fringe


class Beside(NamedTuple):
    """Masks (h, w) of the far side of outlines, and of its part within reach of one."""

    far: Mask
    band: Mask


def cover_fringe(shift: Floats, colors: NDArray[np.uint8]) -> Floats:
    """Return the depth with fringes before plain backgrounds at that of their foreground.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift, with sharp edges.
    colors : NDArray[np.uint8]
        (H, W, 3), the photo.
    """
    depth, small, step = reduced(shift, colors, SOLVED_SIDE)
    for share, plain, like in zip(REACH, PLAIN, (False, True), strict=True):
        reach = max(ROOT + 1, round(depth.shape[1] * share))
        beside = find_beside(depth, reach, step)
        if not beside.band.any():
            continue
        fringe = _attached(_different(small, beside, reach, plain, like), beside)
        if not fringe.any():
            continue
        front = ~beside.far
        shift = raised(shift, closest(depth, front)[1], front, fringe, SEAM)
    return shift


def reduced(shift: Floats, colors: NDArray[np.uint8], side: int) -> tuple[Floats, list[Floats], float]:
    """Return depth and colors, one plane each, at no more than ``side`` pixels, and the least step of depth to look at.

    Depth is not averaged, so that steps stay steps; the step is in its unit.
    """
    size = Size(shift.shape[1], shift.shape[0]).fit(side)
    depth = np.asarray(cv2.resize(shift, size, interpolation=cv2.INTER_NEAREST), np.float32)
    small = [plane.astype(np.float32) for plane in cv2.split(cv2.resize(colors, size, interpolation=cv2.INTER_AREA))]
    return depth, small, max(STEP, STEP_SHARE * float(np.ptp(shift)))


def raised(shift: Floats, near: Floats, front: Mask, new: Mask, closed: int) -> Floats:
    """Return a copy of the depth (H, W), where the foreground grows at least as near as the smaller map ``near`` says.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift.
    near : Floats
        (h, w), the depth of the closest foreground.
    front, new : Mask
        (h, w), the foreground, and what becomes part of it.
    closed : int
        Half of the width of the gaps between them that are closed: between the samples of a larger photo holes would
        remain, whose colors would stay behind, and would be the closest ones to what is hidden.
    """
    whole = close_gaps(front | new, closed) & (front | around(new, 2 * closed))
    beside = around(whole & ~front, 1).view(np.uint8)
    where = cv2.resize(beside, shift.shape[::-1], interpolation=cv2.INTER_NEAREST).view(bool)
    nearest = cv2.resize(near, shift.shape[::-1], interpolation=cv2.INTER_NEAREST)
    places, result = np.flatnonzero(where & enlarged_mask(whole, shift.shape)), shift.copy()
    result.ravel()[places] = np.maximum(result.ravel().take(places), nearest.ravel().take(places))
    return result


def find_beside(depth: Floats, reach: int, step: float) -> Beside:
    """Find the far side of all outlines higher than ``step``, and its part within ``reach`` pixels of one."""
    near = depth.copy()
    for part in parts_around(_steps_within(depth, reach, step), 0, halo=reach):
        near[part.at] = dilate_disc(depth[part.read], 2 * reach + 1)[part.inside]
    side = 6 * reach + 1  # averages of the background take in nothing else
    far = depth - cv2.erode(depth, np.ones((side, side), np.uint8)) < step
    return Beside(far, far & (near - depth > step))


def _steps_within(depth: Floats, reach: int, step: float) -> Mask:
    """(h, w), where there may be something nearer by more than ``step`` within ``reach``: by blocks, with no gaps."""
    (low, high), blocks = block_extremes(depth, BLOCK), -(-reach // BLOCK) + 1
    found = cv2.dilate(high, np.ones((2 * blocks + 1,) * 2, np.uint8)) - low > step
    rows, columns = (np.arange(many) // BLOCK for many in depth.shape)
    return np.asarray(found[rows[:, None], columns])


def _different(color: list[Floats], beside: Beside, reach: int, plain: float, like: bool) -> Mask:
    """The pixels of the far side that differ from a plain background; ``like``: and resemble the foreground nearby."""
    average, mass = averaging(beside.far & ~beside.band, reach)
    squared = _squared_distance(color, average)
    away, deviation = np.sqrt(squared), np.sqrt(average(squared))
    different = (away > DIFFERENT + DEVIATIONS * deviation) & (deviation < plain) & (mass > LEAST_MASS)
    if like:
        different &= np.sqrt(_squared_distance(color, averaging(~beside.far, reach)[0])) < LIKE * away
    return close_gaps(different & beside.far, 1) & beside.far


def averaging(where: Mask, reach: int) -> tuple[Callable[[Floats], Floats], Floats]:
    """A function that averages values (h, w) over the pixels ``where`` nearby, and the share of these, (h, w)."""
    weights = where.astype(np.float32)
    mass = wide_blur(weights, 0.8 * reach)
    weight = np.maximum(mass, np.float32(1e-6))

    def average(values: Floats) -> Floats:
        blurred = wide_blur(weights * values, 0.8 * reach)
        blurred /= weight
        return blurred

    return average, mass


def _squared_distance(color: list[Floats], average: Callable[[Floats], Floats]) -> Floats:
    """(h, w) squared distance of each color from the average there."""
    squared = np.zeros(color[0].shape, np.float32)
    for channel in color:
        away = average(channel)
        away -= channel
        away *= away
        squared += away
    return squared


def _attached(different: Mask, beside: Beside) -> Mask:
    """The parts that begin at an outline, stick out further than its blur, and end within reach."""
    root, short = (dilate_disc(~beside.far, 2 * reach + 1) for reach in (ROOT, LEAST))
    count, labels = cv2.connectedComponents((different & ~root).view(np.uint8), connectivity=8)
    begins, goes_on, long = (np.zeros(count, bool) for _ in range(3))
    begins[labels[around(different & root, 2)]] = True
    goes_on[labels[different & ~beside.band]] = True
    long[labels[different & ~short]] = True
    chosen = begins & long & ~goes_on
    chosen[0] = False
    parts = close_gaps(np.asarray(chosen[labels]), 1)
    joined = root & different & dilate_disc(parts, 2 * ROOT + 3)
    return beside.band & (parts | joined)
