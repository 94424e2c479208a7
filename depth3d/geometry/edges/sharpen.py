"""Prepares depth edges for discontinuities: makes ramps steps, dilates the foreground over mixed pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.geometry.chunked import CACHED_PIXELS, chunked, parts_around, row_bands
from depth3d.geometry.edges.deblur import deblur
from depth3d.geometry.edges.discs import dilate_disc
from depth3d.geometry.edges.masks import around
from depth3d.geometry.edges.snap import SNAP_NOISE, SNAP_TEAR, snap_steps, window_at

__all__ = ["SOFT_SHARE", "dilate_foreground", "dilate_over_mixed", "sharpen", "sharpen_frame", "softness"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

# Networks and resizing leave ramps about this wide in a picture of REFERENCE_WIDTH; wider pictures have wider ramps.
REFERENCE_WIDTH = 640
RAMP_SLOPE = 0.7  # pixels of shift per pixel: steeper is a ramp, not a surface
RAMP_TAIL = 3  # pixels of a ramp's foot beyond its middle
WINDOWS = (7, 7, 5, 5, 5)
SOFT_SHARE = 0.3  # maps with fewer of their steep pixels inside ramps are sharp already
MIXED_SHARE = 0.1  # of the foreground's color in a pixel
FRAME_STEP_PIXELS = (1.0, 2.0)  # pixels of shift: lower ramps of clips stay, higher ones become steps
MEDIAN = 5  # pixels, window that removes ragged edges of frames
FRAME_SOFT_SHARE = 0.4  # of the steep pixels between both sides: fewer, and the map is sharp already
_WINDOWS_AT_ONCE = 20_000


def sharpen(shift: Floats, picture: NDArray[np.uint8], soft: float | None = None) -> Floats:
    """Turn the ramps of a soft depth map into steps.

    First the blur is measured and most of it removed (``deblur``). Then every pixel on a ramp takes the median of the
    surrounding pixels that are not on a ramp. This is repeated until the two sides meet at a step (as in Shih et al.
    2020, 3D Photography).

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift.
    picture : NDArray[np.uint8]
        (H, W, 3) of the same size.
    soft : float | None
        ``softness(shift)``, if it is known.
    """
    spacing = max(1, round(shift.shape[1] / REFERENCE_WIDTH))
    if (softness(shift) if soft is None else soft) < SOFT_SHARE:
        return _without_slivers(shift, picture)
    result = deblur(shift, RAMP_SLOPE, shift.shape[1] / REFERENCE_WIDTH).copy()
    before, places, ramps = result.copy(), np.empty(0, np.int64), np.ones(result.shape, bool)
    for window in WINDOWS:
        ramps = _ramps(result, ramps)
        before.ravel()[places] = result.ravel().take(places)
        places = np.flatnonzero(ramps)
        before.ravel()[places] = np.nan
        _settle_ramps(result, before, places, window // 2, spacing)
    del before, places, ramps
    snapped = snap_steps(result, picture, spacing)
    moved = around(snapped != result, spacing)
    del result
    # Once more where a step has moved: it may have to move further.
    return _without_slivers(snap_steps(snapped, picture, spacing, moved), picture)


def softness(shift: Floats) -> float:
    """Share of the steep pixels of a depth map that lie inside ramps: about 0 when measured, 1 when blurred."""
    steep = between = 0
    for band in row_bands(shift.shape, halo=2, pixels=CACHED_PIXELS):
        beside, ramp = _steep_and_between(shift[band.read])
        steep += int(np.count_nonzero(beside[band.inside]))
        between += int(np.count_nonzero(ramp[band.inside]))
    return between / steep if steep else 0.0


def sharpen_frame(depth: DepthMap, shift_pixels: float, *, sideways: bool = True) -> DepthMap:
    """Turn the ramps of a video frame's depth into steps and dilate the foreground: the fast variant of ``sharpen``.

    Maps that are sharp already are only dilated. Elsewhere each value on a ramp becomes the closer one of the smallest
    and largest value around it (toggle mapping, Kramer and Bruckner 1975); a median removes ragged edges.

    Parameters
    ----------
    depth : DepthMap
        At the size of the frame.
    shift_pixels : float
        Shift between depth 0 and depth 1 in one eye, in pixels; ramps lower than one pixel stay.
    sideways : bool
        Dilate along the rows only: for stereo pairs, which shift along the rows only.
    """
    values, pixels = depth.values, np.float32(abs(shift_pixels))
    scale = max(1, round(depth.size.width / REFERENCE_WIDTH))
    window = np.ones((4 * scale + 1, 4 * scale + 1), np.uint8)
    near = np.ones((1 if sideways else 2 * scale + 1, 2 * scale + 1), np.uint8)
    low, high = (np.asarray(how(values, window), np.float32) for how in (cv2.erode, cv2.dilate))
    start, full = FRAME_STEP_PIXELS
    raised = (high - low) * pixels > start  # elsewhere nothing changes
    places = np.flatnonzero(raised)
    value, lowest, highest = (plane.ravel().take(places) for plane in (values, low, high))
    above, below = value - lowest, highest - value
    height = (highest - lowest) * pixels
    steep = height > full
    between = np.count_nonzero(steep & (np.minimum(above, below) * pixels > RAMP_SLOPE))
    if between < FRAME_SOFT_SHARE * np.count_nonzero(steep):
        return DepthMap(np.asarray(cv2.dilate(values, near), np.float32))
    share = np.clip((height - np.float32(start)) / np.float32(full - start), 0, 1)
    mixed = values.copy()
    mixed.ravel()[places] = np.clip(value + share * (np.where(above > below, highest, lowest) - value), 0, 1)
    smooth, reach = mixed.copy(), MEDIAN // 2
    for part in parts_around(raised, reach, halo=reach):
        smooth[part.at] = cv2.medianBlur(mixed[part.read], MEDIAN)[part.inside]
    return DepthMap(np.asarray(cv2.dilate(smooth, near), np.float32))


def dilate_foreground(shift: Floats, pixels: int, *, sideways_only: bool = False) -> Floats:
    """Dilate the foreground by ``pixels``: photos mix the colors of both sides along an outline."""
    if pixels <= 0:
        return shift
    side = 2 * pixels + 1
    if sideways_only:
        return np.asarray(cv2.dilate(shift, np.ones((1, side), np.uint8)), np.float32)
    return dilate_disc(shift, side)


def dilate_over_mixed(cover: Floats, picture: NDArray[np.uint8]) -> Floats:
    """Dilate the foreground vertically by one pixel, but only over pixels that contain some of its color.

    For stereo pairs, where unconditional vertical dilation would hide more background than it cleans.
    """
    grown = cover.copy()
    color = picture.astype(np.float32)
    for shift, tones, out in ((cover, color, grown), (cover[::-1], color[::-1], grown[::-1])):
        # Rows 0 1 [2] 3 4: two of the far side, the pixel to decide, two of the near side.
        rows, columns = np.nonzero((shift[3:-1] - shift[2:-2] > SNAP_TEAR) & (np.abs(np.diff(shift, axis=0)[:-3]) < 1))
        far, own, near = (tones[rows + step, columns] for step in (0, 2, 4))
        across = near - far
        share = ((own - far) * across).sum(1) / np.maximum((across * across).sum(1), 1.0)
        mixed = (share > MIXED_SHARE) & ((across * across).sum(1) > SNAP_NOISE**2)
        out[rows[mixed] + 2, columns[mixed]] = np.maximum(
            out[rows[mixed] + 2, columns[mixed]], shift[rows[mixed] + 3, columns[mixed]]
        )
    return grown


def _settle_ramps(result: Floats, before: Floats, ramp: Indices, reach: int, spacing: int) -> None:
    """Give the pixels on ramps, flat indices, the median of ``before`` around them; where it is NaN they stay."""

    def settle(places: Indices) -> None:
        around = before.ravel().take(window_at(places, reach, spacing, before.shape))
        result.ravel()[places] = _median(around, result.ravel()[places])

    chunked(settle, ramp, _WINDOWS_AT_ONCE)


def _without_slivers(shift: Floats, picture: NDArray[np.uint8]) -> Floats:
    """Assign single pixels at intermediate depth within a step to the side with the more similar color.

    Resizing leaves such pixels. Separated from both sides, they would be visible as dots in a new view.
    """
    result = np.empty_like(shift)
    for band in row_bands(shift.shape, halo=1, pixels=CACHED_PIXELS):
        result[band.rows] = _joined_slivers(shift[band.read], picture[band.read])[band.inside]
    return result


def _joined_slivers(shift: Floats, picture: NDArray[np.uint8]) -> Floats:
    result, highest = shift.copy(), np.zeros_like(shift)
    for axis in (0, 1):
        depth, color, before = (np.moveaxis(values, axis, 0) for values in (shift, picture, highest))
        step = np.abs(depth[2:] - depth[:-2])
        # An almost horizontal outline is a step down the columns, and a ramp along the rows, whose ends are no sides.
        row, column = np.nonzero(step > np.maximum(before[1:-1], 2 * SNAP_TEAR))
        up, on = (depth[row + away + 1, column] - depth[row + away, column] for away in (0, 1))
        steep = (np.minimum(np.abs(up), np.abs(on)) > RAMP_SLOPE) & (up * on > 0)
        row, column = row[steep], column[steep]
        before[row + 1, column] = step[row, column]
        first, own, last = (color[row + away, column].astype(np.int16) for away in range(3))
        toward = np.abs(own - first).sum(1) < np.abs(own - last).sum(1)
        joined = np.where(toward, depth[row, column], depth[row + 2, column])
        np.moveaxis(result, axis, 0)[row + 1, column] = joined
    return result


def _steep_and_between(shift: Floats) -> tuple[Mask, Mask]:
    """Pixels with a steep slope to one of their neighbors, and those with one in the same direction on both sides."""
    steep, between = np.zeros(shift.shape, bool), np.zeros(shift.shape, bool)
    for values, beside, ramp in ((shift, steep, between), (shift.T, steep.T, between.T)):
        difference = values[1:] - values[:-1]
        up, down = difference > RAMP_SLOPE, difference < -RAMP_SLOPE
        either = up | down
        beside[1:] |= either
        beside[:-1] |= either
        ramp[1:-1] |= (up[1:] & up[:-1]) | (down[1:] & down[:-1])
    return steep, between


def _ramps(shift: Floats, changed: Mask) -> Mask:
    """(H, W) bool: pixels of blurred depth edges (ramps) near pixels that have ``changed``; one-pixel steps are not."""
    found = np.zeros(shift.shape, bool)
    for part in parts_around(changed, RAMP_TAIL + 2, halo=RAMP_TAIL + 2):
        steep, ramp = _steep_and_between(shift[part.read])
        for _ in range(RAMP_TAIL):
            ramp = around(ramp, 1) & steep
        found[part.at] = ramp[part.inside]
    return found


def _median(around: Floats, otherwise: Floats) -> Floats:
    """(K,) the lower median of each row of (K, N), ignoring NaN; ``otherwise`` for rows that are all NaN."""
    ordered = np.sort(around, axis=1)  # NaN goes last
    many = around.shape[1]
    count = ((~np.isnan(around)).astype(np.float32) @ np.ones(many, np.float32)).astype(np.int64)
    middle = ordered.ravel().take(np.arange(len(around)) * many + np.maximum((count - 1) // 2, 0))
    return np.where(count > 0, middle, otherwise)
