"""Models both sides of depth edges by their depth and colors, to decide which side a pixel is on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.edges.discontinuities import Discontinuities, find_discontinuities
from depth3d.geometry.edges.discs import dilate_disc, erode_disc
from depth3d.geometry.edges.guided import Guide, guided

__all__ = ["REACH", "Sides", "find_sides", "wide_blur"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

REACH = 5  # pixels at 640 wide by which an edge may be off
NOISE = 6.0  # gray levels
MOST_EVIDENCE = 4.0  # of a color, in nats
PRIOR = 3.0  # nats at ``REACH`` from the edge, in favor of the depth map
UNEVEN = 0.15  # of the step: standard deviation of the depth on either side
WIDE = 7.0  # pixels: wider blurs are computed at 1/SHRINK of the size
SHRINK = 3


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Both sides of the edges, (H, W) each.

    Parameters
    ----------
    slope, offset : list[Floats], Floats
        Color in 0..1 to a number that is positive on the near side (guided filter); one slope for each channel.
    near, far : Floats
        Depth of either side.
    band : Mask
        Pixels to decide on: close to an edge between exactly two surfaces.
    is_near : Mask
        The side by the depth alone.
    """

    slope: list[Floats]
    offset: Floats
    near: Floats
    far: Floats
    band: Mask
    is_near: Mask


class _Model(NamedTuple):
    """One side of the edges: colors at the pixels to decide on, (K,) for each channel, and depth.

    ``level`` is (H, W), its mean; ``uneven`` is (K,), its variance.
    """

    means: list[Floats]
    spreads: list[Floats]
    level: Floats
    uneven: Floats


def find_sides(shift: Floats, guide: Guide, scale: float, step: float) -> Sides | None:
    """Model both sides of all steps higher than ``step``; None if there are none."""
    reach = round(REACH * scale)
    high, low = dilate_disc(shift, 4 * reach + 1), erode_disc(shift, 4 * reach + 1)
    is_near, apart = shift > (high + low) / 2, (high - low) > step
    del high, low
    changes = Discontinuities(is_near[:, 1:] != is_near[:, :-1], is_near[1:] != is_near[:-1])
    edge = find_discontinuities(shift, step).beside() & changes.beside()
    if not edge.any():
        return None
    away = cv2.distanceTransform((~edge).view(np.uint8), cv2.DIST_L2, 3)
    sure = np.asarray(np.clip(away / np.float32(reach), 0.05, 1) ** 2 * apart, np.float32)
    # Only these pixels are decided on.
    places = np.flatnonzero((away <= reach) & apart)
    near, far = (_model(shift, guide, sure * side, reach, places) for side in (is_near, ~is_near))
    prior = away.ravel()[places] * np.float32(PRIOR / reach)
    mine = is_near.ravel()[places]
    decided = _evidence(guide, near, far, places) + np.where(mine, prior, -prior)
    total = np.where(is_near, np.float32(MOST_EVIDENCE), np.float32(-MOST_EVIDENCE))
    total.ravel()[places] = np.clip(decided, -MOST_EVIDENCE, MOST_EVIDENCE)
    slope, offset = guided(total, guide)
    band = np.zeros(shift.shape, bool)
    height = (near.level.ravel()[places] - far.level.ravel()[places]) * np.float32(UNEVEN)
    band.ravel()[places] = np.maximum(near.uneven, far.uneven) < height**2
    return Sides(slope, offset, near.level, far.level, band, is_near)


def _model(shift: Floats, guide: Guide, weight: Floats, reach: int, places: NDArray[np.int64]) -> _Model:
    """Depth and colors of one side around each pixel."""
    mass = wide_blur(weight, reach) + np.float32(1e-6)
    known, product = mass.ravel()[places], np.empty_like(weight)

    def average() -> Floats:
        return wide_blur(product, reach)

    def at_places() -> Floats:
        return np.asarray(average().ravel()[places] / known, np.float32)

    means, spreads = [], []
    for color in guide.color:
        np.multiply(color, weight, out=product)
        means.append(at_places())
        product *= color
        spreads.append(np.maximum(at_places() - means[-1] * means[-1], 0) + np.float32(NOISE**2))
    np.multiply(shift, weight, out=product)
    level = average() / mass
    product *= shift
    return _Model(means, spreads, level, at_places() - level.ravel()[places] ** 2)


def _evidence(guide: Guide, near: _Model, far: _Model, places: NDArray[np.int64]) -> Floats:
    """(K,) log-likelihood ratio of the colors in favor of the near side, less where both sides have the same colors.

    How much they are the same is the Bhattacharyya coefficient of two Gaussians.
    """
    ratio, apart = np.zeros(len(places), np.float32), np.zeros(len(places), np.float32)
    for color, *pairs in zip(guide.color, near.means, near.spreads, far.means, far.spreads, strict=True):
        own, (mean, spread, other, its_spread) = color.ravel()[places], pairs
        ratio += (own - other) ** 2 / its_spread - (own - mean) ** 2 / spread
        apart += (mean - other) ** 2 / (4 * (spread + its_spread))
    # One logarithm and one root instead of one for each channel.
    mine, theirs = (model.spreads[0] * model.spreads[1] * model.spreads[2] for model in (near, far))
    ratio += np.log(theirs / mine)
    total = (near.spreads[0] + far.spreads[0]) * (near.spreads[1] + far.spreads[1])
    total *= near.spreads[2] + far.spreads[2]
    alike = np.exp(-apart) * np.sqrt(8 * np.sqrt(mine * theirs) / total)
    return np.asarray(np.clip(ratio / 2, -MOST_EVIDENCE, MOST_EVIDENCE) * (1 - alike) ** 2, np.float32)


def wide_blur(values: Floats, spread: float) -> Floats:
    """Gaussian blur; a wide one is computed at a third of the size, where it has nearly the same result."""
    if spread < WIDE:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), spread), np.float32)
    height, width = values.shape
    small = cv2.resize(values, (-(-width // SHRINK), -(-height // SHRINK)), interpolation=cv2.INTER_AREA)
    # Averaging and interpolation blur, too: by the variance of a box and of a triangle.
    rest = math.sqrt((spread / SHRINK) ** 2 - (1 - SHRINK**-2) / 12 - 1 / 6)
    soft = cv2.GaussianBlur(small, (0, 0), rest)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
