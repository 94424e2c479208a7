"""Makes the mirrored texture beyond a photo's border asymmetric: gravel or foliage would look as in a kaleidoscope.

The mirror image keeps its tones, but its fine detail comes from a place further along the border.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["reach_of", "unmirror_texture"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

DETAIL = 1 / 65  # of the photo's larger side: the averages that leave the tones only
ALONG = 2  # of these averages: distance along the border from which detail comes
FADE = 0.1  # of these averages: distance from the border over which it replaces the mirrored detail
LEAST_WINDOW = 5  # px; smaller photos stay mirrored
# From the first value on, and fully from the second one on:
ENERGY = 3.0, 6.0  # levels, standard deviation of detail: smooth surfaces stay as they are
COHERENT = 0.25, 0.1  # squared coherence of its directions: lines stay as they are
PEAKED = 9.0, 6.0  # kurtosis of detail: single things stay as they are (noise: 3)
ALIKE = 1.6, 1.25  # ratio of the deviations here and there
TONES = 40.0, 20.0  # levels between the tones here and there, in each color


def reach_of(side: int) -> int:
    """Return how many rows beside a band ``unmirror_texture`` looks at; ``side``: the photo's larger one, px."""
    # Tones, what is measured of the detail, and the share are averages, one of the other; each reaches a window far.
    return (ALONG + 3) * _window(side)


def unmirror_texture(strip: Floats, usable: Mask, side: int, levels: float) -> None:
    """Replace the fine detail of a mirrored strip by that of another place along the border, in place.

    Only where the detail has no direction, and is as strong there as here. In the transition, detail is added as noise
    is, so that it keeps its contrast (Heitz and Neyret 2018, High-performance by-example noise using a
    histogram-preserving blending operator, section 3).

    Parameters
    ----------
    strip : Floats
        (h, margin, 3) float32, colors beyond the border, the column next to it first.
    usable : Mask
        (h,), rows that may get, and give, detail.
    side : int
        The photo's larger side, px.
    levels : float
        Largest value of a color, for the units of limits.
    """
    window = _window(side)
    along = ALONG * window
    if window < LEAST_WINDOW or len(strip) <= along or strip.shape[1] < 2:
        return
    share = _share(strip, usable, window, along, np.float32(255 / levels))
    rows = np.flatnonzero(share > 0.01)
    if not len(rows):
        return
    low = _averaged(strip, window)
    away = np.clip(np.arange(strip.shape[1], dtype=np.float32) / np.float32(FADE * window), 0, 1)
    other = (share[rows, None] * away)[..., None]
    here, there = (strip[which] - low[which] for which in (rows, rows + along))
    detail = ((1 - other) * here + other * there) / np.sqrt((1 - other) ** 2 + other * other)
    # Within the range of both: nothing becomes brighter or darker than the photo is there.
    least, most = (cv2.reduce(strip, 1, how).reshape(-1, 1, 3) for how in (cv2.REDUCE_MIN, cv2.REDUCE_MAX))
    least, most = np.minimum(least[rows], least[rows + along]), np.maximum(most[rows], most[rows + along])
    strip[rows] = np.clip(low[rows] + detail, least, most)


def _share(strip: Floats, usable: Mask, window: int, along: int, unit: np.float32) -> Floats:
    """(h,) 0 to 1, how much of the detail of each row is replaced by that ``along`` rows further on."""
    gray = np.asarray(cv2.transform(strip, np.full((1, 3), unit / 3, np.float32)), np.float32)
    detail = gray - _averaged(gray, window)
    across, down = (cv2.Sobel(detail, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    squared = detail * detail
    products = (squared, squared * squared, across * across, down * down, across * down)
    means = [cv2.reduce(plane, 1, cv2.REDUCE_AVG) for plane in products]
    colors = cv2.split(cv2.reduce(strip, 1, cv2.REDUCE_AVG) * unit)
    energy, fourth, level, upright, both, *tones = (
        _averaged(np.asarray(values, np.float32).reshape(-1, 1), window)[:, 0] for values in (*means, *colors)
    )
    coherence = ((level - upright) ** 2 + 4 * both * both) / np.maximum((level + upright) ** 2, np.float32(1e-6))
    deviation = np.sqrt(np.maximum(energy, np.float32(1e-6)))
    peaked = fourth / deviation**4
    free = usable * _ramp(deviation, *ENERGY) * _ramp(coherence, *COHERENT) * _ramp(peaked, *PEAKED)
    share = np.zeros(len(gray), np.float32)
    ratio = deviation[:-along] / deviation[along:]
    share[:-along] = free[:-along] * free[along:] * _ramp(np.maximum(ratio, 1 / ratio), *ALIKE)
    for tone in tones:
        share[:-along] *= _ramp(np.abs(tone[:-along] - tone[along:]), *TONES)
    share = _averaged(share[:, None], window)[:, 0]
    share[-along:] = 0
    return share


def _window(side: int) -> int:
    return 2 * max(1, round(DETAIL * side / 2)) + 1


def _ramp(values: Floats, start: float, full: float) -> Floats:
    return np.asarray(np.clip((values - start) / (full - start), 0, 1), np.float32)


def _averaged(values: Floats, window: int) -> Floats:
    """Two averages over squares (rows, where there is one column), in a time that does not grow with them."""
    size = (window if values.shape[1] > 1 else 1, window)
    for _ in range(2):
        values = np.asarray(cv2.blur(values, size, borderType=cv2.BORDER_REFLECT), np.float32).reshape(values.shape)
    return values
