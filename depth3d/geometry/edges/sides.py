"""Models both sides of depth edges by their depth and colors, to decide which side a pixel is on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import Part, parts_around
from depth3d.geometry.edges.blur import blurred_part, shrink_of, shrunk
from depth3d.geometry.edges.discontinuities import Discontinuities, find_discontinuities
from depth3d.geometry.edges.discs import dilate_disc, erode_disc
from depth3d.geometry.edges.guided import Guide, guided
from depth3d.geometry.pixels import colors_at, rows_columns

__all__ = ["REACH", "Sides", "depth_of_side", "find_sides"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]

REACH = 5  # pixels at 640 wide by which an edge may be off
LEAST_WEIGHT = 0.1  # cubed, of pixels at the edge, whose side is not sure: few of the other's colors spoil a variance
TAIL = 4  # times REACH: colors further away do not count (the Gaussian ends there)
NOISE = (6.0, 4.0, 4.0)  # levels, of the opponent colors
MOST_EVIDENCE = 4.0  # of a color, in nats
PRIOR = 3.0  # nats at ``REACH`` from the edge, in favor of the depth map
# Light, and two of color at right angles to it: a surface varies more in light than in color. By the variances of red,
# green and blue, a gray one in sun and shade would take in every color.
OPPONENT = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], np.float32) / np.sqrt([[3], [2], [6]], dtype=np.float32)
UNEVEN = 0.15  # of the step: standard deviation of the depth on either side
MOST_OFF = 0.3  # of the step, between the depth beside a pixel and the mean of its side


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Both sides of the edges, (H, W) each; all but ``is_near`` only around the pixels of ``band``, elsewhere 0.

    Parameters
    ----------
    slope, offset : list[Floats], Floats
        Color in 0..1 to a number that is positive on the near side (guided filter); one slope for each channel.
    near, far : Floats
        Depth of either side.
    band : Mask
        Pixels to decide on: close to an edge between exactly two surfaces.
    is_near : Mask
        The side by the depth alone; far away from all edges False.
    """

    slope: list[Floats]
    offset: Floats
    near: Floats
    far: Floats
    band: Mask
    is_near: Mask


class _Edges(NamedTuple):
    """Where the two sides of edges are known, (H, W) each, and the parts of the picture around the edges.

    ``away``: distance from the edges. ``apart``: there are two sides around. ``wide``: the parts in which colors count.
    """

    is_near: Mask
    apart: Mask
    away: Floats
    wide: list[Part]


class _Places(NamedTuple):
    """The pixels to decide on, flat indices (K,), and the parts that hold them with the flat indices within each."""

    all: Indices
    parts: list[tuple[Part, Indices]]


class _Model(NamedTuple):
    """One side of the edges: opponent colors at the pixels to decide on, (K,) for each channel, and depth.

    ``level`` is (H, W), its mean; ``uneven`` is (K,), its variance.
    """

    means: list[Floats]
    spreads: list[Floats]
    level: Floats
    uneven: Floats


def find_sides(shift: Floats, guide: Guide, scale: float, step: float) -> Sides | None:
    """Model both sides of all steps higher than ``step``; None if there are none."""
    reach = round(REACH * scale)
    edges = _find_edges(shift, reach, step)
    if edges is None:
        return None
    is_near, away = edges.is_near, edges.away
    # Only these pixels are decided on.
    close = np.zeros(shift.shape, bool)
    for part in edges.wide:
        close[part.at] = (away[part.at] <= reach) & edges.apart[part.at]
    places = _places_of(close, TAIL * reach)
    near, far = (_model(shift, guide.picture, edges, side, reach, places) for side in (True, False))
    mine = is_near.ravel().take(places.all)
    prior = away.ravel().take(places.all) * np.float32(PRIOR / reach)
    decided = _evidence(guide.picture, near, far, places.all) + np.where(mine, prior, -prior)
    total = away  # its memory
    np.copyto(total, np.float32(-MOST_EVIDENCE))
    np.copyto(total, np.float32(MOST_EVIDENCE), where=is_near)
    total.ravel()[places.all] = np.clip(decided, -MOST_EVIDENCE, MOST_EVIDENCE)
    band = np.zeros(shift.shape, bool)
    height = (near.level.ravel().take(places.all) - far.level.ravel().take(places.all)) * np.float32(UNEVEN)
    band.ravel()[places.all] = np.maximum(near.uneven, far.uneven) < height**2
    del edges, close, mine, prior, decided, height
    slope, offset = guided(total, guide, band)
    offset.ravel()[places.all] += _lost_light(slope, near, far, places.all)
    return Sides(slope, offset, near.level, far.level, band, is_near)


def depth_of_side(beside: Floats, mean: Floats, step: Floats) -> Floats:
    """The depth beside pixels that change sides, where it is about the ``mean`` of their new side, elsewhere that mean.

    An edge within a surface, between the depth around and its mean, would show what is behind as a second outline.
    """
    return np.asarray(np.where(np.abs(beside - mean) < MOST_OFF * step, beside, mean), np.float32)


def _find_edges(shift: Floats, reach: int, step: float) -> _Edges | None:
    torn = find_discontinuities(shift, step).beside()
    if not torn.any():
        return None
    is_near, apart, edge = (np.zeros(shift.shape, bool) for _ in range(3))
    side = 4 * reach + 1
    wide = parts_around(torn, (1 + TAIL) * reach, halo=side // 2 + 1)
    for part in wide:
        own = shift[part.read]
        high, low = dilate_disc(own, side), erode_disc(own, side)
        nearer = own > (high + low) / 2
        changes = Discontinuities(nearer[:, 1:] != nearer[:, :-1], nearer[1:] != nearer[:-1])
        found = (nearer, high - low > step, torn[part.read] & changes.beside())
        for whole, values in zip((is_near, apart, edge), found, strict=True):
            whole[part.at] = values[part.inside]
    if not edge.any():
        return None
    away = np.zeros(shift.shape, np.float32)
    for part in wide:
        away[part.at] = cv2.distanceTransform((~edge[part.read]).view(np.uint8), cv2.DIST_L2, 3)[part.inside]
    return _Edges(is_near, apart, away, wide)


def _lost_light(slope: list[Floats], near: _Model, far: _Model, places: Indices) -> Floats:
    """(K,) what a foreground lacks in its outline that is darker than the background, >= 0, in units of ``offset``.

    Light is mixed, not its sRGB encoding (here a root): a pixel that both sides cover by half is brighter than the
    middle of their gray levels, and would go to the brighter one. To a bright foreground it does: it shows its color.
    """
    total = np.zeros(len(places), np.float32)
    back = (OPPONENT.T @ np.asarray(model.means) for model in (near, far))
    for plane, *means in zip(slope, *back, strict=True):
        one, other = (mean / np.float32(255) for mean in means)
        half = np.sqrt((one * one + other * other) / 2)
        total -= plane.ravel().take(places) * (half - (one + other) / 2)
    return np.maximum(total, 0, out=total)


def _places_of(mask: Mask, halo: int) -> _Places:
    # With the pixels beside them, between which is interpolated.
    parts = [(part, np.flatnonzero(mask[part.at])) for part in parts_around(mask, 1, halo)]
    width, found = mask.shape[1], []
    for part, inside in parts:
        rows, columns = rows_columns(inside, part.at[1].stop - part.at[1].start)
        found.append((rows + part.at[0].start) * width + columns + part.at[1].start)
    return _Places(np.concatenate(found), parts)


def _model(shift: Floats, picture: NDArray[np.uint8], edges: _Edges, side: bool, reach: int, places: _Places) -> _Model:
    """Depth and colors of one side around each pixel."""
    shrink = shrink_of(reach)
    sums = _weighted(shift, picture, edges, side, reach, shrink)
    level, found = np.zeros(shift.shape, np.float32), np.empty((9, len(places.all)), np.float32)
    first = 0
    for part, inside in places.parts:
        last = first + len(inside)
        for number, plane in enumerate(sums):
            around = blurred_part(plane, part, reach, shrink)
            found[number, first:last] = around.ravel().take(inside)
            if number == 0:
                mass = around + np.float32(1e-6)
            elif number == 7:
                level[part.at] = around / mass
        first = last
    known = found[0] + np.float32(1e-6)
    means = [found[number] / known for number in (1, 3, 5)]
    spreads = [
        np.maximum(found[number] / known - mean * mean, 0) + np.float32(noise**2)
        for number, mean, noise in zip((2, 4, 6), means, NOISE, strict=True)
    ]
    return _Model(means, spreads, level, found[8] / known - level.ravel().take(places.all) ** 2)


def _weighted(
    shift: Floats, picture: NDArray[np.uint8], edges: _Edges, side: bool, reach: int, shrink: int
) -> list[Floats]:
    """The nine products of ``_products`` with the weight of each pixel of one side, at 1/``shrink`` of the size."""
    sums: list[Floats] = []
    for part in edges.wide:
        sure = np.clip(edges.away[part.at] / np.float32(reach), LEAST_WEIGHT, 1) ** 3 * edges.apart[part.at]
        weight = np.asarray(sure * (edges.is_near[part.at] == side), np.float32)
        products = [shrunk(product, shrink) for product in _products(weight, picture[part.at], shift[part.at])]
        if weight.shape == shift.shape:
            return products
        if not sums:
            size = tuple(-(-many // shrink) for many in shift.shape)
            sums = [np.zeros(size, np.float32) for _ in products]
        rows, columns = (slice(ends.start // shrink, -(-ends.stop // shrink)) for ends in part.at)
        for plane, product in zip(sums, products, strict=True):
            plane[rows, columns] = product
    return sums


def _products(weight: Floats, picture: NDArray[np.uint8], shift: Floats) -> Iterator[Floats]:
    """The weights; then for each opponent color and for the depth: their products with it and with its square."""
    yield weight
    for values in (*cv2.split(cv2.transform(picture.astype(np.float32), OPPONENT)), shift):
        product = weight * values
        yield product
        yield product * values


def _evidence(picture: NDArray[np.uint8], near: _Model, far: _Model, places: Indices) -> Floats:
    """(K,) log-likelihood ratio of the colors in favor of the near side, less where both sides have the same colors.

    How much they are the same is the Bhattacharyya coefficient of two Gaussians.
    """
    ratio, apart = np.zeros(len(places), np.float32), np.zeros(len(places), np.float32)
    colors = OPPONENT @ colors_at(picture, places)
    for own, *pairs in zip(colors, near.means, near.spreads, far.means, far.spreads, strict=True):
        mean, spread, other, its_spread = pairs
        ratio += (own - other) ** 2 / its_spread - (own - mean) ** 2 / spread
        apart += (mean - other) ** 2 / (4 * (spread + its_spread))
    # One logarithm and one root instead of one for each channel.
    mine, theirs = (model.spreads[0] * model.spreads[1] * model.spreads[2] for model in (near, far))
    ratio += np.log(theirs / mine)
    total = (near.spreads[0] + far.spreads[0]) * (near.spreads[1] + far.spreads[1])
    total *= near.spreads[2] + far.spreads[2]
    alike = np.exp(-apart) * np.sqrt(8 * np.sqrt(mine * theirs) / total)
    return np.asarray(np.clip(ratio / 2, -MOST_EVIDENCE, MOST_EVIDENCE) * (1 - alike) ** 2, np.float32)
