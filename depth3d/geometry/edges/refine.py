"""Moves depth edges to the outlines in the picture: which side of an edge a pixel is on is decided by its color."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import row_bands
from depth3d.geometry.edges.discontinuities import find_discontinuities
from depth3d.geometry.edges.guided import Guide, added, guide_of, guided
from depth3d.geometry.edges.thin import recover_thin

__all__ = ["absorb_islands", "align_frame", "align_to_picture"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

REFERENCE_WIDTH = 640
WORK_WIDTH = 1000  # the sides of wider pictures are modeled at half, a third ... of their size
FRAME_WIDTH = 320  # the same of the frames of clips
LEAST_SCALE = 0.4  # of REACH in frames
STEP = 2.0  # pixels of shift at the working size: lower steps are not moved
REACH = 5  # pixels at 640 wide by which an edge may be off
ROUNDS = 3
NOISE = 6.0  # gray levels
MOST_EVIDENCE = 4.0  # of a color, in nats
PRIOR = 3.0  # nats at ``REACH`` from the edge, in favor of the depth map
SMOOTH = 25.0  # gray levels: colors of one surface differ by less (guided filter)
UNEVEN = 0.15  # of the step: standard deviation of the depth on either side
RAMP = 0.2  # of the step: a pixel whose depth differs by more from its side's is on a ramp
ISLAND_HALO = 4  # sides of such an island
WIDE = 7.0  # pixels: wider blurs are computed at 1/SHRINK of the size
SHRINK = 3
ISLAND = 8  # the same with depth of field
SPECK = 4  # pixels square at 640 wide: smaller islands join their surroundings


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
        Side of the largest island that is removed, pixels at 640 wide; 0 = none is.
    """

    factor: int
    scale: float
    step: float
    rounds: int
    speck: float


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Both sides of the edges, (H, W) each.

    Parameters
    ----------
    slope, offset : list[Floats], Floats
        Color in 0..1 to a number that is positive on the near side (guided filter); one slope for each channel.
    near, far : Floats
        Depth of either side.
    band : Mask
        Pixels to decide on: close to an edge between exactly two surfaces.
    is_near : Mask
        The side by the depth alone.
    """

    slope: list[Floats]
    offset: Floats
    near: Floats
    far: Floats
    band: Mask
    is_near: Mask


def align_to_picture(shift: Floats, picture: NDArray[np.uint8], told: Floats | None = None) -> Floats:
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
    """
    factor = max(1, round(shift.shape[1] / WORK_WIDTH))
    scale = max(1.0, shift.shape[1] / factor / REFERENCE_WIDTH)
    return _aligned(shift, picture, _Effort(factor, scale, STEP * factor, ROUNDS, SPECK), told)


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


def _aligned(shift: Floats, picture: NDArray[np.uint8], effort: _Effort, told: Floats | None = None) -> Floats:
    height, width = shift.shape
    factor, scale, speck = effort.factor, effort.scale, effort.speck
    small, color = shift, picture
    if factor > 1:
        size = (width // factor, height // factor)
        small = np.asarray(cv2.resize(shift, size, interpolation=cv2.INTER_NEAREST), np.float32)
        color = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    guide = guide_of(color, max(1, round(REACH * scale) // 2), SMOOTH)
    for remaining in reversed(range(effort.rounds)):
        if remaining == 0 and told is not None:
            if factor > 1:
                size = (width // factor, height // factor)
                told = np.asarray(cv2.resize(told, size, interpolation=cv2.INTER_AREA), np.float32)
            small = recover_thin(small, told, color, scale, effort.step)
        sides = _find_sides(small, guide, scale, effort.step)
        if sides is None:
            return shift
        if remaining == 0 and factor > 1:
            return _decided(sides, shift, picture, speck * scale * factor)
        small = _decided(sides, small, color, speck * scale)
    return small


def _find_sides(shift: Floats, guide: Guide, scale: float, step: float) -> _Sides | None:
    """Model both sides of all steps higher than ``step``; None if there are none."""
    reach = round(REACH * scale)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (4 * reach + 1, 4 * reach + 1))
    high, low = cv2.dilate(shift, window), cv2.erode(shift, window)
    is_near, apart = shift > (high + low) / 2, (high - low) > step
    edge = find_discontinuities(shift, step).beside()
    edge &= find_discontinuities(is_near.astype(np.float32), 0.5).beside()
    if not edge.any():
        return None
    away = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 3)
    sure = (np.clip(away / reach, 0.05, 1) ** 2 * apart).astype(np.float32)
    models, levels, uneven = [], [], []
    for side in (is_near, ~is_near):
        weight = sure * side
        mass = _blur(weight, reach) + np.float32(1e-6)
        models.append([_model(*planes, weight, mass, reach) for planes in zip(guide.color, guide.squares, strict=True)])
        levels.append(_blur(shift * weight, reach) / mass)
        uneven.append(_blur(shift * shift * weight, reach) / mass - levels[-1] ** 2)
    costs = [
        added(
            [
                (color - mean) ** 2 / spread + np.log(spread)
                for color, (mean, spread) in zip(guide.color, model, strict=True)
            ]
        )
        for model in models
    ]
    evidence = np.clip((costs[1] - costs[0]) / 2, -MOST_EVIDENCE, MOST_EVIDENCE) * (1 - _overlap(*models)) ** 2
    total = evidence + np.where(is_near, away, -away) * np.float32(PRIOR / reach)
    close = (away <= reach) & apart
    total = np.where(close, total, np.where(is_near, np.float32(MOST_EVIDENCE), np.float32(-MOST_EVIDENCE)))
    slope, offset = guided(np.clip(total, -MOST_EVIDENCE, MOST_EVIDENCE), guide)
    band = close & (np.maximum(*uneven) < (UNEVEN * (levels[0] - levels[1])) ** 2)
    return _Sides(slope, offset, levels[0], levels[1], band, is_near)


def _model(color: Floats, square: Floats, weight: Floats, mass: Floats, reach: int) -> tuple[Floats, Floats]:
    """Weighted mean and variance of one channel around each pixel."""
    mean = _blur(color * weight, reach) / mass
    return mean, np.maximum(_blur(square * weight, reach) / mass - mean * mean, 0) + np.float32(NOISE**2)


def _decided(sides: _Sides, shift: Floats, picture: NDArray[np.uint8], speck: float) -> Floats:
    """Give every pixel of the band the depth of its side, at the size of ``shift``; in bands of rows."""
    result = np.empty_like(shift)
    # Islands are small: the halo holds those of the band whole.
    for rows in row_bands(shift.shape, halo=round(ISLAND_HALO * speck)):
        result[rows.rows] = _decided_rows(sides, shift, picture, speck, rows.read)[rows.inside]
    return result


def _decided_rows(sides: _Sides, shift: Floats, picture: NDArray[np.uint8], speck: float, rows: slice) -> Floats:
    whole = shift.shape
    band, is_near = (_enlarged(values, whole, rows) for values in (sides.band, sides.is_near))
    result = shift[rows].copy()
    places = np.flatnonzero(band)
    sized = _interpolation(sides.band.shape, whole, rows, places)
    color = picture[rows].reshape(-1, 3)[places]
    total = sized(sides.offset)
    for channel in range(3):
        total += sized(sides.slope[channel]) * color[:, channel] * np.float32(1 / 255)
    to_near = is_near.copy()
    to_near.ravel()[places] = total > 0
    if speck:
        to_near = _without_islands(to_near, band, round(speck**2))
    near, far = sized(sides.near), sized(sides.far)
    side = np.where(to_near.ravel()[places], near, far)
    # Also for pixels that keep their side: those on a ramp, separated from both sides, would be visible as dots.
    changed = np.abs(result.ravel()[places] - side) > RAMP * (near - far)
    result.ravel()[places[changed]] = side[changed]
    return result


def _enlarged(values: Mask, shape: tuple[int, ...], rows: slice) -> Mask:
    """Rows of the picture that ``values`` becomes when it is resized to ``shape``, nearest pixel."""
    if values.shape == shape:
        return values[rows]
    height = len(values)
    lower = np.minimum(np.arange(rows.start, rows.stop) * height // shape[0], height - 1)
    part = values[lower[0] : lower[-1] + 1].view(np.uint8)
    wide = cv2.resize(part, (shape[1], len(part)), interpolation=cv2.INTER_NEAREST)
    return np.asarray(wide[lower - lower[0]]).view(bool)


def _interpolation(
    small: tuple[int, ...], shape: tuple[int, ...], rows: slice, places: NDArray[np.int64]
) -> Callable[[Floats], Floats]:
    """A function that enlarges a small picture to ``shape`` (bilinear), but only at ``places`` of its ``rows``."""
    if small == shape:
        return lambda values: values[rows].ravel()[places]
    width = shape[1]
    place = ((np.arange(rows.start, rows.stop) + 0.5) * small[0] / shape[0] - 0.5).clip(0, small[0] - 1)
    lower = np.floor(place).astype(np.int64)
    upper, share = np.minimum(lower + 1, small[0] - 1), (place - lower).astype(np.float32)
    first, last = int(lower[0]), int(upper[-1]) + 1
    row, column = np.divmod(places, width)
    above, below, mine = (lower - first)[row] * width + column, (upper - first)[row] * width + column, share[row]

    def sized(values: Floats) -> Floats:
        # Only sideways, to the full width: rows between are interpolated where they are needed.
        wide = cv2.resize(values[first:last], (width, last - first), interpolation=cv2.INTER_LINEAR).ravel()
        found: Floats = wide[above]
        found += (wide[below] - found) * mine
        return found

    return sized


def _overlap(one: list[tuple[Floats, Floats]], other: list[tuple[Floats, Floats]]) -> Floats:
    """Bhattacharyya coefficient of two Gaussians per pixel, (mean, variance) for each channel: 1 = the same."""
    exponents = []
    for (mean, spread), (its_mean, its_spread) in zip(one, other, strict=True):
        total = spread + its_spread
        exponents.append(
            (mean - its_mean) ** 2 / (4 * total) + 0.5 * np.log(total / (2 * np.sqrt(spread * its_spread)))
        )
    return np.asarray(np.exp(-added(exponents)), np.float32)


def _without_islands(near: Mask, band: Mask, pixels: int) -> Mask:
    """Assign connected islands of fewer pixels to the surrounding side; for both sides."""
    result = near.copy()
    for side in (True, False):
        count, labels, stats, _ = cv2.connectedComponentsWithStats((result == side).astype(np.uint8), connectivity=4)
        if count > 1:
            small = stats[:, cv2.CC_STAT_AREA] < pixels
            small[0] = False
            result[small[labels] & band] = not side
    return result


def _blur(values: Floats, spread: float) -> Floats:
    """Gaussian blur; a wide one is computed at a third of the size, where it has nearly the same result."""
    if spread < WIDE:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), spread), np.float32)
    height, width = values.shape
    small = cv2.resize(values, (-(-width // SHRINK), -(-height // SHRINK)), interpolation=cv2.INTER_AREA)
    # Averaging and interpolation blur, too: by the variance of a box and of a triangle.
    rest = math.sqrt((spread / SHRINK) ** 2 - (1 - SHRINK**-2) / 12 - 1 / 6)
    soft = cv2.GaussianBlur(small, (0, 0), rest)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
