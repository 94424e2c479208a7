"""Matches in repetitive patterns: find stripes in a picture and shift disparities that are off by whole periods.

A striped cover matches as well one stripe further. Matchers then change from one solution to another inside a surface,
mostly in streaks. Regions that differ by whole periods are one surface: all take the solution of the largest part.
Neighbors outside the pattern have no say: with short periods, other surfaces fit too by chance.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["repetition_period", "without_period_jumps"]

Map = NDArray[np.float32]

_LONGEST = 64  # px; longer patterns rarely mislead, since their parts differ
_STEP = 1.0  # px; larger steps separate regions
_GAP = 5  # px between the regions that are compared, across the step


def repetition_period(picture: NDArray[np.uint8]) -> Map:
    """Measure at which horizontal distance the picture repeats around each pixel.

    Parameters
    ----------
    picture : NDArray[np.uint8]
        (H, W, 3) uint8 RGB.

    Returns
    -------
    NDArray[np.float32]
        (H, W) float32 px, 0 where nothing repeats within 64 px.
    """
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    window = (33, 7)
    mean = cv2.blur(gray, window)
    deviation = np.sqrt(np.maximum(cv2.blur(gray * gray, window) - mean * mean, 0))
    # Unrelated pixels differ by 1.13 deviations on average; a pattern repeats where the difference is far smaller.
    limit = np.where(deviation > 4, 0.3 * 1.13 * deviation, -1).astype(np.float32)
    period = np.zeros_like(gray)
    before = last = np.full_like(gray, np.inf)
    differs = np.zeros(gray.shape, bool)
    for shift in range(2, min(_LONGEST, gray.shape[1] // 3) + 1):
        difference = np.full_like(gray, 255)
        difference[:, :-shift] = np.abs(gray[:, shift:] - gray[:, :-shift])
        forth = cv2.blur(difference, window)
        back = np.full_like(forth, np.inf)
        back[:, shift:] = forth[:, :-shift]  # near the pattern's right end it repeats to the left only
        cost = np.minimum(forth, back)
        found = differs & (period == 0) & (last < limit) & (last < before) & (last <= cost)
        period[found] = shift - 1 + _vertex(before[found], last[found], cost[found])
        differs |= cost > 2 * limit  # plain areas and soft shades resemble their neighbors, without repeating
        before, last = last, cost
    kernel = np.ones((5, 9), np.uint8)
    solid = cv2.morphologyEx((period > 0).astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    return np.where(solid, period, 0).astype(np.float32)


def _vertex(before: Map, middle: Map, after: Map) -> Map:
    """Return where the lowest point of the V through three costs lies, -0.5 to 0.5 from the middle one."""
    return np.asarray(0.5 * (before - after) / np.maximum(np.maximum(before, after) - middle, 1e-6), np.float32)


def without_period_jumps(disparity: Map, period: Map) -> Map:
    """Move the regions of a repetitive pattern that are off by whole periods to the solution of most of the surface.

    Parameters
    ----------
    disparity : NDArray[np.float32]
        (H, W) float32 px, NaN = unknown.
    period : NDArray[np.float32]
        (H, W) float32 px of the same picture, see ``repetition_period``.

    Returns
    -------
    NDArray[np.float32]
        (H, W) float32 px; pixels of the pattern between two regions become NaN.
    """
    inside = period > 0
    if inside.sum() < 400:
        return disparity
    regions = _regions(disparity, np.isfinite(disparity) & inside)
    turns = _whole_periods(np.bincount(regions.ravel()), *_jumps(disparity, regions, period))
    moved = disparity - turns[regions] * period
    moved[inside & (regions == 0)] = np.nan
    return np.asarray(moved, np.float32)


def _regions(disparity: Map, known: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number the connected regions without a disparity step; 0 = unknown, on a step, or in a tiny region."""
    values = np.where(known, disparity, -1e4).astype(np.float32)
    smooth = known.copy()
    smooth[:, 1:] &= np.abs(np.diff(values, axis=1)) < _STEP
    smooth[1:] &= np.abs(np.diff(values, axis=0)) < _STEP
    _, regions, facts, _ = cv2.connectedComponentsWithStats(smooth.astype(np.uint8), connectivity=4)
    regions[facts[:, cv2.CC_STAT_AREA][regions] < 12] = 0
    return np.asarray(regions, np.int32)


def _jumps(disparity: Map, regions: NDArray[np.int32], period: Map) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the pairs of neighboring regions that differ by whole periods: (N, 3) first, second, periods; (N,) votes."""
    rows = []
    for axis in (0, 1):
        near = [np.moveaxis(values, axis, 0)[:-_GAP] for values in (disparity, regions, period)]
        far = [np.moveaxis(values, axis, 0)[_GAP:] for values in (disparity, regions, period)]
        two = (near[1] > 0) & (far[1] > 0) & (near[1] != far[1])
        length = np.maximum(near[2][two], far[2][two])
        step = far[0][two] - near[0][two]
        times = np.rint(step / length)
        fits = (np.abs(step - times * length) < np.minimum(_STEP, 0.25 * length)) & (length > 0)
        rows.append(np.stack([near[1][two][fits], far[1][two][fits], times[fits]], axis=1).astype(np.int64))
    pairs, votes = np.unique(np.concatenate(rows), axis=0, return_counts=True)
    return pairs, votes


def _whole_periods(
    weight: NDArray[np.int64], pairs: NDArray[np.int64], votes: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return by how many periods each region is off, as most of its surface says; surfaces join by the most votes."""
    group = {number: [number] for number in range(1, len(weight))}
    member = np.arange(len(weight))
    turns = np.zeros(len(weight), int)
    for number in np.argsort(-votes, kind="stable"):
        first, second, times = pairs[number]
        one, other = member[first], member[second]
        if one == other:
            continue
        # Both regions lie on one surface: their difference after moving must vanish.
        change = times + turns[first] - turns[second]
        for region in group[other]:
            turns[region] += change
            member[region] = one
        group[one] += group.pop(other)
    for regions in group.values():
        choices = turns[regions]
        heaviest = max(set(choices.tolist()), key=lambda choice: float(weight[regions][choices == choice].sum()))
        turns[regions] = choices - heaviest
    return turns.astype(np.float32)
