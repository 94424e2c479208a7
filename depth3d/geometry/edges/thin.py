"""Thin things: recovers what a network lost of sticks, stems and wires, where the picture shows how they go on."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import parts_around
from depth3d.geometry.edges.deblur import estimate_blur
from depth3d.geometry.edges.discs import block_extremes, close_disc, dilate_disc, erode_disc, open_disc
from depth3d.geometry.edges.masks import around, connected

__all__ = ["recover_thin"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# Pixels at 640 wide.
WIDEST = 24
STRAIGHT = 16  # shorter pieces are spots
LONGEST_GAP = 48.0, 144.0  # beyond the depth that is known: up to there it goes on, from there it has faded
COLOR_SPREAD = 14.0  # of the window in which the colors of a thin thing and of its background are averaged
LOCAL_SPREAD = 16.0  # of the window in which its depth is averaged
DEPTH_SPREAD = 60.0  # of the window in which the largest of these averages counts most
BLURRED = 12  # within which a network spreads the depth of a thin thing
ROUNDING = 2  # by which a thin thing may look wider in depth than in color

LENGTH = 1.5  # of a thin thing, times ``STRAIGHT``
ATTACHED = 0.3  # share of its outline that may be no step down: more, and it is a part of something wide
ROUNDS = 4  # each follows a thin thing by about two windows
NOISE = 8.0  # gray levels
LEAST_EVIDENCE = 1.0  # nats for the thin thing's color
DIFFERENT = 0.5  # Bhattacharyya coefficient of the two colors: more, and the picture does not tell them apart
LEAST_SHARE = 0.5  # of the thin thing's color in a pixel
INSIDE, OUTSIDE = 0.7, 0.06  # shares of the pixels of a thing, and of those around it, that have (may have) its color
CORE = 8.0  # weight of pixels that are not at an outline
CLUTTER = 0.3  # share of the surroundings that would be thin things, too: more is texture
BLOCK = 4  # pixels across the blocks in which it is tested whether there may be something thin
COARSE = 4  # pixels across the cells for which averages are computed, from 960 wide on twice as many
ORIENTATIONS = 12
SLOPE = 0.7  # pixels of shift per pixel: steeper is a blurred step
ALONE = 0.5  # share of a thing without other steps nearby: with less, its depth before the blur is not known
LARGEST = 6.0  # exponent of the power mean over depths: a network loses depth, and never adds any
MOST_RAISED = 4.0  # times its own depth above the background


class _Colors(NamedTuple):
    """Mean and variance of the colors around each pixel, (h, w) for each channel, and where they are known."""

    mean: list[Floats]
    spread: list[Floats]
    known: Mask


def recover_thin(shift: Floats, told: Floats, picture: Bytes, scale: float, step: float) -> Floats:
    """Continue thin things along their color, and give them back the height that blur took.

    Where a narrow part of the foreground ends although a thin line of its color goes on in the picture, the line takes
    its depth. Blur keeps the integral of depth across a thin thing: divided by the width that the picture shows, it
    is the depth before the blur.

    Parameters
    ----------
    shift : Floats
        (H, W) float32, depth in pixels of shift, with steps where the picture has them.
    told : Floats
        (H, W), the same as the network told it.
    picture : Bytes
        (H, W, 3), sRGB.
    scale : float
        Width divided by 640, at least 1.
    step : float
        Pixels of shift: lower things are left as they are.
    """
    side, straight = 2 * round(WIDEST / 2 * scale) + 1, round(STRAIGHT * scale)
    behind = _opened(shift, side, step / 2, round(BLURRED * scale))
    near = shift - behind > step / 2
    known = _free_standing(shift, shift - behind > step, step / 2, LENGTH * straight)
    known &= _straight(known, straight)
    if not known.any():
        return shift
    planes = [plane.astype(np.float32) for plane in cv2.split(picture)]
    thin, likely = _followed(planes, known, near, side, scale)
    del planes
    known &= thin
    if not known.any():
        return shift
    away = cv2.distanceTransform((~known).view(np.uint8), cv2.DIST_L2, 3)
    full, end = (pixels * scale for pixels in LONGEST_GAP)
    fading = np.clip((end - away) / (end - full), 0, 1)
    level = np.maximum(_levels(shift, told, behind, known, likely, scale, step), behind)
    # What lies between pixels of its color belongs to the thing.
    chosen = thin & (likely | (known & close_disc(likely, side)) | ~around(known, round(ROUNDING * scale)))
    return np.where(chosen, behind + fading * (level - behind), shift).astype(np.float32)


def _opened(shift: Floats, side: int, least: float, reach: int) -> Floats:
    """``open_disc``, computed only within ``reach`` of where it can lower the depth by more than ``least``."""
    result = shift.copy()
    # A lower bound, of blocks: eroded by a disc that takes in the whole one, dilated by one that lies within it.
    (low, high), blocks = block_extremes(shift, BLOCK), -(-side // 2 // BLOCK)
    bound = dilate_disc(erode_disc(low, 2 * blocks + 5), max(1, 2 * blocks - 5))
    lowered = np.asarray(high - bound > least)
    where = cv2.resize(lowered.view(np.uint8), shift.shape[::-1], interpolation=cv2.INTER_NEAREST).view(bool)
    for part in parts_around(where, BLOCK + reach, halo=side - 1):
        result[part.at] = open_disc(shift[part.read], side)[part.inside]
    return result


def _followed(planes: list[Floats], known: Mask, near: Mask, side: int, scale: float) -> tuple[Mask, Mask]:
    """The thin things with what goes on in their color, and all pixels that have it; ``side`` of the widest."""
    # What is followed is little beside the background around it: its colors are averaged again only at the end.
    far = _colors(planes, ~near & ~around(known, 2), scale)
    first = _likely(planes, _colors(planes, known, scale), far)
    thin = _told_apart(known, first, near, scale)
    for number in range(ROUNDS):
        same = number == 0 and bool((thin == known).all())
        likely = first if same else _likely(planes, _colors(planes, thin, scale), far)
        narrow = likely & ~open_disc(likely, side)
        lines = _straight(narrow | thin, round(STRAIGHT * scale)) & ~near
        cluttered = cv2.blur(lines.astype(np.float32), (4 * side + 1, 4 * side + 1)) > CLUTTER
        grown = connected((lines & ~cluttered) | thin, thin)
        grown = thin | _told_apart(grown & ~thin, likely, near | thin, scale)
        more = np.count_nonzero(grown) - np.count_nonzero(thin)
        if not more:
            return thin, likely
        thin = grown
        if more < 2 * COLOR_SPREAD * scale:  # a line that goes on would have grown by more
            break
    return thin, _likely(planes, _colors(planes, thin, scale), _colors(planes, ~near & ~around(thin, 2), scale))


def _told_apart(things: Mask, likely: Mask, other: Mask, scale: float) -> Mask:
    """The connected parts of a mask that have the color, surrounded by pixels that have not."""
    count, labels = cv2.connectedComponents(things.view(np.uint8), connectivity=8)
    side = 2 * round(BLURRED * scale) + 1
    # Half the bytes of float32 where the numbers fit.
    numbers = labels.astype(np.uint16) if count < 65_536 else labels.astype(np.float32)
    ring = np.asarray(cv2.dilate(numbers, np.ones((side, side), np.uint8)))
    ring[around(things, 2) | other] = 0
    share = []
    for part, where in ((labels, things), (ring, ring > 0)):
        at = np.flatnonzero(where)
        mine = part.ravel().take(at).astype(np.int64)
        share.append(
            np.bincount(mine, likely.ravel().take(at), count) / np.maximum(np.bincount(mine, minlength=count), 1)
        )
    chosen = (share[0] > INSIDE) & (share[1] < OUTSIDE)
    chosen[0] = False
    return np.asarray(chosen[labels])


def _free_standing(shift: Floats, narrow: Mask, drop: float, length: float) -> Mask:
    """The connected parts of a mask that are long, and most of whose outline is a step down to a background."""
    places, (height, width) = np.flatnonzero(narrow), narrow.shape
    if not len(places):
        return narrow
    count, labels, stats, _ = cv2.connectedComponentsWithStats(narrow.view(np.uint8), connectivity=8)
    rows, depth, mine = places // width, shift.ravel(), labels.ravel().take(places)
    columns = places - rows * width
    outline, down = np.zeros(count), np.zeros(count)
    for step, last in (
        (-1, columns == 0), (1, columns == width - 1), (-width, rows == 0), (width, rows == height - 1)
    ):  # fmt: skip
        beside = np.flatnonzero(~last)
        ends = beside[labels.ravel().take(places[beside] + step) == 0]
        falls = depth.take(places[ends]) - depth.take(places[ends] + step) > drop
        outline += np.bincount(mine[ends], minlength=count) + np.bincount(mine[last], minlength=count)
        down += np.bincount(mine[ends], falls, minlength=count)
    chosen = (stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(1) >= length) & (down >= (1 - ATTACHED) * outline)
    chosen[0] = False
    return np.asarray(chosen[labels])


def _likely(planes: list[Floats], near: _Colors, far: _Colors) -> Mask:
    """Pixels whose color is that of the thin things nearby, not that of what is beside them."""
    unlike = np.zeros(near.known.shape, np.float32)
    for mean, spread, other, its_spread in zip(near.mean, near.spread, far.mean, far.spread, strict=True):
        total = spread + its_spread
        unlike += (mean - other) ** 2 / (4 * total) + np.log(total / (2 * np.sqrt(spread * its_spread))) / 2
    different = (np.exp(-unlike) < DIFFERENT) & near.known & far.known
    shape = planes[0].shape
    where = cv2.resize(different.view(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST).view(bool)
    places = np.flatnonzero(where)

    def sized(values: Floats) -> Floats:
        return np.asarray(cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32).take(places)

    evidence, across_own, across_all = (np.zeros(len(places), np.float32) for _ in range(3))
    for channel, plane in enumerate(planes):
        mean, spread, other, its_spread = (
            sized(values[channel]) for values in (near.mean, near.spread, far.mean, far.spread)
        )
        own = plane.take(places)
        evidence += (own - other) ** 2 / its_spread - (own - mean) ** 2 / spread + np.log(its_spread / spread)
        mean -= other
        own -= other
        across_own += own * mean
        across_all += mean * mean
    share = across_own / np.maximum(across_all, 1)
    result = np.zeros(shape, bool)
    result.ravel()[places] = (evidence > 2 * LEAST_EVIDENCE) & (share > LEAST_SHARE)
    return result


def _colors(planes: list[Floats], side: Mask, scale: float) -> _Colors:
    """Average the colors of one side around each pixel, for cells of pixels."""
    cell = _cell(scale)
    inner = cv2.erode(side.view(np.uint8), np.ones((3, 3), np.uint8))
    weight = (side + np.uint8(CORE) * inner).astype(np.float32)
    product = np.empty_like(weight)

    mass = np.maximum(_blur(_coarse(weight, cell), COLOR_SPREAD * scale / cell), np.float32(1e-6))

    def average() -> Floats:
        return np.asarray(_blur(_coarse(product, cell), COLOR_SPREAD * scale / cell) / mass, np.float32)

    means, spreads = [], []
    for plane in planes:
        np.multiply(weight, plane, out=product)
        means.append(average())
        product *= plane
        spreads.append(np.maximum(average() - means[-1] * means[-1], 0) + np.float32(NOISE**2))
    return _Colors(means, spreads, mass > 1e-4)


def _levels(
    shift: Floats, told: Floats, behind: Floats, known: Mask, likely: Mask, scale: float, step: float
) -> Floats:
    """Depth of the thin things nearby, before blur; all (H, W), in pixels of shift."""
    sure, cell = known & likely, _cell(scale)
    window = np.ones((2 * round(BLURRED * scale) + 1,) * 2, np.uint8)
    low = cv2.erode(np.where(sure, np.float32(np.inf), behind), window)
    alone = cv2.dilate(np.where(around(known, 3), np.float32(0), shift), window) - low <= step
    inside = cv2.distanceTransform(sure.view(np.uint8), cv2.DIST_L2, 3) - np.float32(0.5)
    blurred = around(sure, round(BLURRED * scale)) & alone
    part, clear = (_coarse(some.astype(np.float32), cell) for some in (sure, sure & alone))
    back, own, inside, mass = (
        _coarse(np.where(where, values, np.float32(0)), cell)
        for where, values in ((sure, behind), (sure, shift), (sure, inside), (blurred, np.maximum(told - behind, 0)))
    )

    def near(values: Floats) -> Floats:
        return _blur(values, LOCAL_SPREAD * scale / cell)

    many: Floats = np.maximum(near(part), np.float32(1e-6))
    back, own, width = (np.asarray(near(values) / many, np.float32) for values in (back, own, 4 * inside))
    # In the middle of a thing of this width, a blur leaves this share of its height.
    left = _erf(width / np.float32(np.sqrt(8) * max(estimate_blur(told, SLOPE, scale), 0.1)))
    most = back + (own - back) / np.maximum(left, 1 / MOST_RAISED)
    restored = np.clip(back + near(mass) / np.maximum(near(clear), 1e-6), own, most)
    local = np.where(near(clear) > ALONE * many, restored, own).astype(np.float32)
    spread = DEPTH_SPREAD * scale / cell
    mean = _blur(part * local ** np.float32(LARGEST), spread) / np.maximum(_blur(part, spread), 1e-6)
    level = np.clip(
        mean ** np.float32(1 / LARGEST), own, np.minimum(most, _nearest_around(shift, cell, part.shape, spread))
    )
    return np.asarray(cv2.resize(level, known.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _nearest_around(shift: Floats, cell: int, shape: tuple[int, ...], spread: float) -> Floats:
    """Nearest depth around each pixel, at the coarse size: nothing is raised above it."""
    highest = cv2.dilate(shift, np.ones((cell + 1, cell + 1), np.uint8))
    highest = cv2.resize(highest, shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.dilate(highest, np.ones((4 * round(spread) + 1,) * 2, np.uint8)), np.float32)


def _erf(values: Floats) -> Floats:
    """Error function of positive numbers (Abramowitz and Stegun 1964, 7.1.27; error 5e-4)."""
    x = values
    return np.asarray(1 - (1 + 0.278393 * x + 0.230389 * x**2 + 0.000972 * x**3 + 0.078108 * x**4) ** -4, np.float32)


def _straight(mask: Mask, length: int) -> Mask:
    """The pixels of a mask that lie on straight lines of this length within it."""
    found = np.zeros(mask.shape, bool)
    lines = _lines(length)
    for part in parts_around(mask, 0, halo=length):
        own = mask[part.read].view(np.uint8)
        on_line = np.zeros(own.shape, np.uint8)
        for line in lines:
            on_line |= np.asarray(cv2.morphologyEx(own, cv2.MORPH_OPEN, line))
        found[part.at] = on_line.view(bool)[part.inside]
    return found


def _lines(length: int) -> list[Bytes]:
    """Lines of this length in all directions, (``length``, ``length``) each."""
    found = []
    middle, reach = (length - 1) / 2, length / 2
    for angle in np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS:
        kernel = np.zeros((length, length), np.uint8)
        across, down = reach * np.cos(angle), reach * np.sin(angle)
        ends = [(round(middle + way * across), round(middle + way * down)) for way in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1)
        found.append(kernel)
    return found


def _cell(scale: float) -> int:
    """Pixels across a cell, a power of two."""
    return COARSE << max(0, math.floor(math.log2(scale * 4 / 3)))


def _coarse(values: Floats, cell: int) -> Floats:
    """Means of cells, without the pixels left over; halves exactly, which is fast."""
    while cell > 1:
        height, width = (max(2, side // 2 * 2) for side in values.shape)
        half = (width // 2, height // 2)
        values = np.asarray(cv2.resize(values[:height, :width], half, interpolation=cv2.INTER_AREA), np.float32)
        cell //= 2
    return values


def _blur(values: Floats, spread: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), spread), np.float32)
