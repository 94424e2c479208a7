"""Moves depth edges to the outlines in the picture: which side of an edge a pixel is on is decided by its color."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import row_bands
from depth3d.geometry.edges.discontinuities import find_discontinuities

__all__ = ["align_to_picture"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

REFERENCE_WIDTH = 640
WORK_WIDTH = 1000  # the sides of wider pictures are modeled at half, a third ... of their size
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
SPECK = 4  # pixels square at 640 wide: smaller islands join their surroundings


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Both sides of the edges, (H, W) each.

    Parameters
    ----------
    slope, offset : Floats
        (H, W, 3) and (H, W): color in 0..1 to a number that is positive on the near side (guided filter).
    near, far : Floats
        Depth of either side.
    band : Mask
        Pixels to decide on: close to an edge between exactly two surfaces.
    is_near : Mask
        The side by the depth alone.
    """

    slope: Floats
    offset: Floats
    near: Floats
    far: Floats
    band: Mask
    is_near: Mask


def align_to_picture(shift: Floats, picture: NDArray[np.uint8]) -> Floats:
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
    """
    height, width = shift.shape
    factor = max(1, round(width / WORK_WIDTH))
    scale = max(1.0, width / factor / REFERENCE_WIDTH)
    small, color = shift, picture
    if factor > 1:
        size = (width // factor, height // factor)
        small = np.asarray(cv2.resize(shift, size, interpolation=cv2.INTER_NEAREST), np.float32)
        color = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    guide = color.astype(np.float32)
    for remaining in reversed(range(ROUNDS)):
        sides = _find_sides(small, guide, scale, STEP * factor)
        if sides is None:
            return shift
        if remaining == 0 and factor > 1:
            return _decided(sides, shift, picture, scale * factor)
        small = _decided(sides, small, color, scale)
    return small


def _find_sides(shift: Floats, color: Floats, scale: float, step: float) -> _Sides | None:
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
        mean = _blur(color * weight[..., None], reach) / mass[..., None]
        square = _blur(color * color * weight[..., None], reach) / mass[..., None]
        models.append((mean, np.maximum(square - mean * mean, 0) + np.float32(NOISE**2)))
        levels.append(_blur(shift * weight, reach) / mass)
        uneven.append(_blur(shift * shift * weight, reach) / mass - levels[-1] ** 2)
    costs = [(((color - mean) ** 2) / spread + np.log(spread)).sum(2) for mean, spread in models]
    evidence = np.clip((costs[1] - costs[0]) / 2, -MOST_EVIDENCE, MOST_EVIDENCE) * (1 - _overlap(*models)) ** 2
    total = evidence + np.where(is_near, away, -away) * np.float32(PRIOR / reach)
    close = (away <= reach) & apart
    total = np.where(close, total, np.where(is_near, np.float32(MOST_EVIDENCE), np.float32(-MOST_EVIDENCE)))
    slope, offset = _guided(np.clip(total, -MOST_EVIDENCE, MOST_EVIDENCE), color, max(1, reach // 2))
    band = close & (np.maximum(*uneven) < (UNEVEN * (levels[0] - levels[1])) ** 2)
    return _Sides(slope, offset, levels[0], levels[1], band, is_near)


def _decided(sides: _Sides, shift: Floats, picture: NDArray[np.uint8], scale: float) -> Floats:
    """Give every pixel of the band the depth of its side, at the size of ``shift``; in bands of rows."""
    result = np.empty_like(shift)
    # Islands are small: the halo holds those of the band whole.
    for rows in row_bands(shift.shape, halo=round(ISLAND_HALO * SPECK * scale)):
        result[rows.rows] = _decided_rows(sides, shift, picture, scale, rows.read)[rows.inside]
    return result


def _decided_rows(sides: _Sides, shift: Floats, picture: NDArray[np.uint8], scale: float, rows: slice) -> Floats:
    whole = shift.shape
    shift, picture = shift[rows], picture[rows]

    def sized(values: Floats | Mask) -> Floats:
        return _resized_rows(values, whole, rows)

    # Channel by channel: large pictures would need gigabytes otherwise.
    total = sized(sides.offset)
    for channel in range(3):
        total += sized(sides.slope[..., channel]) * picture[..., channel] * np.float32(1 / 255)
    band = sized(sides.band) > 0
    to_near = np.where(band, total > 0, sized(sides.is_near) > 0)
    to_near = _without_islands(to_near, band, round((SPECK * scale) ** 2))
    near, far = sized(sides.near), sized(sides.far)
    side = np.where(to_near, near, far)
    # Also for pixels that keep their side: those on a ramp, separated from both sides, would be visible as dots.
    changed = band & (np.abs(shift - side) > RAMP * (near - far))
    return np.where(changed, side, shift).astype(np.float32)


def _resized_rows(values: Floats | Mask, shape: tuple[int, ...], rows: slice) -> Floats:
    """Some rows of ``values`` resized to ``shape``: masks by the nearest value, numbers linearly."""
    wide = np.asarray(values, np.float32)
    if values.shape == shape:
        return wide[rows].copy()
    height = len(values)
    at = np.arange(rows.start, rows.stop)
    way = cv2.INTER_NEAREST if values.dtype == bool else cv2.INTER_LINEAR
    if values.dtype == bool:
        lower = upper = np.minimum(at * height // shape[0], height - 1)
        share = np.zeros(len(at), np.float32)
    else:
        place = ((at + 0.5) * height / shape[0] - 0.5).clip(0, height - 1)
        lower = np.floor(place).astype(np.int64)
        upper, share = np.minimum(lower + 1, height - 1), (place - lower).astype(np.float32)
    first, last = int(lower[0]), int(upper[-1]) + 1
    wide = np.asarray(cv2.resize(wide[first:last], (shape[1], last - first), interpolation=way), np.float32)
    result: Floats = wide[lower - first]
    result += (wide[upper - first] - result) * share[:, None]
    return result


def _overlap(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> Floats:
    """Bhattacharyya coefficient of two Gaussians per pixel, each (mean, variance) per channel: 1 = the same."""
    total = one[1] + other[1]
    exponent = (one[0] - other[0]) ** 2 / (4 * total) + 0.5 * np.log(total / (2 * np.sqrt(one[1] * other[1])))
    return np.asarray(np.exp(-exponent.sum(2)), np.float32)


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


def _guided(values: Floats, color: Floats, radius: int) -> tuple[Floats, Floats]:
    """Coefficients (slope (H, W, 3), offset (H, W)) of the guided filter of ``values`` (H, W) with a color guide."""
    guide = color / np.float32(255)
    mean = _box(guide, radius)
    mean_values = _box(values, radius)
    covariance = _box(guide * values[..., None], radius) - mean * mean_values[..., None]
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    product = _box(np.stack([guide[..., a] * guide[..., b] for a, b in pairs], -1), radius)
    rr, rg, rb, gg, gb, bb = (product[..., i] - mean[..., a] * mean[..., b] for i, (a, b) in enumerate(pairs))
    noise = np.float32((SMOOTH / 255) ** 2)
    rr, gg, bb = rr + noise, gg + noise, bb + noise
    # The inverse of the symmetric 3x3 matrix by cofactors.
    c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = rr * c00 + rg * c01 + rb * c02
    x, y, z = (covariance[..., i] for i in range(3))
    slope = np.stack([c00 * x + c01 * y + c02 * z, c01 * x + c11 * y + c12 * z, c02 * x + c12 * y + c22 * z], -1)
    slope /= determinant[..., None]
    offset = mean_values - (slope * mean).sum(2)
    return _box(slope, radius), _box(offset, radius)


def _box(values: Floats, radius: int) -> Floats:
    """Mean over a square window, for any number of channels."""
    side = (2 * radius + 1, 2 * radius + 1)
    if values.ndim == 2:
        return np.asarray(cv2.blur(values, side), np.float32)
    return np.stack([np.asarray(cv2.blur(np.ascontiguousarray(values[..., i]), side), np.float32)
                     for i in range(values.shape[2])], -1)  # fmt: skip


def _blur(values: Floats, spread: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), spread), np.float32)
