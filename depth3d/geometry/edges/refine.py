"""Moves depth edges to the outlines in the picture: which side of an edge a pixel is on is decided by its color."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import parts_around
from depth3d.geometry.edges.guided import Guide
from depth3d.geometry.edges.sides import REACH, Sides, depth_of_side, find_sides
from depth3d.geometry.edges.thin import recover_thin

__all__ = ["absorb_islands", "align_frame", "align_to_picture"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

REFERENCE_WIDTH = 640
WORK_WIDTH = 1000  # the sides of wider pictures are modeled at half, a third ... of their size
# At working sizes from this many times 640 pixels on, all rounds but the last model the sides at half that size: they
# only bring the edges closer to where the last one looks for them.
COARSE_SCALE, COARSER = 1.5, 2
FRAME_WIDTH = 320  # the same of the frames of clips
LEAST_SCALE = 0.4  # of REACH in frames
STEP = 2.0  # pixels of shift at the working size: lower steps are not moved
ROUNDS = 3
SMOOTH = 25.0  # gray levels: colors of one surface differ by less (guided filter)
RAMP = 0.2  # of the step: a pixel whose depth differs by more from its side's is on a ramp
ISLAND_HALO = 4  # sides of such an island
ISLAND = 8  # the same with depth of field
SPECK = 4  # pixels square at 640 wide: smaller islands join their surroundings
CLOSE, LEAST_MASS = 2.5, 1e-4  # pixels, Gaussian, of the depth beside what changes sides, and the least share of it
DECIDED_ROWS = 384  # at a time
CROSS = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)


@dataclass(frozen=True, slots=True)
class _Effort:
    """How thoroughly edges are aligned.

    Parameters
    ----------
    factor : int
        The sides are modeled at 1/factor of the size.
    scale : float
        Of ``REACH`` and ``SPECK``, at that size.
    step : float
        Pixels of shift: lower steps are not moved.
    rounds : int
        Each begins with the edges of the one before.
    speck : float
        Side of the largest island that is removed, pixels at 640 wide; 0 = none is, and what changes sides gets the
        mean depth of its side, not that beside it, which takes longer.
    """

    factor: int
    scale: float
    step: float
    rounds: int
    speck: float


def align_to_picture(
    shift: Floats, picture: NDArray[np.uint8], told: Floats | None = None, unit: float = 1.0
) -> Floats:
    """Move depth edges by up to ``REACH`` pixels to where the picture's colors change.

    Around an edge, the colors of either side are modeled by a Gaussian from pixels that are clearly on that side; a
    pixel's log-likelihood ratio, plus a prior for the given edge, is smoothed along the picture's own edges by a guided
    filter (He, Sun and Tang 2013, Guided image filtering) and decides its side. The band between the two certain sides
    is a trimap, and the decision a matte cut at one half. Where a third surface is near, nothing is changed.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift, with ramps already turned into steps by ``sharpen``.
    picture : NDArray[np.uint8]
        (H, W, 3), sRGB.
    told : Floats | None
        ``shift`` before its ramps were turned into steps, to recover thin things from (``recover_thin``); None = do
        not.
    unit : float
        Pixels of shift of 1 in ``told``.
    """
    factor = max(1, round(shift.shape[1] / WORK_WIDTH))
    scale = max(1.0, shift.shape[1] / factor / REFERENCE_WIDTH)
    return _aligned(shift, picture, _Effort(factor, scale, STEP * factor, ROUNDS, SPECK), told, unit)


def align_frame(shift: Floats, picture: NDArray[np.uint8]) -> Floats:
    """Move the depth edges of a video frame to where the picture's colors change: ``align_to_picture`` in one round.

    The sides are modeled on a small picture, and single pixels on the wrong side are left to the median filter of
    ``sharpen_frame``, which comes next. Frames of a clip agree better: an outline lies where the colors change, not
    where the network saw it this time. Edges move by half as many pixels as in photos: in one round, a wider band
    takes in what lies beyond and happens to have the foreground's color.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift; may have ramps.
    picture : NDArray[np.uint8]
        (H, W, 3), sRGB.
    """
    factor = max(1, round(shift.shape[1] / FRAME_WIDTH))
    scale = max(LEAST_SCALE, shift.shape[1] / factor / REFERENCE_WIDTH)
    return _aligned(shift, picture, _Effort(factor, scale, STEP, 1, 0))


def absorb_islands(shift: Floats) -> Floats:
    """Give small islands beside depth edges the depth that surrounds them.

    With depth of field they would be sharp dots in what is out of focus.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift, with steps instead of ramps.
    """
    scale = max(1.0, shift.shape[1] / REFERENCE_WIDTH)
    side = 2 * round(ISLAND * scale) + 1
    high, low = (how(shift, np.ones((side, side), np.uint8)) for how in (cv2.dilate, cv2.erode))
    band, near = high - low > STEP, shift > (high + low) / 2
    settled = _without_islands(near & band, band, round((ISLAND * scale) ** 2))
    # Between two surfaces, on a slope, the window's extremes belong to neither.
    off = np.where(settled, shift - low, high - shift)
    changed = band & (settled != near) & (off < RAMP * (high - low))
    return np.where(changed, np.where(settled, high, low), shift).astype(np.float32)


def _aligned(
    shift: Floats, picture: NDArray[np.uint8], effort: _Effort, told: Floats | None = None, unit: float = 1.0
) -> Floats:
    height, width = shift.shape
    factor, scale, speck = effort.factor, effort.scale, effort.speck
    small, color = _reduced(shift, picture, factor)
    before_last = COARSER if scale >= COARSE_SCALE else 1
    for remaining in reversed(range(effort.rounds)):
        if remaining == 0 and told is not None:
            if factor > 1:
                size = (width // factor, height // factor)
                told = np.asarray(cv2.resize(told, size, interpolation=cv2.INTER_AREA), np.float32)
            small = recover_thin(small, told * np.float32(unit), color, scale, effort.step)
        sides = _sides(small, color, effort, before_last if remaining else 1)
        if sides is None:
            return shift
        if remaining == 0 and factor > 1:
            del small, color
            return _decided(sides, shift, picture, speck * scale * factor)
        small = _decided(sides, small, color, speck * scale)
        del sides  # before the next ones: 27 bytes a pixel
    return small


def _reduced(shift: Floats, picture: NDArray[np.uint8], factor: int) -> tuple[Floats, NDArray[np.uint8]]:
    """Both at 1/``factor`` of the size; depth is not averaged, so that steps stay steps."""
    if factor == 1:
        return shift, picture
    size = (shift.shape[1] // factor, shift.shape[0] // factor)
    small = cv2.resize(shift, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(small, np.float32), np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _sides(shift: Floats, picture: NDArray[np.uint8], effort: _Effort, factor: int) -> Sides | None:
    """Model the sides of the edges at 1/``factor`` of the size of ``shift``."""
    scale = effort.scale / factor
    small, color = _reduced(shift, picture, factor)
    return find_sides(small, Guide(color, max(1, round(REACH * scale) // 2), SMOOTH), scale, effort.step)


def _decided(sides: Sides, shift: Floats, picture: NDArray[np.uint8], speck: float) -> Floats:
    """Give every pixel of the band the depth of its side, at the size of ``shift``."""
    result = shift.copy()
    band, is_near = (_enlarged(values, shift.shape) for values in (sides.band, sides.is_near))
    # Islands are small: the halo holds those of the band whole.
    for part in parts_around(band, 0, halo=round(ISLAND_HALO * speck), side=DECIDED_ROWS):
        decided = _decided_part(sides, (band, is_near), shift, picture, speck, part.read)
        result[part.at] = decided[part.inside]
    return result


def _decided_part(
    sides: Sides,
    masks: tuple[Mask, Mask],
    shift: Floats,
    picture: NDArray[np.uint8],
    speck: float,
    at: tuple[slice, slice],
) -> Floats:
    result, (band, is_near) = shift[at].copy(), (mask[at] for mask in masks)
    places = np.flatnonzero(band)
    sized = _interpolation(sides.band.shape, shift.shape, at, places)
    total = sized(sides.offset)
    for slope, color in zip(sides.slope, cv2.split(picture[at]), strict=True):
        total += sized(slope) * color.ravel().take(places) * np.float32(1 / 255)
    to_near = is_near.copy()
    to_near.ravel()[places] = total > 0
    if speck:
        to_near = _without_islands(to_near, band, round(speck**2))
    near, far = sized(sides.near), sized(sides.far)
    side = np.where(to_near.ravel()[places], near, far)
    # Also for pixels that keep their side: those on a ramp, separated from both sides, would be visible as dots.
    changed = np.abs(result.ravel()[places] - side) > RAMP * (near - far)
    if speck:
        settled = np.ones(result.shape, bool)
        settled.ravel()[places[changed]] = False
        for mine, level in ((to_near, near), (~to_near, far)):
            which = np.flatnonzero(changed & (side == level))
            side[which] = _joined(result, settled & mine, places[which], side[which], (near - far)[which])
    result.ravel()[places[changed]] = side[changed]
    return result


def _joined(depth: Floats, known: Mask, places: NDArray[np.int64], level: Floats, step: Floats) -> Floats:
    """(K,) the depth of the ``known`` pixels closest to ``places``, where it is about that of their side, ``level``."""
    mass, total = (np.empty(depth.shape, np.float32) for _ in range(2))
    asked = np.zeros(depth.shape, bool)
    asked.ravel()[places] = True
    for part in parts_around(asked, 0, halo=round(4 * CLOSE) + 1):
        weight = known[part.read].astype(np.float32)
        product = depth[part.read] * weight
        for whole, values in ((mass, weight), (total, product)):
            whole[part.at] = cv2.GaussianBlur(values, (0, 0), CLOSE, dst=values)[part.inside]
    mass = mass.ravel().take(places)
    closest = total.ravel().take(places) / np.maximum(mass, np.float32(1e-6))
    return depth_of_side(np.where(mass > LEAST_MASS, closest, level), level, step)


def _enlarged(values: Mask, shape: tuple[int, ...]) -> Mask:
    """Resize to ``shape``, nearest pixel."""
    if values.shape == shape:
        return values
    lower = np.minimum(np.arange(shape[0]) * len(values) // shape[0], len(values) - 1)
    wide = cv2.resize(values.view(np.uint8), (shape[1], len(values)), interpolation=cv2.INTER_NEAREST)
    return np.asarray(wide[lower]).view(bool)


def _interpolation(
    small: tuple[int, ...], shape: tuple[int, ...], at: tuple[slice, slice], places: NDArray[np.int64]
) -> Callable[[Floats], Floats]:
    """A function that enlarges a small picture to ``shape`` (bilinear), but only at ``places`` of a part of it."""
    if small == shape:
        return lambda values: values[at].ravel()[places]
    (rows, columns), width = at, shape[1]
    place = ((np.arange(rows.start, rows.stop) + 0.5) * small[0] / shape[0] - 0.5).clip(0, small[0] - 1)
    lower = np.floor(place).astype(np.int64)
    upper, share = np.minimum(lower + 1, small[0] - 1), (place - lower).astype(np.float32)
    first, last = int(lower[0]), int(upper[-1]) + 1
    row = places // (columns.stop - columns.start)  # the same as divmod, which is several times slower
    column = places - row * (columns.stop - columns.start) + columns.start
    above, below, mine = (lower - first)[row] * width + column, (upper - first)[row] * width + column, share[row]

    def sized(values: Floats) -> Floats:
        # Only sideways, to the full width: rows between are interpolated where they are needed.
        wide = cv2.resize(values[first:last], (width, last - first), interpolation=cv2.INTER_LINEAR).ravel()
        found: Floats = wide.take(above)
        found += (wide.take(below) - found) * mine
        return found

    return sized


def _without_islands(near: Mask, band: Mask, pixels: int) -> Mask:
    """Assign connected islands of fewer pixels to the surrounding side; for both sides."""
    result = near.copy()
    # An island holds no square of so many pixels: what does is not labeled, and what touches it is no island.
    square = np.ones((2 * (math.isqrt(pixels) // 2) + 3,) * 2, np.uint8)
    for side in (True, False):
        mine = (result if side else ~result).view(np.uint8)
        inner = cv2.erode(mine, square, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        wide = np.asarray(cv2.dilate(inner, square), np.uint8)
        narrow = mine & ~wide
        places = np.flatnonzero(narrow.view(bool))
        if not len(places):
            continue
        count, labels = cv2.connectedComponents(narrow, connectivity=4)
        label = labels.ravel().take(places)
        small = np.bincount(label, minlength=count) < pixels
        small[label[cv2.dilate(wide, CROSS).ravel().take(places).view(bool)]] = False
        result.ravel()[places[small[label] & band.ravel().take(places)]] = not side
    return result
