"""Gives the outer half of blurred outlines, what is out of focus or moves, to the foreground that they belong to.

Depth steps in the middle of a blurred outline. In new views its outer half would stay on the background as a pale arc
in the foreground's old place, and the foreground would be cut.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.edges.blur import wide_blur
from depth3d.geometry.edges.fringe import Beside, averaging, find_beside, raised, reduced
from depth3d.geometry.edges.masks import around, closest

__all__ = ["cover_blur"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

REFERENCE_WIDTH = 640
SOLVED_SIDE = 480  # px; larger photos are examined at this size
REACH = 1 / 50  # of the width: how far a blur is looked for
CONTRAST = 20.0, 40.0  # levels between both sides: from there on a blur counts, and fully
PLAIN, LIKE = (16.0, 8.0), (0.25, 0.15)  # levels, and share of the contrast, that the background may vary nearby
SHARP, BLURRED = 1.5, 2.1  # px at 640 wide, standard deviations: up to there an outline is sharp, from there blurred
ONE_SURFACE = 0.6  # of the step, that no part of the foreground nearby falls below
WIDEST = 4.0  # px at 640 wide
COVERED = 2.0  # standard deviations outside of the outline: one fortieth of the color is left there
# Of the foreground's share just outside of an outline: mean, in the middle of a blur, and deviation.
LEAST_MIDDLE, MOST_MIDDLE, RAGGED = (0.28, 0.36), (0.85, 0.7), (0.32, 0.24)
CLOSED = 2  # px: half the width of gaps between foreground and blur that are closed
LEAST_MASS = 0.003  # share of the pixels of a side in its average


def cover_blur(shift: Floats, colors: NDArray[np.uint8]) -> Floats:
    """Return the depth with the outer half of blurred outlines at that of their foreground.

    The standard deviation of the blur is measured twice, averaged along the outline: by the slope of the foreground's
    share of the color in the outline (Zhuo and Sim 2011, Defocus map estimation from a single image), and by the sum of
    this share outside. The smaller one counts: texture makes slopes steep, a misplaced outline makes them low. Where
    the share just outside is not about one half, or the background is not plain, nothing is changed.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift, with sharp edges.
    colors : NDArray[np.uint8]
        (H, W, 3), the photo.
    """
    depth, small, step = reduced(shift, colors, SOLVED_SIDE)
    reach = max(4, round(depth.shape[1] * REACH))
    beside = find_beside(depth, reach, step)
    if not beside.band.any():
        return shift
    away, near = closest(depth, ~beside.far)
    blurred = (
        beside.band & (away < COVERED * _deviation(small, beside, away, reach)) & _even(depth, near, beside, reach)
    )
    if not blurred.any():
        return shift
    return raised(shift, near, near - depth <= step, blurred, CLOSED)


def _even(depth: Floats, near: Floats, beside: Beside, reach: int) -> Mask:
    """(h, w) whether there is one surface in front, without steps inside, whose holes would color what it hides."""
    window = np.ones((2 * reach + 1,) * 2, np.uint8)
    low = cv2.erode(np.where(beside.far, np.float32(np.inf), depth), window)
    far = cv2.erode(depth, window)
    return np.asarray(low - far > ONE_SURFACE * (near - far))


def _deviation(color: list[Floats], beside: Beside, away: Floats, reach: int) -> Floats:
    """(h, w) standard deviation in pixels of the blur of the outlines nearby; 0 = sharp, or not known."""
    inside = np.asarray(cv2.distanceTransform((~beside.far).view(np.uint8), cv2.DIST_L2, 5), np.float32)
    share, contrast, uneven = _share(color, beside, inside, reach)
    scale = away.shape[1] / REFERENCE_WIDTH
    rim = beside.band & (away < 1.5)

    def along(values: Floats, where: Mask) -> Floats:
        return wide_blur(np.where(where, values, np.float32(0)), reach)

    edge = rim | (around(rim, 1) & ~beside.far)
    length, places = along(np.ones_like(away), rim), along(np.ones_like(away), edge)
    across, down = (cv2.Sobel(share, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    slope = along(np.asarray(cv2.magnitude(across, down), np.float32), edge) / np.maximum(places, np.float32(1e-6))
    middle, squared = (along(value, rim) / np.maximum(length, np.float32(1e-6)) for value in (share, share * share))
    ragged = np.sqrt(np.maximum(squared - middle * middle, 0))
    outside = along(share, beside.band & (away <= reach)) / np.maximum(length, np.float32(1e-6))
    normal = np.float32(np.sqrt(2 * np.pi))
    found = np.minimum(1 / np.maximum(normal * slope, np.float32(1e-3)), normal * outside)
    limits = (
        (found, (SHARP * scale, BLURRED * scale)), (contrast, CONTRAST), (uneven, PLAIN),
        (uneven / np.maximum(contrast, 1), LIKE), (middle, LEAST_MIDDLE), (middle, MOST_MIDDLE),
        (ragged, RAGGED),
    )  # fmt: skip
    for value, (start, full) in limits:
        found = found * np.clip((value - start) / (full - start), 0, 1)
    # Gradually along the outline, too.
    found = along(np.asarray(found, np.float32), rim) / np.maximum(length, np.float32(1e-6))
    return np.minimum(found, np.float32(WIDEST * scale))


def _share(color: list[Floats], beside: Beside, inside: Floats, reach: int) -> tuple[Floats, Floats, Floats]:
    """(h, w) the foreground's share of the color, about 0 to 1; contrast and unevenness of the background in levels."""
    behind, mass = averaging(beside.far & ~beside.band, reach)
    before, its_mass = averaging(~beside.far & (inside > reach / 3), reach)
    product, squared, uneven = (np.zeros_like(inside) for _ in range(3))
    for plane in color:
        far = behind(plane)
        difference = before(plane) - far
        product += (plane - far) * difference
        squared += difference * difference
        uneven += behind(plane * plane) - far * far
    known = (mass > LEAST_MASS) & (its_mass > LEAST_MASS)
    share = np.asarray(np.clip(product / np.maximum(squared, 1), -0.5, 1.5), np.float32)
    contrast = np.asarray(np.where(known, np.sqrt(squared), 0), np.float32)
    return share, contrast, np.asarray(np.sqrt(np.maximum(uneven, 0)), np.float32)
