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
from depth3d.quantities import short

__all__ = ["HEATMAPS", "RED_IS_HIGH", "HeatMap", "color_table", "colorize", "read_heat_map", "read_scale"]

HEATMAPS = ("gray", "inferno", "magma", "plasma", "viridis", "turbo", "jet", "cividis", "spectral")
# Tables that OpenCV holds, equal to matplotlib's within one level of 255 (a test compares them).
_IN_OPENCV = ("inferno", "magma", "plasma", "viridis", "turbo", "cividis")
# Maps that are only read, from plots of other programs; those of OpenCV are within a few levels of matplotlib's.
_ONLY_READ = ("bone", "pink", "cool", "parula")
_ANCHORS = {
    # Moreland's cool-warm map, and ColorBrewer's RdYlBu and RdBu from blue to red.
    "coolwarm": (0x3B4CC0, 0x688AEF, 0x99BAFF, 0xC9D8EF, 0xEDD1C2, 0xF7A789, 0xE36A53, 0xB40426),
    "rdylbu": (
        0x313695,
        0x4575B4,
        0x74ADD1,
        0xABD9E9,
        0xE0F3F8,
        0xFFFFBF,
        0xFEE090,
        0xFDAE61,
        0xF46D43,
        0xD73027,
        0xA50026,
    ),
    "rdbu": (
        0x053061,
        0x2166AC,
        0x4393C3,
        0x92C5DE,
        0xD1E5F0,
        0xF7F7F7,
        0xFDDBC7,
        0xF4A582,
        0xD6604D,
        0xB2182B,
        0x67001F,
    ),
    "rainbow": (0x8000FF, 0x4062FA, 0x00B4EC, 0x40ECD4, 0x80FFB4, 0xC0EC8E, 0xFFB462, 0xFF6232, 0xFF0000),
}
RED_IS_HIGH = ("turbo", "jet", "spectral", "coolwarm", "rdylbu", "rdbu", "rainbow")  # elsewhere the bright end
# ColorBrewer's Spectral from its violet to its red end: what Depth Anything's tools write ("Spectral_r").
_SPECTRAL = (
    0x5E4FA2,
    0x3288BD,
    0x66C2A5,
    0xABDDA4,
    0xE6F598,
    0xFFFFBF,
    0xFEE08B,
    0xFDAE61,
    0xF46D43,
    0xD53E4F,
    0x9E0142,
)
# Matplotlib's maps of straight lines: per channel (position, value). OpenCV's jet and hot differ by up to 51 levels.
_LINES = {
    "jet": (
        ((0, 0), (0.35, 0), (0.66, 1), (0.89, 1), (1, 0.5)),
        ((0, 0), (0.125, 0), (0.375, 1), (0.64, 1), (0.91, 0), (1, 0)),
        ((0, 0.5), (0.11, 1), (0.34, 1), (0.65, 0), (1, 0)),
    ),
    "hot": (
        ((0, 0.0416), (0.365079, 1), (1, 1)),
        ((0, 0), (0.365079, 0), (0.746032, 1), (1, 1)),
        ((0, 0), (0.746032, 0), (1, 1)),
    ),
    "copper": (((0, 0), (0.809524, 1), (1, 1)), ((0, 0), (1, 0.7812)), ((0, 0), (1, 0.4975))),
}
# What JPEG at quality 75 leaves of a heat map lies within 12 levels of it on the mean; a photo lies 40 and more away.
_CLOSE, _STRAY = 20.0, 40.0
_EXACT, _SPIKE = 0.5, 24


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
    elif name == "spectral":
        anchors = np.array([[color >> 16, color >> 8 & 255, color & 255] for color in _SPECTRAL])
        spread = np.linspace(0, 255, len(anchors))
        table = np.stack([np.interp(ramp, spread, channel) for channel in anchors.T], axis=1).round()
    elif name in _ANCHORS:
        anchors = np.array([[color >> 16, color >> 8 & 255, color & 255] for color in _ANCHORS[name]])
        places = np.linspace(0, 255, len(anchors))
        table = np.stack([np.interp(ramp, places, channel) for channel in anchors.T], axis=1).round()
    elif name in _LINES:
        table = np.stack(
            [np.interp(ramp / 255, *np.transpose(points)) * 255 for points in _LINES[name]], axis=1
        ).round()
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
    all their neighbors take the median of those around them.
    """
    packed, codes, colors = _distinct(pixels)
    weights = _sample_counts(packed, codes)
    candidates = [name for name in HEATMAPS if name != "gray"] + [
        "jet of OpenCV",
        "hot",
        "copper",
        *_ONLY_READ,
        *_ANCHORS,
    ]
    fits = {name: _nearest(colors, color_table(name)) for name in candidates}
    name = min(fits, key=lambda candidate: float(np.average(fits[candidate][1], weights=weights)))
    index, distance = fits[name]
    residual = float(np.average(distance, weights=weights))
    if residual > _CLOSE:
        return None
    place = np.zeros(1 << 24, np.uint32)
    place[codes] = np.arange(len(codes), dtype=np.uint32)
    values = index[place[packed]]
    if residual > _EXACT:
        values = _without_spikes(values, distance[place[packed]] > _STRAY)
    return HeatMap(name, values.astype(np.float32) / np.float32(255), residual)


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
    around = cv2.medianBlur(values, 5)
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
