"""Alpha mattes of outlines: foreground share and color of mixed pixels; antialiased discontinuities in new views."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import chunked
from depth3d.geometry.edges.discontinuities import find_discontinuities
from depth3d.geometry.pixels import colors_at, put_colors, rows_columns
from depth3d.image import rounded

__all__ = ["estimate_matte", "soften_discontinuities"]

Floats = NDArray[np.float32]
Pixels = NDArray[Any]  # uint8 or uint16
Mask = NDArray[np.bool_]

WAYS = ((0, -1), (0, 1), (-1, 0), (1, 0))
STEP = 1.0  # pixels of shift between two surfaces
USUAL_ALPHA = 0.75  # used where the two sides have similar colors
LEAST_ALPHA = 0.5
NOISE = 20.0  # of 255 gray levels: the colors of the sides must differ by more for their shares to be estimated
LENS_BLUR = 0.7  # pixels, Gaussian: blur of a sharp outline by a lens and a sensor
CUT_STEP = 2.0  # pixels of shift


def estimate_matte(picture: Pixels, outline: Mask, shift: Floats, reach: int) -> tuple[Pixels, Pixels]:
    """Estimate the foreground's alpha and color in the pixels by which the foreground was dilated.

    The color of such a pixel is c = a f + (1 - a) b. The foreground color f is that of the nearest pixel inside, b that
    of the nearest one beyond the outline, and a is computed by projection on f - b (Ruzon and Tomasi 2000, Alpha
    estimation in natural images, with one color per side).

    Parameters
    ----------
    picture : Pixels
        (H, W, 3) uint8 or uint16.
    outline : Mask
        (H, W) bool, the pixels to estimate.
    shift : Floats
        (H, W), depth in pixels of shift before the foreground was dilated.
    reach : int
        Pixels by which it was dilated.

    Returns
    -------
    picture: a copy in which the background's share is removed from these pixels. alpha: (H, W), same type.
    """
    alpha = np.full(outline.shape, np.iinfo(picture.dtype).max, picture.dtype)
    places = np.flatnonzero(outline)
    if not len(places):
        return picture, alpha
    result = picture.copy()

    opacity = alpha.ravel()

    def estimate(some: NDArray[np.int64]) -> None:
        color, opacity[some] = _estimated(picture, shift, reach, some)
        put_colors(result, some, color)

    chunked(estimate, places)
    return result, alpha


def _estimated(picture: Pixels, shift: Floats, reach: int, places: NDArray[np.int64]) -> tuple[Pixels, Pixels]:
    """Foreground color (3, K) and alpha (K,) of the pixels, flat indices."""
    most = int(np.iinfo(picture.dtype).max)
    noise = NOISE / 255 * most
    height, width = shift.shape
    rows, columns = rows_columns(places, width)
    down, right, distance = _nearest_inside(rows, columns, shift, reach)

    def color(steps: NDArray[np.int64]) -> Floats:
        y, x = (rows + steps * down).clip(0, height - 1), (columns + steps * right).clip(0, width - 1)
        return colors_at(picture, y * width + x)

    near, far, own = color(distance), color(distance - reach - 1), color(np.zeros_like(distance))
    across = near - far
    contrast = (across * across).sum(0)
    share = (((own - far) * across).sum(0) / np.maximum(contrast, 1)).clip(LEAST_ALPHA, 1)
    trust = contrast / (contrast + 3 * noise**2)
    share = trust * share + (1 - trust) * USUAL_ALPHA
    clean = (own - (1 - share) * far) / share
    within = np.clip(clean, np.minimum(near, own) - noise / 2, np.maximum(near, own) + noise / 2)
    return rounded(within, picture.dtype), np.rint(most * share).astype(picture.dtype)


def soften_discontinuities(picture: Pixels, depth: Floats) -> Pixels:
    """Antialias the depth discontinuities of a new view with the blur that a lens gives to the outlines of a photo.

    Parameters
    ----------
    picture : Pixels
        (H, W, 3) uint8 or uint16.
    depth : Floats
        (H, W) float32 in pixels of shift; discontinuities are found from it.
    """
    cut = find_discontinuities(depth, CUT_STEP).beside()
    result = picture.copy()
    result[cut] = cv2.GaussianBlur(picture, (5, 5), LENS_BLUR)[cut]
    return result


def _nearest_inside(
    rows: NDArray[np.int64], columns: NDArray[np.int64], shift: Floats, reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Direction (down, right) and distance to the foreground for each pixel; (0, 0) and 1 where none is found."""
    height, width = shift.shape
    flat = shift.ravel()
    way, distance = np.zeros(len(rows), np.int8), np.ones_like(rows)  # way 0 is none
    highest = flat.take(rows * width + columns) + np.float32(STEP)  # the foreground is at least this near
    left = np.arange(len(rows))
    for steps in range(1, reach + 1):
        row, column, best = rows[left], columns[left], highest[left]
        nearest = np.zeros(len(left), np.int8)
        for number, (y, x) in enumerate(WAYS, 1):
            there = flat.take((row + steps * y).clip(0, height - 1) * width + (column + steps * x).clip(0, width - 1))
            np.copyto(nearest, np.int8(number), where=there > best)
            np.maximum(best, there, out=best)
        found = np.flatnonzero(nearest)
        way[left[found]], distance[left[found]] = nearest[found], steps
        left = left[nearest == 0]
    down, right = np.array([(0, 0), *WAYS]).T
    return down[way], right[way], distance
