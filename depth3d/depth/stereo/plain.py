"""Disparity of surfaces without texture: a plane through what was matched at the border of each.

A bare wall matches anywhere, and matchers carry the disparity of its neighbors into it. What borders on a surface is
part of it or before it, hardly ever behind it: the plane is the one with most of the border on it and little behind.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["plain_surfaces", "with_plain_surfaces"]

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]

_WINDOW = 7  # px
_GRAIN = 1.2  # px: standard deviation of the blur that removes the camera's noise
_EVEN = 1.4  # levels: least standard deviation within the window that counts as texture
_ALIKE = 6.0  # levels between a surface and the pixels up to its edge
_GROWN = 10  # px from pixels without texture to the edge: JPEG has its own texture in the 8x8 blocks at an edge
_SMALLEST = 1 / 500  # of the picture: smaller surfaces are left as they are
_MATCHED = 0.6  # surfaces with more of their pixels consistent have texture enough
_BORDER = 4  # px around a surface that vote
_ON = 1.0  # px between a vote and a plane through it
_STEEPEST = 0.25  # px of disparity per px
_TURNED = 1.0  # share of the votes that a plane with a slope of 1 px per px has to have more than a level one
_TRIED, _VOTES = 200, 3000  # planes, and votes that judge them
_LEAST, _BEHIND = 0.3, 0.15  # share of the votes on the plane and behind it


def plain_surfaces(picture: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number the surfaces of a picture that have no texture.

    Parameters
    ----------
    picture : NDArray[np.uint8]
        (H, W, 3) uint8 RGB.

    Returns
    -------
    NDArray[np.int32]
        (H, W), 0 where there is texture and in small surfaces.
    """
    colors = cv2.GaussianBlur(picture, (0, 0), _GRAIN).astype(np.float32)
    window = (_WINDOW, _WINDOW)
    mean = cv2.blur(colors, window)
    variance = (cv2.blur(colors * colors, window) - mean * mean).mean(axis=2)
    _, numbers, facts, _ = cv2.connectedComponentsWithStats((variance < _EVEN**2).astype(np.uint8), connectivity=4)
    large = facts[:, cv2.CC_STAT_AREA] > _SMALLEST * numbers.size
    large[0] = False
    order = np.where(large, np.cumsum(large), 0)
    return np.asarray(order[numbers], np.int32)


def with_plain_surfaces(disparity: Map, sure: Mask, picture: NDArray[np.uint8]) -> tuple[Map, Mask]:
    """Return disparity with planes in the surfaces without texture, and the mask of the pixels that have one.

    Parameters
    ----------
    disparity : NDArray[np.float32]
        (H, W) float32 px, positive = nearer.
    sure : NDArray[np.bool_]
        (H, W) bool, where both eyes agree.
    picture : NDArray[np.uint8]
        (H, W, 3) uint8 RGB, the left one.
    """
    numbers = plain_surfaces(picture)
    known = np.zeros(sure.shape, bool)
    disparity = disparity.copy()
    for number in range(1, int(numbers.max()) + 1):
        inner = numbers == number
        if sure[inner].mean() > _MATCHED:
            continue
        rows, columns = _around(inner, _GROWN + _BORDER)
        whole = _to_its_edge(inner[rows, columns], picture[rows, columns])
        near = cv2.dilate(whole.astype(np.uint8), np.ones((2 * _BORDER + 1, 2 * _BORDER + 1), np.uint8)) > 0
        y, x = np.nonzero(near & ~whole & sure[rows, columns])
        plane = _plane(x + columns.start, y + rows.start, disparity[rows, columns][y, x])
        if plane is None:
            continue
        y, x = np.nonzero(whole)
        y, x = y + rows.start, x + columns.start
        (slope_x, slope_y, base), low, high = plane
        disparity[y, x] = np.clip(slope_x * x + slope_y * y + base, low, high)
        known[y, x] = True
    return disparity, known


def _around(mask: Mask, margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of a mask and a margin around."""
    x, y, wide, tall = cv2.boundingRect(mask.astype(np.uint8))
    return slice(max(0, y - margin), y + tall + margin), slice(max(0, x - margin), x + wide + margin)


def _to_its_edge(inner: Mask, picture: NDArray[np.uint8]) -> Mask:
    """Grow a surface over the pixels of its color beside it."""
    window = (2 * _GROWN + 1, 2 * _GROWN + 1)
    soft = cv2.GaussianBlur(picture, (3, 3), 0).astype(np.float32)
    share = cv2.blur(inner.astype(np.float32), window)
    color = cv2.blur(soft * inner[..., None], window) / np.maximum(share, 1e-6)[..., None]
    alike = (np.abs(soft - color).max(axis=2) < _ALIKE) & (share > 1e-4)
    _, numbers = cv2.connectedComponents((alike | inner).astype(np.uint8), connectivity=4)
    return np.asarray(np.isin(numbers, np.unique(numbers[inner])))


def _plane(
    x: NDArray[np.int64], y: NDArray[np.int64], votes: Map
) -> tuple[tuple[float, float, float], float, float] | None:
    """Return disparity = (along x, along y, base) and the range of the votes on it; None if no plane explains them."""
    if len(votes) < 60:
        return None
    random = np.random.default_rng(0)
    some = random.permutation(len(votes))[:_VOTES]
    points = np.stack([x[some], y[some], np.ones(len(some))], axis=1).astype(np.float64)
    values = votes[some].astype(np.float64)
    tried = [(0.0, 0.0, float(value)) for value in np.unique(np.rint(values))]
    for three in random.integers(0, len(some), (_TRIED, 3)):
        try:
            slope_x, slope_y, base = np.linalg.solve(points[three], values[three])
        except np.linalg.LinAlgError:
            continue
        if max(abs(slope_x), abs(slope_y)) < _STEEPEST:
            tried.append((slope_x, slope_y, base))
    off = values[:, None] - points @ np.array(tried).T
    on, behind = np.abs(off) < _ON, off < -_ON
    steep = np.abs(np.array(tried)[:, :2]).sum(axis=1)
    score = on.mean(axis=0) - behind.mean(axis=0) - _TURNED * steep
    best = int(score.argmax())
    if on[:, best].mean() < _LEAST or behind[:, best].mean() > _BEHIND:
        return None
    used = on[:, best]
    exact, *_ = np.linalg.lstsq(points[used], values[used], rcond=None)
    if np.ptp(values[used]) < _ON:
        exact = np.array([0.0, 0.0, np.median(values[used])])
    low, high = np.percentile(values[used], (1, 99))
    margin = 0.25 * (high - low) + 0.5
    return (float(exact[0]), float(exact[1]), float(exact[2])), float(low - margin), float(high + margin)
