"""The guided filter with a color guide (He, Sun and Tang 2013, Guided image filtering, section 3.5).

What depends on the guide alone is computed once: the same picture guides several filters.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import row_bands

__all__ = ["Guide", "added", "guide_of", "guided"]

Floats = NDArray[np.float32]

BAND_PIXELS = 100_000  # about twenty arrays of so many floats at a time


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """A color picture that guides filters, and what depends on it alone.

    Parameters
    ----------
    color : list[Floats]
        (H, W) for each channel, gray levels.
    means : list[Floats]
        Their means over the filter's windows, in 0..1.
    inverse : list[list[Floats]]
        3 x 3 of (H, W), the inverse of the covariance of the channels within the windows.
    radius : int
        Of the windows, pixels.
    """

    color: list[Floats]
    means: list[Floats]
    inverse: list[list[Floats]]
    radius: int


def guide_of(picture: NDArray[np.uint8], radius: int, smooth: float) -> Guide:
    """Compute what depends on the guide alone; ``smooth``: colors of one surface differ by less, gray levels."""
    color = [np.ascontiguousarray(picture[..., channel]).astype(np.float32) for channel in range(3)]
    planes = [plane / np.float32(255) for plane in color]
    mean = [_box(plane, radius) for plane in planes]
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    rr, rg, rb, gg, gb, bb = (_box(planes[a] * planes[b], radius) - mean[a] * mean[b] for a, b in pairs)
    noise = np.float32((smooth / 255) ** 2)
    rr, gg, bb = rr + noise, gg + noise, bb + noise
    # The inverse of the symmetric 3x3 matrix by cofactors.
    c00, c01, c02 = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    determinant = rr * c00 + rg * c01 + rb * c02
    c00, c01, c02, c11, c12, c22 = (part / determinant for part in (c00, c01, c02, c11, c12, c22))
    inverse = [[c00, c01, c02], [c01, c11, c12], [c02, c12, c22]]
    return Guide(color, mean, inverse, radius)


def guided(values: Floats, guide: Guide) -> tuple[list[Floats], Floats]:
    """Coefficients (slope for each channel, offset) of the guided filter of ``values`` (H, W) with a color guide."""
    radius, slopes, offsets = guide.radius, [np.empty_like(values) for _ in range(3)], np.empty_like(values)
    # The mean over windows of what depends on windows: twice the radius.
    for band in row_bands(values.shape, halo=2 * radius, pixels=BAND_PIXELS):
        part = values[band.read]
        offset = _box(part, radius)
        covariance = []
        for color, mean in zip(guide.color, guide.means, strict=True):
            shared = _box(color[band.read] / np.float32(255) * part, radius)
            shared -= mean[band.read] * offset
            covariance.append(shared)
        # ``offset`` is the mean of the values so far.
        slope = [added([own[band.read] * other for own, other in zip(line, covariance, strict=True)])
                 for line in guide.inverse]  # fmt: skip
        for tilt, mean in zip(slope, guide.means, strict=True):
            offset -= tilt * mean[band.read]
        for whole, own in zip([*slopes, offsets], [*slope, offset], strict=True):
            whole[band.rows] = _box(own, radius)[band.inside]
    return slopes, offsets


def _box(values: Floats, radius: int) -> Floats:
    """Mean over a square window."""
    return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)


def added(planes: list[Floats]) -> Floats:
    """Sum of three planes."""
    return planes[0] + planes[1] + planes[2]
