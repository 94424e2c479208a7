"""Grain of the disoccluded background: the fine texture of the visible one, mirrored at the outline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.background.disocclusion import HiddenSurface
from depth3d.geometry.background.fill import relax
from depth3d.geometry.background.lines import Lines
from depth3d.geometry.background.visible import VisiblePixels
from depth3d.geometry.pixels import rows_columns

__all__ = ["LIKE_PIXELS", "mirrored_grain", "smooth_offsets"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

GRID = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
GRAIN_REACH = 1 / 64  # share of the width: pixels farther from the outline have all of the grain
MOST = 25.0  # gray levels: stronger grain is mostly edges of objects, which do not repeat; softly limited
REPEATED = 0.95  # how much more lines along the outline are limited, which would be mirrored as lines of their own
LIKE_PIXELS = 3.0  # of shift
LIKE_SLOPE = 0.25  # added to the tolerance for each pixel of distance, for slanted surfaces


def smooth_offsets(hidden: HiddenSurface, whole_width: int, top: int, stride: int) -> Floats:
    """Return (h, w, 2) float32 (down, right): how far pixels of a layer are from the outline, smoothed along it.

    Outlines are ragged, and neighbors whose sources lie in other directions would mirror unrelated pixels: dashes.

    Parameters
    ----------
    hidden : HiddenSurface
        Every ``stride``-th pixel of the layer; its sources are flat indices of the whole picture. Visible pixels are
        their own sources.
    whole_width : int
        Of the picture.
    top, stride : int
        Row of the first of these pixels, and pixels between them.
    """
    height, width = hidden.mask.shape
    across = np.arange(width) * stride + stride // 2
    down = np.arange(height) * stride + top
    row, column = rows_columns(hidden.source.astype(np.int64), whole_width)
    offsets = np.stack([down[:, None] - row, across - column], axis=2).astype(np.float32)
    return relax(offsets, hidden.depth, hidden.mask)


def mirrored_grain(far: VisiblePixels, here: Indices, hidden: HiddenSurface, offsets: Floats, lines: Lines) -> Floats:
    """Return (3, K) float32, the difference of mirrored pixels from the mean around them.

    It is 0 at the outline, where the color of the background itself goes on, and where another surface is mirrored.

    Parameters
    ----------
    far : VisiblePixels
        The background that is mirrored.
    here : Indices
        (K,) flat indices of pixels of the layer.
    hidden : HiddenSurface
        The layer.
    offsets : Floats
        (2, K), of ``smooth_offsets`` at these pixels.
    lines : Lines
        The structure of the background; its samples are as far apart as those of the mean, of which there are 5 x 5.
    """
    stride = lines.stride
    level = hidden.depth.ravel().take(here)
    deep = far.way(hidden.source.ravel().take(here), here)[4]
    row, column = rows_columns(here, far.width)
    mirror = far.at(row - 2 * offsets[0], column - 2 * offsets[1])
    y, x = rows_columns(mirror, far.width)
    first, which = _first_of_each(y // stride * (far.width // stride + 1) + x // stride)
    y, x = y[first], x[first]
    middle = far.depth.take(mirror[first])
    total, mass = np.zeros((3, len(first)), np.float32), np.zeros(len(first), np.float32)
    for away, aside in GRID:
        at = far.at(y + away * stride, x + aside * stride)
        like = (np.abs(far.depth.take(at) - middle) < LIKE_PIXELS).astype(np.float32)
        total += far.colors_at(at) * like
        mass += like
    grain = far.colors_at(mirror) - (total / mass).take(which, 1)
    repeated = _varies_along(lines.tensor(y, x), offsets.take(first, 1))
    most = (MOST * np.iinfo(far.colors.dtype).max / 255 * (1 - REPEATED * repeated)).astype(np.float32)
    grain /= np.sqrt(1 + (grain / most.take(which)) ** 2)
    own = far.depth.take(mirror)
    same = (np.abs(own - level) < LIKE_PIXELS + LIKE_SLOPE * deep) & (np.abs(own - middle[which]) < LIKE_PIXELS)
    share = np.minimum(deep / (far.width * GRAIN_REACH), 1) * same
    return np.asarray(grain * share, np.float32)


def _varies_along(tensor: tuple[Floats, Floats, Floats], way: Floats) -> Floats:
    """(N,) from 0 to 1: how much more colors vary along ``way``, (2, N) (down, right), than across it."""
    across, down, both = tensor
    length = np.maximum(np.square(way).sum(0), np.float32(1e-6))
    along = (down * way[0] ** 2 + across * way[1] ** 2 + 2 * both * way[0] * way[1]) / length
    return np.asarray(np.clip(2 * along - (across + down), 0, 1), np.float32)


def _first_of_each(numbers: Indices) -> tuple[Indices, Indices]:
    """Places (N,) of the first of each number, and for all (K,) which of these has their number."""
    numbers = numbers - numbers.min()
    turn = np.arange(len(numbers))
    first = np.empty(int(numbers.max()) + 1, np.int64)
    first[numbers[::-1]] = turn[::-1]  # the last one written is kept
    mine = first[numbers]
    chosen = mine == turn
    return np.flatnonzero(chosen), (np.cumsum(chosen) - 1)[mine]
