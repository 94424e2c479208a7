"""How the pictures and numbers of a depth file become a ``DepthMap``, and the words that describe it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.depth.colormaps import HEATMAPS, RED_IS_HIGH, known_scale, read_heat_map, read_scale
from depth3d.io.depth.plots import find_plot
from depth3d.io.depth.registry import ReadDepth
from depth3d.io.image.read import flatten

__all__ = ["depth_from_numbers", "depth_from_picture", "normalized", "polarity_hint", "read_numbers"]

_GRAY_TOLERANCE = 12  # levels of 255 by which JPEG may part the channels of a gray picture
_AS_GOOD = 4.0  # levels: a known heat map is preferred to the washed-out colors of a bar
_SCALE_FITS = 20.0  # mean distance in levels between a plot's map and its color bar
_NARROW = 0.25  # a gray map that uses less of its range than this is stretched
_SAMPLE = 16_000_000  # values
_OUTSIDE = 1e-3
_SCATTERED, _MILLIMETERS = 4, 20000  # separate holes, and the largest value of maps that have fewer
_INVERT = "use `invert_depth=True`"
_NOTHING = 1e9  # Blender writes 1e10 and others 65504 (the largest half float) where there is only sky


def depth_from_picture(image: Image, *, invert: bool = False) -> tuple[DepthMap, str]:
    """Interpret gray (8 or 16 bit) or a heat map as depth: white or bright = near unless ``invert``.

    A saved plot is cropped to its map and read by its color bar, if it has one. A picture that uses less than a quarter
    of its range is stretched. 16-bit pictures with holes at 0 or 65535 are a depth camera's distances, whose holes are
    filled from the far side. Raises ``InvalidInput`` for colors that follow no known heat map.

    Parameters
    ----------
    image : Image
        The depth file as a picture, its values unchanged.
    invert : bool
        Near and far are exchanged.
    """
    if image.alpha is not None and image.pixels.dtype == np.uint8:
        image = flatten(image)  # figures saved with a transparent background
    plot = find_plot(image.pixels) if image.pixels.dtype == np.uint8 else None
    if plot is None:
        return _from_pixels(image, None, invert)
    depth, how = _from_pixels(Image(plot.pixels), plot.scale, invert)
    return depth, f"{plot.words}, {how}"


def _from_pixels(image: Image, scale: NDArray[np.uint8] | None, invert: bool) -> tuple[DepthMap, str]:
    bits = image.pixels.dtype.itemsize * 8
    tolerance = _GRAY_TOLERANCE << (bits - 8)
    channels = [image.pixels[..., index] for index in range(3)]
    # Channel by channel: NumPy takes a minute for 100 megapixels over a last axis of 3.
    spread = np.maximum(np.maximum(*channels[:2]), channels[2])
    spread -= np.minimum(np.minimum(*channels[:2]), channels[2])
    if scale is not None:
        both = [read_scale(image.eight_bit().pixels, table) for table in (known_scale(scale), scale)]
        values, off = both[0] if both[0][1] < both[1][1] + _AS_GOOD else both[1]
        if off < _SCALE_FITS:
            return _polarity(DepthMap(values), "values read from its color bar, large values", "large", invert)
    if float((spread > tolerance).mean()) > 0.01:
        return _from_colors(image, invert=invert)
    del spread
    gray = channels[0].astype(np.float32)
    for channel in channels[1:]:
        gray += channel
    gray /= 3
    hole = _hole_value(gray) if bits == 16 else None
    if hole is not None:
        depth, how = depth_from_numbers(np.where(gray == hole, np.nan, gray), distances=True)
        return depth, f"depth camera, 16-bit {how}, {hole:.0f} = no measurement"
    gray /= np.float32(2**bits - 1)
    values = np.clip(gray, 0, 1, out=gray)
    how = f"{bits}-bit gray"
    low, high = (float(value) for value in np.percentile(_sample(values), [0.1, 99.9]))
    if 0.004 < high - low < _NARROW:
        values = normalized(values, low, high)
        how += f" stretched from {low:.0%}..{high:.0%}"
    return _polarity(DepthMap(values), how, "white", invert)


def _from_colors(image: Image, *, invert: bool) -> tuple[DepthMap, str]:
    decoded = read_heat_map(image.eight_bit().pixels)
    if decoded is None:
        raise InvalidInput(
            "is colored, but in the colors of no known heat map"
            f" ({', '.join(HEATMAPS[1:])} and others); save the depth map as gray"
        )
    end = "red" if decoded.name.split()[0] in RED_IS_HIGH else "bright"
    return _polarity(DepthMap(decoded.values), f"{decoded.name} heat map", end, invert)


def _polarity(depth: DepthMap, how: str, end: str, invert: bool) -> tuple[DepthMap, str]:
    other = {"white": "black", "bright": "dark", "red": "blue", "large": "small"}[end]
    return (depth.inverted(), f"{how}, {other} = near") if invert else (depth, f"{how}, {end} = near")


def _sample(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Evenly chosen values, 16 to 32 million at most: percentiles of more take minutes and gigabytes."""
    return values.ravel()[:: max(1, values.size // _SAMPLE)]


def _hole_value(gray: NDArray[np.float32]) -> float | None:
    """Return the value (0 or 65535) with which a depth camera marks missing measurements, or None for other maps.

    Such maps have many pixels of exactly this value, then nothing until well away from it, since cameras do not measure
    close by; and they are in millimeters or the like, not normalized to the full range. Beyond 20 m a single
    area without values is the background around a cut-out object; those of cameras are scattered.
    """
    for hole, highest in ((0.0, 65534.0), (65535.0, 40000.0)):
        share = float((gray == hole).mean())
        if not 0.001 < share < 0.8:
            continue
        some = _sample(gray)
        rest = some[(some != 0) & (some != hole)]
        if rest.size < 64:
            continue
        low, high = (float(value) for value in np.percentile(rest, [0.01, 99.99]))
        if (
            low > 0.02 * high
            and high <= highest
            and float(rest.max()) < 65535
            and len(np.unique(rest[:: max(1, rest.size // 50000)])) > 32
            and (_pieces(gray == hole) >= _SCATTERED or (hole == 0 and high <= _MILLIMETERS))
        ):
            return hole
    return None


def _pieces(mask: NDArray[np.bool_]) -> int:
    """Count the separate areas of a mask, at no more than about a million pixels."""
    step = max(1, int((mask.size / 1e6) ** 0.5))
    return int(cv2.connectedComponents(mask[::step, ::step].astype(np.uint8))[0]) - 1


def depth_from_numbers(values: NDArray[Any], *, distances: bool = False, invert: bool = False) -> tuple[DepthMap, str]:
    """(H, W) floats -> depth. NaN and infinity = unknown, filled from the farther side.

    - ``distances`` (an EXR channel called Z, say): larger = farther, normalized inverse.
    - all within [0, 1]: depth as depth3d writes it, taken as it is.
    - else disparity or a network's relative inverse depth: larger = nearer, least to largest becomes 0 to 1.

    ``invert`` turns each into its opposite; disparity without negative values then counts as distances.
    Raises ``InvalidInput`` if no value is known.
    """
    known = np.isfinite(values)
    if not known.any():
        raise InvalidInput("holds no number, only NaN or infinity")
    low, high = float(values[known].min()), float(values[known].max())
    # Lossy compression (DWA in EXR) leaves values a little outside.
    within = low >= -_OUTSIDE and high <= 1 + _OUTSIDE and high > 0.05
    if within:
        values = np.clip(values, 0, 1)
        low, high = max(low, 0.0), min(high, 1.0)
    if distances != invert and low >= 0 and not (within and not distances):
        depth, how = _from_distances(values)
    else:
        kept = _filled(np.where(known, values, np.nan).astype(np.float32))
        if within:
            depth, how = DepthMap(kept), "numbers from 0 to 1"
        else:
            depth, how = DepthMap.from_disparity(Disparity(kept)), f"numbers from {low:.4g} to {high:.4g}"
        if invert != distances:
            depth, how = depth.inverted(), f"{how}, smaller = nearer"
        else:
            how = f"{how}, larger = nearer"
    unknown = 1 - float(known.mean())
    how += f", {max(unknown, 0.001):.1%} unknown and filled" if unknown > 0 else ""
    # Depth cameras write meters with NaN, stereo matchers disparities with NaN: only the user knows.
    if "numbers from" in how and not invert and np.isnan(values).any() and low > 0.1 and 1 < high < 100:
        how += f"; if these are distances, {_INVERT}"
    return depth, how


def read_numbers(values: NDArray[Any], *, distances: bool = False, invert: bool = False) -> ReadDepth:
    """Return ``depth_from_numbers`` as the result of a reader.

    Parameters
    ----------
    values : NDArray[Any]
        (H, W) numbers.
    distances : bool
        The file states that they are distances.
    invert : bool
        Near and far are exchanged.
    """
    depth, how = depth_from_numbers(values, distances=distances, invert=invert)
    return ReadDepth(depth, how)


def _from_distances(values: NDArray[Any]) -> tuple[DepthMap, str]:
    """Distances: 0 and less = unknown, from 1e9 on or the largest half float = sky, at the farthest."""
    sky = (values >= _NOTHING) | (values == 65504) | (values == np.inf)
    measured = np.isfinite(values) & (values > 1 / _NOTHING) & ~sky
    if not measured.any():
        raise InvalidInput("holds no distance between 0 and 1e9")
    # One stray near pixel would push all the rest to the far end: inverse distance is steep there.
    near, far = float(np.percentile(values[measured], 0.1)), float(values[measured].max())
    inverse = np.full(values.shape, np.nan, np.float32)
    inverse[measured] = 1 / values[measured]
    inverse[sky] = 1 / far
    depth = normalized(_filled(inverse), 1 / far, 1 / near)
    return DepthMap(depth), f"distances from {near:.4g} to {far:.4g}, larger = farther"


def normalized(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """[low, high] -> [0, 1], clipped; a flat map becomes 0."""
    if not high > low:
        return np.zeros_like(values)
    scaled: NDArray[np.float32] = (values - np.float32(low)) / np.float32(high - low)
    return np.clip(scaled, 0, 1)


def _filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """NaN replaced along the row by the farther (smaller) of the next known values left and right.

    What one camera cannot see or match is background beside a foreground, so the farther one is right. Rows
    without any known value take those above or below.
    """
    if not np.isnan(values).any():
        return values
    filled = np.fmin(_carried(values), _carried(values[:, ::-1])[:, ::-1])
    if np.isnan(filled).any():
        filled = np.fmin(_carried(filled.T), _carried(filled.T[:, ::-1])[:, ::-1]).T
    return np.ascontiguousarray(filled)


def _carried(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The last known value of each row, going right; NaN before the first."""
    last = np.where(np.isnan(values), 0, np.arange(values.shape[1]))
    carried: NDArray[np.float32] = np.take_along_axis(values, np.maximum.accumulate(last, axis=1), axis=1)
    return carried


def polarity_hint(depth: DepthMap, how: str = "") -> str:
    """A question where the ground at the bottom looks clearly farther than the top; "" elsewhere.

    In most photos the bottom is near. That is no proof, so it is only said, never acted on.

    Parameters
    ----------
    depth : DepthMap
        The map.
    how : str
        What is told of it already; if it asks about the polarity, once is enough.
    """
    if _INVERT in how:
        return ""
    rows = max(1, depth.size.height // 5)
    top, bottom = float(depth.values[:rows].mean()), float(depth.values[-rows:].mean())
    if bottom < top - 0.25:
        return f"; its bottom is farther than its top: if that is wrong, {_INVERT}"
    return ""
