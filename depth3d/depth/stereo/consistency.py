"""Post-processing of raw disparity maps: left-right check, hole filling, weighted smoothing.

Shared by all matchers. Disparities are in pixels on the left picture's grid, positive = nearer: the left point (x, y)
corresponds to the right point (x - d, y).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.stereo.plain import with_plain_surfaces

__all__ = ["agreement", "fill_from_far", "refined", "smooth_inside", "spread", "without_specks"]

_NOWHERE = np.float32(-1e6)
_LEVELS_PER_PIXEL = 6.0


def agreement(left: NDArray[np.float32], right: NDArray[np.float32], tolerance: float = 1.0) -> NDArray[np.bool_]:
    """Return the (H, W) bool mask of pixels whose disparities agree in both directions (left-right check).

    Parameters
    ----------
    left : NDArray[np.float32]
        (H, W) float32 px, disparity of the left picture; NaN = unknown.
    right : NDArray[np.float32]
        (H, W) float32 px, disparity of the right picture, also positive = nearer; NaN = unknown.
    tolerance : float
        Largest accepted difference, px.
    """
    height, width = left.shape
    known = np.isfinite(left)
    disparity = np.where(known, left, 0).astype(np.float32)
    x = np.arange(width, dtype=np.float32)[None, :] - disparity
    y = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], x.shape)
    other = np.where(np.isfinite(right), right, _NOWHERE).astype(np.float32)
    seen = cv2.remap(
        other,
        x,
        np.ascontiguousarray(y),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float(_NOWHERE),
    )
    return np.asarray(known & (np.abs(seen - disparity) <= tolerance))


def without_specks(disparity: NDArray[np.float32], known: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """Remove from ``known`` the regions of similar disparity (steps up to 2 px) that are smaller than ``pixels``."""
    # OpenCV's filter takes 16ths of a pixel in int16; +-1900 px around the median are enough.
    middle = np.float32(np.median(disparity[known])) if known.any() else np.float32(0)
    marks = np.where(known, np.clip((disparity - middle) * 16, -30000, 30000), -32000).astype(np.int16)
    cv2.filterSpeckles(marks, -32000, int(pixels), 32)
    return marks > -32000


def fill_from_far(disparity: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fill unknown pixels with the farther of their two known neighbors in the row.

    A region that only one eye sees belongs to the background. Rows without known pixels take the overall median.
    """
    height, width = disparity.shape
    columns = np.arange(width)[None, :]
    before = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, columns, width)[:, ::-1], axis=1)[:, ::-1]
    rows = np.arange(height)[:, None]
    from_left = np.where(before >= 0, disparity[rows, np.maximum(before, 0)], np.inf)
    from_right = np.where(after < width, disparity[rows, np.minimum(after, width - 1)], np.inf)
    farther = np.minimum(from_left, from_right)
    rest = np.float32(np.median(disparity[known])) if known.any() else np.float32(0)
    filled = np.where(known, disparity, np.where(np.isfinite(farther), farther, rest))
    return np.asarray(filled, dtype=np.float32)


def smooth_inside(
    disparity: NDArray[np.float32],
    confidence: NDArray[np.float32],
    picture: NDArray[np.uint8],
    strength: float = 20.0,
    similarity: float = 6.0,
) -> NDArray[np.float32]:
    """Smooth within surfaces, but not across color edges or disparity steps.

    Returns smooth(confidence * disparity) / smooth(confidence), where ``smooth`` is the fast global smoother (Min et
    al. 2014): uncertain pixels take the value of confident ones on the same surface.

    Parameters
    ----------
    disparity, confidence : NDArray[np.float32]
        (H, W) float32; confidence > 0.
    picture : NDArray[np.uint8]
        (H, W, 3) uint8 RGB picture that guides the smoother.
    strength : float
        Smoothing strength (lambda of the smoother).
    similarity : float
        Color difference at which the smoother stops (its sigma), gray levels.
    """
    low, high = np.percentile(disparity, (0.5, 99.5))
    # Disparity as a guide channel, in gray levels per pixel: a step of two pixels is an edge, half a pixel is noise.
    steps = np.clip((disparity - low) * min(255 / max(high - low, 1e-3), _LEVELS_PER_PIXEL), 0, 255)
    return _weighted_smoothing(disparity, confidence, picture, steps, strength, similarity)


def spread(disparity: NDArray[np.float32], known: NDArray[np.bool_], picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Diffuse known values into unknown pixels of similar color at any distance; known pixels are smoothed too.

    For holes without known background at their side.
    """
    confidence = np.where(known, 1.0, 1e-4).astype(np.float32)
    level = np.float32(np.median(disparity[known])) if known.any() else np.float32(0)
    start = np.where(known, disparity, level).astype(np.float32)
    return _weighted_smoothing(start, confidence, picture, np.zeros_like(start), 900.0, 14.0)


def _weighted_smoothing(
    disparity: NDArray[np.float32],
    confidence: NDArray[np.float32],
    picture: NDArray[np.uint8],
    steps: NDArray[np.float32],
    strength: float,
    similarity: float,
) -> NDArray[np.float32]:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    guide = np.stack([lab[..., 0], lab[..., 1] + lab[..., 2] - 128, steps], axis=2)
    smoother = cv2.ximgproc.createFastGlobalSmootherFilter(
        np.clip(guide, 0, 255).astype(np.uint8), float(strength), float(similarity)
    )
    weighted = smoother.filter((disparity * confidence).astype(np.float32))
    weights = smoother.filter(confidence.astype(np.float32))
    return np.asarray(weighted / np.maximum(weights, 1e-9), dtype=np.float32)


def refined(
    left: NDArray[np.float32],
    sure: NDArray[np.bool_],
    picture: NDArray[np.uint8],
    pattern: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Make a dense map of the left image from its consistent pixels, and return it with the mask of those kept.

    Parameters
    ----------
    left : NDArray[np.float32]
        (H, W) float32 px, positive = nearer, NaN = unknown.
    sure : NDArray[np.bool_]
        (H, W) bool, where both eyes agree, see ``agreement``.
    picture : NDArray[np.uint8]
        (H, W, 3) uint8 RGB, the left one.
    pattern : NDArray[np.bool_] | None
        (H, W) bool, where the picture repeats: unknown pixels there are filled from the pattern itself, not from beyond
        its border.
    """
    # Regions smaller than this share of the picture are noise that agrees by chance.
    sure = without_specks(np.nan_to_num(left), sure, max(8, sure.size // 3000))
    filled = fill_from_far(np.nan_to_num(left), sure)
    blind = _blind(sure)
    if blind.any() and sure.any():
        filled = np.where(blind, spread(np.nan_to_num(left), sure, picture), filled).astype(np.float32)
    if pattern is not None and (pattern & ~sure).any() and (pattern & sure).any():
        # In one color, so that its stripes are no borders.
        even = np.where(pattern[..., None], picture[pattern].mean(axis=0), picture).astype(np.uint8)
        inside = spread(np.nan_to_num(left), sure & pattern, even)
        filled = np.where(pattern & ~sure, inside, filled).astype(np.float32)
    filled, plain = with_plain_surfaces(filled, sure, picture)
    consistent = np.asarray(sure & ~plain)
    dense = np.asarray(cv2.medianBlur(filled, 5), np.float32)
    confidence = np.where(consistent | plain, 1.0, 0.05).astype(np.float32)
    return smooth_inside(dense, confidence, picture), consistent


def _blind(sure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask of inconsistent pixels in runs at the image's sides and in very long runs.

    At the sides the other eye sees nothing. In both cases, filling from the farther neighbor would produce streaks.
    """
    width = sure.shape[1]
    columns = np.arange(width)[None, :]
    before = np.maximum.accumulate(np.where(sure, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(sure, columns, width)[:, ::-1], axis=1)[:, ::-1]
    run = after - before - 1
    outside = ((before < 0) | (after >= width)) & (run > 0.1 * width)
    return np.asarray(~sure & (outside | (run > 0.2 * width)))
