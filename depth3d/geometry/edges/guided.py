"""The guided filter with a color guide (He, Sun and Tang 2013, Guided image filtering, section 3.5)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import parts_around

__all__ = ["Guide", "guided"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

PAIRS = (0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """A color picture that guides filters.

    Parameters
    ----------
    picture : NDArray[np.uint8]
        (H, W, 3).
    radius : int
        Of the filter's windows, pixels.
    smooth : float
        Colors of one surface differ by less, gray levels.
    """

    picture: NDArray[np.uint8]
    radius: int
    smooth: float


def guided(values: Floats, guide: Guide, where: Mask) -> tuple[list[Floats], Floats]:
    """Coefficients (slope for each channel, offset) of the guided filter of ``values`` (H, W) with a color guide.

    They are computed at the pixels ``where``, (H, W), and at least one around each; far away they are 0.
    """
    radius = guide.radius
    slopes, offsets = [np.zeros_like(values) for _ in range(3)], np.zeros_like(values)
    # The mean over windows of what depends on windows: twice the radius.
    for part in parts_around(where, 1, halo=2 * radius):
        found = _coefficients(values[part.read], guide.picture[part.read], radius, guide.smooth)
        for whole, own in zip((*slopes, offsets), found, strict=True):
            whole[part.at] = _box(own, radius)[part.inside]
    return slopes, offsets


def _coefficients(values: Floats, picture: NDArray[np.uint8], radius: int, smooth: float) -> list[Floats]:
    """The regression in the window around each pixel: slope for each channel, offset."""
    planes = [plane.astype(np.float32) / np.float32(255) for plane in cv2.split(picture)]
    means = [_box(plane, radius) for plane in planes]
    rr, rg, rb, gg, gb, bb = (_box(planes[a] * planes[b], radius) - means[a] * means[b] for a, b in PAIRS)
    noise = np.float32((smooth / 255) ** 2)
    rr, gg, bb = rr + noise, gg + noise, bb + noise
    # The inverse of the symmetric 3x3 matrix by cofactors.
    c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = rr * c00 + rg * c01 + rb * c02
    c00, c01, c02, c11, c12, c22 = (part / determinant for part in (c00, c01, c02, c11, c12, c22))
    mean = _box(values, radius)
    covariance = [_box(plane * values, radius) - own * mean for plane, own in zip(planes, means, strict=True)]
    slopes = []
    for line in ((c00, c01, c02), (c01, c11, c12), (c02, c12, c22)):
        products = [own * other for own, other in zip(line, covariance, strict=True)]
        slopes.append(products[0] + products[1] + products[2])
    offset = mean
    for slope, own in zip(slopes, means, strict=True):
        offset -= slope * own
    return [*slopes, offset]


def _box(values: Floats, radius: int) -> Floats:
    """Mean over a square window."""
    return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)
