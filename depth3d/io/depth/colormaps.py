"""Convert depth to the colors of a heat map, and colors back to depth."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.depth.palettes import ANCHORS, LINES
from depth3d.quantities import short

__all__ = [
    "HEATMAPS",
    "RED_IS_HIGH",
    "HeatMap",
    "color_table",
    "colorize",
    "known_scale",
    "nearest_map",
    "read_heat_map",
    "read_scale",
]

HEATMAPS = ("gray", "inferno", "magma", "plasma", "viridis", "turbo", "jet", "cividis", "spectral")
# Tables that OpenCV holds, equal to matplotlib's within one level of 255 (a test compares them).
_IN_OPENCV = ("inferno", "magma", "plasma", "viridis", "turbo", "cividis")
# Maps that are only read, from plots of other programs; those of OpenCV are within a few levels of matplotlib's.
_ONLY_READ = ("bone", "pink", "cool", "parula")
RED_IS_HIGH = (
    "turbo",
    "jet",
    "spectral",
    "coolwarm",
    "rdylbu",
    "rdbu",
    "rdylgn",
    "rainbow",
    "seismic",
    "nipy_spectral",
)  # elsewhere the bright end
# What JPEG at quality 75 leaves of a heat map lies within 12 levels of it on the mean; a photo lies 40 and more away.
_CLOSE, _STRAY = 20.0, 40.0
_EXACT, _SPIKE = 0.5, 24
_SEEMS_BLENDED = 9.0  # mean distance from which half transparent maps are tried
_SAME_BAR = 26.0  # mean distance in levels between a color bar and its map
_PARTS_OF_BARS = ((0, 255), (0, 240), (0, 225), (0, 205), (15, 255), (30, 255), (50, 255))
_TRIED = 3000  # colors with which the map is chosen


class HeatMap(NamedTuple):
    """A decoded heat map: its name, (H, W) float32 in [0, 1], and the mean distance to the map in levels of 255."""

    name: str
    values: NDArray[np.float32]
    residual: float


@cache
def color_table(name: str) -> NDArray[np.uint8]:
    """Return the (256, 3) uint8 sRGB colors of a heat map, farthest first; raises ``InvalidInput`` if unknown."""
    ramp = np.arange(256, dtype=np.uint8)
    table: NDArray[Any]
    if name == "gray":
        table = np.repeat(ramp[:, None], 3, axis=1)
    elif name in ANCHORS:
        anchors = np.array(ANCHORS[name])
        places = np.linspace(0, 255, len(anchors))
        table = np.stack([np.interp(ramp, places, channel) for channel in anchors.T], axis=1).round()
    elif name in LINES:
        table = np.stack([np.interp(ramp / 255, *np.transpose(points)) * 255 for points in LINES[name]], axis=1).round()
    elif name == "jet of OpenCV" or name in _IN_OPENCV + _ONLY_READ:
        code = getattr(cv2, f"COLORMAP_{name.partition(' ')[0].upper()}")
        table = cv2.applyColorMap(ramp[:, None], code)[:, 0, ::-1]
    else:
        raise InvalidInput(f"heat map {name!r}: expected one of {', '.join(HEATMAPS)}")
    table = table.astype(np.uint8)
    table.flags.writeable = False
    return table


def colorize(depth: DepthMap, name: str) -> Image:
    """Convert a depth map to the colors of a heat map, whose bright or red end is near."""
    if not isinstance(name, str) or name not in HEATMAPS:
        raise InvalidInput(f"heat map {short(name)}: expected one of {', '.join(HEATMAPS)}")
    return Image(color_table(name)[np.round(depth.values * 255).astype(np.uint8)])


def read_heat_map(pixels: NDArray[np.uint8]) -> HeatMap | None:
    """Convert (H, W, 3) uint8 colors of a heat map to values; return None if no known map fits.

    Each color takes the value of the nearest color of the map. In lossy files, single pixels far from the map or from
    all their neighbors take the median of those around them. Maps drawn half transparent on white or black are read,
    too.
    """
    packed, codes, colors = _distinct(pixels)
    weights = _sample_counts(packed, codes)
    some = np.random.default_rng(0).permutation(len(codes))[:_TRIED] if len(codes) > _TRIED else slice(None)
    tables = {name: color_table(name) for name in _candidates()}
    name, residual = _best_table(tables, colors[some], weights[some])
    table = tables[name]
    if residual > _SEEMS_BLENDED:
        blended = {
            f"{name} {share} {ground}": _blended(table, share, ground)
            for name, table in tables.items()
            for share in (0.9, 0.8, 0.7, 0.6, 0.5)
            for ground in (0, 255)
        }
        other, lower = _best_table(blended, colors[some], weights[some])
        if lower < min(0.5 * residual, _SEEMS_BLENDED):
            name, table = other.rpartition(" ")[0].rpartition(" ")[0], blended[other]
    index, distance = _nearest(colors, table)
    residual = float(np.average(distance, weights=weights))
    if residual > _CLOSE or (np.ptp(index) == 0 and name not in HEATMAPS):  # one color may lie on any map
        return None
    place = np.zeros(1 << 24, np.uint32)
    place[codes] = np.arange(len(codes), dtype=np.uint32)
    values = index[place[packed]]
    if residual > _EXACT:
        values = _without_spikes(values, distance[place[packed]] > _STRAY)
    return HeatMap(name, values.astype(np.float32) / np.float32(255), residual)


def _candidates() -> list[str]:
    names = [*(name for name in HEATMAPS if name != "gray"), "jet of OpenCV", *_ONLY_READ, *LINES, *ANCHORS]
    return list(dict.fromkeys(names))


def _blended(table: NDArray[np.uint8], share: float, ground: int) -> NDArray[np.uint8]:
    return np.asarray(np.rint(share * table.astype(np.float32) + (1 - share) * ground), np.uint8)


def _best_table(
    tables: dict[str, NDArray[np.uint8]], colors: NDArray[np.float32], weights: NDArray[np.float64]
) -> tuple[str, float]:
    """Return the name of the table nearest to the colors, and their mean distance to it."""
    if not weights.any():
        weights = np.ones_like(weights)
    off = {name: float(np.average(_nearest(colors, table)[1], weights=weights)) for name, table in tables.items()}
    best = min(off, key=off.__getitem__)
    return best, off[best]


def nearest_map(pixels: NDArray[np.uint8]) -> tuple[str, float]:
    """Return the known heat map whose colors are nearest to a picture's, and their mean distance in levels.

    Parameters
    ----------
    pixels : NDArray[np.uint8]
        (H, W, 3), the picture; about 2000 pixels of it are used.
    """
    step = max(1, int((pixels.shape[0] * pixels.shape[1] / 2000) ** 0.5))
    colors = pixels[::step, ::step].reshape(-1, 3).astype(np.float32)
    return _best_table({name: color_table(name) for name in _candidates()}, colors, np.ones(len(colors)))


def known_scale(scale: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the heat map that the colors of a color bar follow, in the bar's direction, or the bar as it is.

    JPEG and small sizes wash out the colors of a narrow bar.

    Parameters
    ----------
    scale : NDArray[np.uint8]
        (256, 3), the bar from its small to its large end.
    """
    tables = [color_table(name) for name in (*_candidates(), "gray")]
    tables += [table[::-1] for table in tables]
    places = np.linspace(0, 1, 256)
    # The white end of a bar without a frame is not seen on white ground.
    parts = [np.rint(low + (high - low) * places).astype(int) for low, high in _PARTS_OF_BARS]
    off = [[_apart(table[part], scale) for part in parts] for table in tables]
    best = int(np.argmin(np.min(off, axis=1)))
    return tables[best] if min(off[best]) < _SAME_BAR else scale


def _apart(table: NDArray[np.uint8], scale: NDArray[np.uint8]) -> float:
    """Return the mean distance of two scales in levels; a few pixels of a bar may be mixed with its frame."""
    return float(np.minimum(np.linalg.norm(table.astype(np.float32) - scale, axis=1), _STRAY * 2).mean())


def read_scale(pixels: NDArray[np.uint8], table: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Read a map by the colors of its own color bar; return (H, W) values in [0, 1] and the mean distance in levels.

    Parameters
    ----------
    pixels : NDArray[np.uint8]
        (H, W, 3), the map.
    table : NDArray[np.uint8]
        (256, 3), the bar from its small to its large end.
    """
    packed, codes, colors = _distinct(pixels)
    index, distance = _nearest(colors, table)
    place = np.zeros(1 << 24, np.uint32)
    place[codes] = np.arange(len(codes), dtype=np.uint32)
    off = float(np.average(distance, weights=_sample_counts(packed, codes)))
    values = index[place[packed]]
    if off > _EXACT:
        values = _without_spikes(values, np.zeros(values.shape, bool))
    return values.astype(np.float32) / np.float32(255), off


def _without_spikes(values: NDArray[np.uint8], stray: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Replace stray pixels and spikes by the median: colors mixed by JPEG may lie anywhere on the map."""
    around = cv2.medianBlur(values, 3)
    return np.where(stray | (cv2.absdiff(values, around) > _SPIKE), around, values)


def _distinct(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.float32]]:
    """Return (H, W) packed colors, the distinct ones as numbers, and as (N, 3) float32."""
    packed = (pixels.astype(np.uint32) << np.array([16, 8, 0], np.uint32)).sum(axis=2, dtype=np.uint32)
    seen = np.zeros(1 << 24, bool)
    seen[packed] = True
    codes = np.flatnonzero(seen)
    return packed, codes, np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.float32)


def _sample_counts(packed: NDArray[np.uint32], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Count each of the colors ``codes`` in a regular sample of about a million pixels."""
    step = max(1, int((packed.size / 1e6) ** 0.5))
    counts = np.bincount(np.searchsorted(codes, packed[::step, ::step].ravel()), minlength=len(codes))
    return counts.astype(np.float64)


def _nearest(colors: NDArray[np.float32], table: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the nearest entry of the table for each of (N, 3) colors, and its distance."""
    entries = table.astype(np.float32)
    squares = (entries**2).sum(axis=1)
    index = np.empty(len(colors), np.uint8)
    distance = np.empty(len(colors), np.float32)
    for start in range(0, len(colors), 16384):
        part = colors[start : start + 16384]
        off = squares - 2 * part @ entries.T + (part**2).sum(axis=1, keepdims=True)
        best = off.argmin(axis=1)
        index[start : start + 16384] = best
        distance[start : start + 16384] = np.sqrt(np.maximum(off[np.arange(len(part)), best], 0))
    return index, distance
