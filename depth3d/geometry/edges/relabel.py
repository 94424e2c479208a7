"""Finds the outlines of large things anew, by the colors of whole neighborhoods, where a network missed them widely.

A network sees a photo at a few hundred pixels, and its outline can miss a wing or a neck by 2 % of the width. In a new
view the rest stays behind. ``align_to_picture``, which comes next, moves edges by less, and models each side by one
color only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.edges.blur import wide_blur
from depth3d.geometry.edges.discontinuities import find_discontinuities
from depth3d.geometry.edges.discs import dilate_disc, erode_disc
from depth3d.geometry.edges.masks import around, closest, connected, enlarged_mask
from depth3d.geometry.edges.sides import depth_of_side
from depth3d.image import Size

__all__ = ["relabel_by_color"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

SOLVED_SIDE = 480  # px; larger photos are examined at this size
REACH = 1 / 36  # of the width by which an outline may be off
WIDE = 3  # times REACH: pixels whose colors count as those of a side
STEP, STEP_SHARE = 2.0, 0.12  # least step of depth: pixels of shift, share of the range
CORE = 0.6  # of the largest thickness nearby: what is further inside is sure, even in narrow things
LEAST_WEIGHT = 0.01  # of the color of a pixel beside an edge, which may be on the wrong side
COLORS, SAMPLES = 32, 8000  # of the palette in which colors are counted, and pixels from which it is made
SEED = 1  # OpenCV begins its clusters at random
ALIKE = 25.0  # levels: colors so close count as one another (standard deviation of a Gaussian)
CELL = 4  # px; the shares of colors nearby are computed at 1/CELL of the size
# Share that every color is taken to have. What is seen on neither side rather belongs to the foreground: a background
# goes on beyond the reach, and would show it there.
UNSEEN_NEAR, UNSEEN_FAR = 0.03, 0.004
PRIOR = 1.5  # nats in favor of the depth map at REACH from its edge
MOST = 3.0  # nats, evidence of one pixel
SMOOTHNESS, SIMILAR = 10.0, 12.0  # of the decision, and levels between colors over which it goes on
LEAST_EVIDENCE, WINDOW = 1.0, 9  # nats: mean over the changed pixels of such a window
UNEVEN = 0.1  # of the step: standard deviation of the depth on either side; more, and there are three surfaces
TRUSTED, CLEAR = 0.85, 0.5  # share of the far side nearby whose colors tell it, by so many nats
SURE = 0.3  # weight of the pixels by which this is judged
INSIDE = 2  # px from the edge: from there on depth is known
CLOSE = 3.0  # px, Gaussian, of the depth beside what changes sides
THICK = 3  # px; narrower changes are left to ``align_to_picture``
CONTRAST, LEAST_CONTRAST = 0.9, 0.5  # of the old outline's: least contrast of the new one


class _Level(NamedTuple):
    """Depth of one side around each pixel, (h, w): mean and standard deviation."""

    mean: Floats
    deviation: Floats


class _Trimap(NamedTuple):
    """What the depth map says of each pixel, (h, w): undecided, on the near side; weight of its color on its side."""

    band: Mask
    near: Mask
    weight: Floats


def relabel_by_color(shift: Floats, colors: Pixels) -> Floats:
    """Move high depth steps by up to ``REACH`` to where the colors of both sides part.

    The colors of each side are counted around every pixel (soft local histograms). The log-likelihood ratio of a
    pixel's color, plus a prior for the depth map, is smoothed along the picture's edges (Min et al. 2014, Fast global
    image smoothing) and decides its side. What changes must begin at its new side, be supported by the colors in the
    mean, and end at an outline of about the same contrast. Where colors do not tell the background from the foreground,
    or three surfaces meet, the depth map knows better: in rooms full of things, hardly anything is changed. Only a
    color that the background nowhere has nearby, as a beetle's wings, goes to the foreground all the same.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift, with steps instead of ramps.
    colors : Pixels
        (H, W, 3) uint8, the photo.
    """
    height, width = shift.shape
    size = Size(width, height).fit(SOLVED_SIDE)
    depth = np.asarray(cv2.resize(shift, size, interpolation=cv2.INTER_NEAREST), np.float32)
    small = np.asarray(cv2.resize(colors, size, interpolation=cv2.INTER_AREA), np.uint8)
    reach = max(2, round(size.width * REACH))
    trimap = _trimap(depth, reach, max(STEP, STEP_SHARE * float(np.ptp(shift))))
    if not trimap.band.any():
        return shift
    evidence, unseen = _evidence(small, trimap, reach)
    changed = trimap.band & (_decided(small, trimap, evidence) != trimap.near)
    levels = [_level(depth, trimap.weight * side, reach) for side in (trimap.near, ~trimap.near)]
    step = levels[0].mean - levels[1].mean
    changed &= np.maximum(levels[0].deviation, levels[1].deviation) < UNEVEN * step
    changed &= _trusted(trimap, evidence, reach) | (unseen & ~trimap.near)
    for side, toward, level in zip((trimap.near, ~trimap.near), (evidence, -evidence), levels, strict=True):
        mine = _supported(changed & ~side, toward)
        mine = _at_contrast(connected(mine, mine & around(side & ~changed, 1)), small, side, unseen)
        if mine.any():
            beside = closest(depth, side & ~around(~side | changed, INSIDE))[1]
            beside = np.asarray(cv2.GaussianBlur(beside, (0, 0), CLOSE), np.float32)
            joined = depth_of_side(beside, level.mean, step)
            large = cv2.resize(joined, (width, height), interpolation=cv2.INTER_LINEAR)
            shift = np.where(enlarged_mask(mine, shift.shape), large, shift)
    return shift


def _trimap(depth: Floats, reach: int, step: float) -> _Trimap:
    edge = find_discontinuities(depth, step).beside()
    away = np.asarray(cv2.distanceTransform((~edge).view(np.uint8), cv2.DIST_L2, 3), np.float32)
    windows = [2 * reach + 1, 2 * WIDE * reach + 1]
    (high, low), (highest, lowest) = ((dilate_disc(depth, side), erode_disc(depth, side)) for side in windows)
    close = (away <= reach) & (high - low > step)
    near = depth > np.where(close, high + low, highest + lowest) / 2
    inside = np.asarray(cv2.distanceTransform(near.view(np.uint8), cv2.DIST_L2, 3), np.float32)
    core = near & (inside > CORE * dilate_disc(inside, 4 * reach + 1))
    # Where a window sees no step, its two halves mean nothing.
    known = (away <= WIDE * reach) & (highest - lowest > step)
    weight = np.clip(away / np.float32(reach), np.float32(LEAST_WEIGHT**0.25), 1) ** 4 * known
    return _Trimap(close & ~core, near, np.asarray(weight, np.float32))


def _evidence(color: Pixels, trimap: _Trimap, reach: int) -> tuple[Floats, Mask]:
    """Log-likelihood ratio of each color in favor of the near side, and whether the far side nearby does not have it.

    Both (h, w), by the colors of both sides nearby; 0 where a pixel is neither undecided nor sure of its side.
    """
    weighted = np.flatnonzero(trimap.weight)
    places = np.flatnonzero(trimap.band | (trimap.weight > 0))  # elsewhere nothing is asked for
    flat = color.reshape(-1, 3).take(places, 0).astype(np.float32)
    palette = _palette(color.reshape(-1, 3).take(weighted, 0).astype(np.float32))
    index = np.argmin((palette**2).sum(1) - 2 * flat @ palette.T, axis=1)
    alike = np.exp(-((palette[:, None] - palette) ** 2).sum(2) / np.float32(2 * ALIKE**2))
    height, width = trimap.band.shape
    small = (-(-height // CELL), -(-width // CELL))
    cell = places // width * small[0] // height * small[1] + places % width * small[1] // width
    weight, near = trimap.weight.ravel().take(places), trimap.near.ravel().take(places)

    def share_of_each(side: Mask) -> Floats:
        counts = np.bincount(index * (small[0] * small[1]) + cell, weight * side, len(palette) * small[0] * small[1])
        nearby = np.stack([cv2.GaussianBlur(count, (0, 0), WIDE * reach / CELL)
                           for count in (counts / CELL**2).astype(np.float32).reshape(-1, *small)])  # fmt: skip
        return np.asarray(np.tensordot(alike, nearby, 1) / (nearby.sum(0) + np.float32(1e-6)), np.float32)

    shares = [share_of_each(side).reshape(len(palette), -1)[index, cell] for side in (near, ~near)]
    evidence, unseen = np.zeros((height, width), np.float32), np.zeros((height, width), bool)
    evidence.ravel()[places] = np.log((shares[0] + np.float32(UNSEEN_NEAR)) / (shares[1] + np.float32(UNSEEN_FAR)))
    unseen.ravel()[places] = shares[1] < UNSEEN_FAR
    return evidence, unseen


def _palette(colors: Floats) -> Floats:
    """(K, 3) the colors that represent (N, 3) best."""
    some = np.ascontiguousarray(colors[:: max(1, len(colors) // SAMPLES)])
    criteria = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 10, 1.0)
    cv2.setRNGSeed(SEED)
    first = np.zeros((len(some), 1), np.int32)
    _, _, palette = cv2.kmeans(some, min(COLORS, len(some)), first, criteria, 1, cv2.KMEANS_PP_CENTERS)
    return np.asarray(palette, np.float32)


def _level(depth: Floats, weight: Floats, reach: int) -> _Level:
    mass = np.maximum(wide_blur(weight, reach), np.float32(1e-6))
    mean = np.asarray(wide_blur(weight * depth, reach) / mass, np.float32)
    variance = np.asarray(wide_blur(weight * depth * depth, reach) / mass - mean * mean, np.float32)
    return _Level(mean, np.sqrt(np.maximum(variance, np.float32(0))))


def _trusted(trimap: _Trimap, evidence: Floats, reach: int) -> Mask:
    """Where the evidence is right about nearly all of the far side nearby that the depth map is sure of."""
    weight = trimap.weight * (~trimap.near & (trimap.weight > SURE))
    right = wide_blur(weight * (evidence < -CLEAR), WIDE * reach)
    return np.asarray(right > TRUSTED * wide_blur(weight, WIDE * reach))


def _decided(color: Pixels, trimap: _Trimap, evidence: Floats) -> Mask:
    """(h, w) bool, the near side: where the evidence and the depth, smoothed over what has one color, are positive."""
    sign = np.where(trimap.near, np.float32(1), np.float32(-1))
    total = np.clip(evidence, -MOST, MOST) + sign * np.float32(PRIOR) * trimap.weight ** np.float32(0.25)
    total = np.where(trimap.band, total, sign * np.float32(MOST)).astype(np.float32)
    return np.asarray(cv2.ximgproc.fastGlobalSmootherFilter(color, total, SMOOTHNESS, SIMILAR) > 0)


def _supported(changed: Mask, toward: Floats) -> Mask:
    """The changes, but for narrow ones, for which the colors speak in the mean of the changed pixels nearby."""
    share = changed.astype(np.float32)
    mass = cv2.boxFilter(share, -1, (WINDOW, WINDOW))
    mean = cv2.boxFilter(share * toward, -1, (WINDOW, WINDOW)) / np.maximum(mass, np.float32(1e-6))
    kept = changed & (mean > LEAST_EVIDENCE)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THICK, THICK))
    return np.asarray(cv2.morphologyEx(kept.view(np.uint8), cv2.MORPH_OPEN, disc)).view(bool)


def _at_contrast(changed: Mask, color: Pixels, grown: Mask, unseen: Mask) -> Mask:
    """The connected changes whose new outline has about the contrast of the old one; ``grown`` is the side that grows.

    A lobe of similar color behind the foreground ends nowhere: its edge is what the depth map said. Of colors that are
    unseen on the far side, half of the contrast will do: within the foreground it may be higher.
    """
    contrast = cv2.morphologyEx(color, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).max(2)
    count, labels = cv2.connectedComponents(changed.view(np.uint8), connectivity=8)

    def mean(values: NDArray[Any], where: Mask) -> NDArray[np.float64]:
        mine = labels[where]
        sums = np.bincount(mine, values[where], minlength=count)
        return sums / np.maximum(np.bincount(mine, minlength=count), 1)

    old, new = (mean(contrast, changed & around(beside & ~changed, 1)) for beside in (grown, ~grown))
    kept = new >= np.where(mean(unseen, changed) > 0.5, LEAST_CONTRAST, CONTRAST) * old
    kept[0] = False
    return np.asarray(kept[labels])
