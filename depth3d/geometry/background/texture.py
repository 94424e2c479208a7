"""Colors of the disoccluded background: smooth tones of the surroundings plus mirrored texture."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.background.disocclusion import HiddenSurface
from depth3d.geometry.background.fill import relax
from depth3d.geometry.background.grain import LIKE_PIXELS, mirrored_grain, smooth_offsets
from depth3d.geometry.background.lines import AGREE, LEAST, STEEPEST, Lines, find_lines, steered_kernel
from depth3d.geometry.background.visible import VisiblePixels
from depth3d.geometry.chunked import CACHED_PIXELS, Part, chunked, parts_around, row_bands
from depth3d.geometry.pixels import put_colors, rows_columns
from depth3d.image import rounded

__all__ = ["exclude_covered", "paint_background", "paint_rim", "visible_lines"]

Floats = NDArray[np.float32]
Pixels = NDArray[Any]  # uint8 or uint16
Indices = NDArray[np.int64]
Sources = NDArray[np.int32]
Mask = NDArray[np.bool_]

SAMPLES = [(0.8 * a, 0.8 * b) for a in range(-4, 5) for b in range(-4, 5) if a * a + b * b < 18]  # standard deviations
SPREAD = 0.8  # share of the distance from the outline: standard deviation of a tone's samples
ALONG = 40.0  # how much less samples count across the lines of the background than along them, near the outline
TOWARDS = 0.6  # center of the samples, from the outline (0) to the pixel itself (1)
BEHIND = 0.8  # share of the depth step: nearer pixels belong to the foreground
REACH = 1 / 128  # share of the width: pixels farther from the outline take the mean tone only
RIM_HALO = 64  # pixels
NOWHERE = 1e9  # pixels of shift: nearer than every surface, so that it is never sampled
CROSSING = 0.99  # how much less tones are smoothed across lines than along them
RELAX_STEPS = 50
PAINTED_AT_ONCE = 20_000  # pixels: their arrays are the most memory that building layers takes
STRIDE_WIDTH = 500  # tones of wider pictures are computed on a grid this many samples wide


def paint_background(
    painted: Pixels,
    picture: Pixels,
    hidden: HiddenSurface,
    surface: Floats,
    cover: Floats,
    first_row: int = 0,
    lines: Lines | None = None,
) -> Pixels:
    """Color one disoccluded background layer.

    Next to an outline the color of the adjacent background is continued. Farther from it, where that would be visible
    as a streak, the tone is a mean over the surrounding background pixels on both sides of the occluder. Lines that
    reach the outline go on in their direction. The background's texture, mirrored at the outline, is added.

    Returns a copy of ``painted`` in which the layer's pixels are filled in.

    Parameters
    ----------
    painted : Pixels
        (H, W, 3) uint8 or uint16, the surroundings of the layer: the picture, or the layer in front of this one.
    picture : Pixels
        (H, W, 3).
    surface : Floats
        (H, W), its depth in pixels of shift, after ``exclude_covered``.
    cover : Floats
        (H, W), the same after the foreground was dilated.
    first_row : int
        Row of the whole picture that these arrays begin with, if they are a band of it.
    lines : Lines | None
        ``visible_lines`` of the same picture and surface, if they are known.
    """
    width = surface.shape[1]
    stride, top = _grid(width, first_row)
    pick = slice(top, None, stride), slice(stride // 2, None, stride)
    thin = HiddenSurface(hidden.depth[pick], hidden.source[pick], hidden.mask[pick])
    tones = painted[pick].astype(np.float32)
    rows, columns = np.nonzero(thin.mask)
    places = (rows * stride + top) * width + columns * stride + stride // 2
    known = VisiblePixels(picture, surface)
    lines = lines or visible_lines(picture, surface, first_row)
    result = painted.copy()

    def paint(here: Indices) -> None:
        if stride == 1:
            found = planes.take(here, 1)
        else:
            source = hidden.source.ravel().take(here)
            own = np.concatenate([known.colors_at(source), np.stack(known.way(source, here)[2:4]).astype(np.float32)])
            found = _enlarged(planes, thin.depth, here, hidden.depth.ravel().take(here), (width, stride, top), own)
        smooth, offsets = found[:3], found[3:]
        smooth += mirrored_grain(known, here, hidden, offsets, lines)
        put_colors(result, here, rounded(smooth, result.dtype))

    def tone(here: Indices) -> Floats:
        return _with_lines(_tone(known, lines, hidden, cover, here), known, lines, hidden, here)

    found = chunked(tone, places)
    tones[thin.mask] = np.concatenate(found or [tones[:0, 0]])
    relax(tones, thin.depth, thin.mask, RELAX_STEPS, _crossing(known, lines, thin.source[thin.mask], places))
    smoothed = tones, smooth_offsets(thin, width, top, stride)
    planes = np.stack([np.asarray(plane, np.float32).ravel() for values in smoothed for plane in cv2.split(values)])
    chunked(paint, np.flatnonzero(hidden.mask), PAINTED_AT_ONCE)
    return result


def visible_lines(picture: Pixels, surface: Floats, first_row: int = 0) -> Lines:
    """Find the lines of the visible picture; parameters as for ``paint_background``."""
    stride, top = _grid(surface.shape[1], first_row)
    return find_lines(picture, surface < NOWHERE, top, stride)


def _grid(width: int, first_row: int) -> tuple[int, int]:
    """Pixels between the samples of tones and lines, and the first row of samples: one grid for all bands."""
    stride = max(1, width // STRIDE_WIDTH)
    return stride, (stride // 2 - first_row) % stride


def exclude_covered(seen: Floats, cover: Floats, tolerance: float) -> Mask:
    """Keep pixels covered by the foreground's dilation from being sampled, because they contain foreground color.

    Returns these pixels, (H, W) bool.

    Parameters
    ----------
    seen : Floats
        (H, W), depth in pixels of shift; these pixels become nearer than every surface, in place.
    cover : Floats
        (H, W), the same after the foreground was dilated.
    tolerance : float
        Dilated pixels are nearer by more than this, in pixels of shift.
    """
    covered = np.empty(seen.shape, bool)
    for band in row_bands(seen.shape, halo=0, pixels=CACHED_PIXELS):
        np.greater(cover[band.rows] - seen[band.rows], tolerance, out=covered[band.rows])
        seen[band.rows][covered[band.rows]] = NOWHERE
    return covered


def paint_rim(painted: Pixels, layer: Mask, rim: Mask) -> None:
    """Give the pixels of ``rim`` the color of the nearest pixel of ``layer``, in place.

    The mesh of a layer is one cell larger than the layer; without this those cells would show the photo's foreground.

    Parameters
    ----------
    painted : Pixels
        (H, W, 3).
    layer, rim : Mask
        (H, W).
    """
    # The mesh reaches a few cells beyond its layer, so that the nearest pixel of it is within the halo.
    for part in parts_around(rim, 0, RIM_HALO):
        places = np.flatnonzero(rim[part.at])
        # Where the mesh is there for what is covered only, the layer may be further away.
        wide = Part((part.read[0], slice(0, rim.shape[1])), (part.inside[0], part.at[1]), part.at)
        if len(places):
            _paint_rim(painted, layer, places, part if layer[part.read].any() else wide)


def _paint_rim(painted: Pixels, layer: Mask, places: Indices, part: Part) -> None:
    """The same for flat indices within the part."""
    own = layer[part.read]
    inside = np.flatnonzero(own)
    if not len(inside):
        return
    outside = (~own).view(np.uint8)
    # Not the distances, too: 4 bytes a pixel.
    labels = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1]
    # The pixels of the layer are numbered from 1, row by row.
    label: Indices = labels[part.inside].ravel().take(places).astype(np.int64)
    row, column = rows_columns(inside.take(label - 1), own.shape[1])
    width, (rows, columns) = layer.shape[1], part.read
    nearest = painted.reshape(-1, 3).take((row + rows.start) * width + column + columns.start, 0)
    row, column = rows_columns(places, part.at[1].stop - part.at[1].start)
    put_colors(painted, (row + part.at[0].start) * width + column + part.at[1].start, nearest.T)


def _tone(far: VisiblePixels, lines: Lines, hidden: HiddenSurface, cover: Floats, here: Indices) -> Floats:
    """(K, 3): the source's color near the outline, blended into the surroundings' mean with growing distance.

    Near the outline the mean prefers the direction of the lines there; deep inside, that direction says little.
    """
    source, level = hidden.source.ravel().take(here), hidden.depth.ravel().take(here)
    row, column, down, right, deep = far.way(source, here)
    nearest = level + BEHIND * np.maximum(cover.ravel().take(here) - level, 1)
    tensor = _beside(lines, row, column, down, right)
    length = np.maximum(deep, np.float32(1))  # a source may be the pixel itself
    # In units of the distance from the outline, around the pixel itself.
    before = np.float32(TOWARDS - 1) / length
    steer = (ALONG * lines.stride / length).astype(np.float32)
    kernel = steered_kernel(tensor, steer, (before * down, before * right), SPREAD)
    y, x = row + down, column + right
    total, mass = np.zeros((3, len(here)), np.float32), np.zeros(len(here), np.float32)
    for first, second in SAMPLES:
        below, beside = kernel.at(first, second)
        at = far.at(y + deep * below, x + deep * beside)
        weight = (far.depth.take(at) < nearest) * np.float32(math.exp(-(first**2 + second**2) / 2))
        total += far.colors_at(at) * weight
        mass += weight
    own = far.colors_at(source)
    mean = np.where(mass > 0, total / np.maximum(mass, 1e-6), own)
    share = np.minimum(deep / (far.width * REACH), 1)
    return np.asarray((own + share * (mean - own)).T, np.float32)


def _beside(
    lines: Lines, row: Indices, column: Indices, down: Indices, right: Indices
) -> tuple[Floats, Floats, Floats]:
    """The structure of the background at the outline, seen from pixels whose sources lie there."""
    return lines.tensor(row - 3 * lines.stride * np.sign(down), column - 3 * lines.stride * np.sign(right))


def _crossing(far: VisiblePixels, lines: Lines, source: Sources, here: Indices) -> tuple[Floats, Floats]:
    """How much lines of the background hold apart the pixels above and below ``here``, and those at its sides."""
    row, column, down, right, _ = far.way(source, here)
    sideways, up, _ = _beside(lines, row, column, down, right)
    return CROSSING * up, CROSSING * sideways


def _with_lines(tones: Floats, far: VisiblePixels, lines: Lines, hidden: HiddenSurface, here: Indices) -> Floats:
    """(K, 3): the tones, replaced along lines that reach the outline: a line goes on in its direction."""
    source, level = hidden.source.ravel()[here], hidden.depth.ravel()[here]
    row, column, down, right, _ = far.way(source, here)
    inwards = -np.sign(right) * lines.stride
    slope, trust = lines.at(row, column + 3 * inwards)
    start = row - np.clip(slope, -STEEPEST, STEEPEST) * right  # where the line through the pixel meets the outline
    at = far.at(start, column + inwards)
    there, also = lines.at(start, column + 3 * inwards)
    goes_on = (down == 0) & (right != 0) & (np.abs(slope) < STEEPEST) & (np.abs(there - slope) < AGREE)
    goes_on &= np.abs(far.depth[at] - level) < LIKE_PIXELS
    share = np.where(goes_on, np.clip((np.minimum(trust, also) - LEAST) / (1 - LEAST), 0, 1), 0)[:, None]
    return np.asarray(tones + share * (far.colors[at] - tones), np.float32)


def _enlarged(
    tones: Floats, depth: Floats, here: Indices, level: Floats, grid: tuple[int, int, int], otherwise: Floats
) -> Floats:
    """(C, K): bilinear interpolation of the four nearest tones, leaving out those at a different depth.

    ``tones``: (C, h * w). ``grid``: width of the picture, step between the tones, row of the first ones.
    """
    height, across = depth.shape
    width, stride, first = grid
    y, x = rows_columns(here, width)
    total, mass = np.zeros((len(tones), len(here)), np.float32), np.zeros(len(here), np.float32)
    rows, columns = (_between(side, count, stride) for side, count in ((y - first, height), (x - stride // 2, across)))
    for top, down in rows:
        for left, right in columns:
            at = top * across + left
            weight = down * right * (np.abs(depth.ravel().take(at) - level) < LIKE_PIXELS)
            total += tones.take(at, 1) * weight
            mass += weight
    found = total / np.maximum(mass, 1e-6)
    return np.where(mass > 1e-3, found, otherwise).astype(np.float32)


def _between(places: Indices, count: int, stride: int) -> list[tuple[Indices, Floats]]:
    """The two samples beside each place, of ``count`` that are ``stride`` apart, and their linear weights."""
    before = places // stride
    share = (places - before * stride).astype(np.float32) / np.float32(stride)
    return [(before.clip(0, count - 1), 1 - share), ((before + 1).clip(0, count - 1), share)]
