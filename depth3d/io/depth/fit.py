"""Fit a depth map to its photo: rotated, mirrored, squeezed or padded maps are found by comparing edges.

Depth edges lie on picture edges. For each candidate transform the edge strength of the map is correlated with that of
the photo at a small size; a map is changed only if its own position is clearly worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.io.image.exif import upright

__all__ = ["edge_agreement", "fit_depth", "same_shape"]

ASPECT_TOLERANCE = 0.02  # a depth map may be rounded to whole pixels, not cropped differently
_NEAR_ASPECT = 0.06  # networks round both sides to multiples of 14, 16 or 32
_LONG_SIDE = 256
# Correlations of band-passed edges. Measured on 14 photos with their own map: 0.18 to 0.99 in place, at most 0.10 in
# any other of the eight positions.
_CLEAR, _MARGIN, _FLOOR = 0.15, 2.0, 0.05
_SIGMA = 1.2
_LARGEST_BLOCK = 32  # networks take sides that are multiples of up to this
_PADDING = 1.1  # removing a strip of padding must raise the agreement by so much, and by _FLOOR
_WEAKEST = 0.2  # Sobel response (8 times the gradient a pixel) that counts as an edge at all
_FAINT = 0.01  # standard deviation of edge strength below which there is nothing to compare
_TURNS = {
    2: "mirrored",
    3: "turned by 180 degrees",
    4: "upside down",
    5: "mirrored and turned",
    6: "turned by 90 degrees clockwise",
    7: "mirrored and turned",
    8: "turned by 90 degrees counter-clockwise",
}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A way to fit: EXIF orientation 1 to 8 to apply, then a box (left, top, right, bottom) in shares of the map."""

    turn: int
    box: tuple[float, float, float, float]
    words: str


def same_shape(depth: Size, photo: Size) -> bool:
    """Return True if two sizes have the same aspect to 2 %, or to one pixel of rounding.

    Parameters
    ----------
    depth, photo : Size
        The two sizes.
    """
    # One pixel of rounding is more than 2 % of a tiny map.
    off = min(abs(depth.width - photo.aspect * depth.height), abs(depth.height - depth.width / photo.aspect))
    return abs(depth.aspect / photo.aspect - 1) <= ASPECT_TOLERANCE or off <= 1


def fit_depth(depth: DepthMap, photo: Image) -> tuple[DepthMap, str]:
    """Return the map in the photo's position and shape, and what was done to it ("" if nothing).

    Raises ``InvalidInput`` if the shapes differ and no candidate's edges agree with the photo's.

    Parameters
    ----------
    depth : DepthMap
        The map as its file stores it.
    photo : Image
        The upright photo.
    """
    fits = same_shape(depth.size, photo.size)
    edges = _edges(_gray(photo))
    scores = {one: edge_agreement(_applied(depth, one), photo, edges) for one in _candidates(depth.size, photo.size)}
    own = next(iter(scores))
    best = max(scores, key=scores.__getitem__)
    strips = {one: edge_agreement(_applied(depth, one), photo, edges) for one in _strips(depth.values, photo.size)}
    padded = max(strips, key=strips.__getitem__, default=own)
    if strips and strips[padded] > max(_needed(edges), _PADDING * scores[best] + _FLOOR):
        return _applied(depth, padded), padded.words
    evident = _evident(depth, photo.size, list(strips))
    if evident is not None and strips[evident] > max(_needed(edges), 0.9 * scores[best]):
        return _applied(depth, evident), evident.words
    if fits:
        clearly = scores[best] > _needed(edges) and scores[best] > _MARGIN * max(scores[own], _FLOOR)
        clearly = clearly and _is_localized(_applied(depth, best), photo, edges)
        chosen = best if best.turn != 1 and clearly else own
    else:
        # Of candidates that score alike, the first one needs the fewest assumptions.
        chosen = next(one for one in scores if scores[one] >= 0.93 * scores[best])
        near = abs(depth.size.aspect / photo.size.aspect - 1) <= _NEAR_ASPECT
        if scores[chosen] < _needed(edges) * (0.5 if near else 1.0):
            raise InvalidInput(
                f"the depth map is {depth.size} and the photo {photo.size}: their shapes differ by more than 2 %, and"
                " their edges do not agree in any position (tried: stretched, padded, mirrored, turned by 90, 180 and"
                " 270 degrees); they do not belong together, or one is cropped"
            )
    if chosen == own and fits:
        return depth, ""
    return _applied(depth, chosen), chosen.words


def edge_agreement(depth: DepthMap, photo: Image, edges: NDArray[np.float32] | None = None) -> float:
    """Return the correlation of the edges of a map, stretched over the photo, with the photo's; -1 to 1.

    Parameters
    ----------
    depth : DepthMap
        The map.
    photo : Image
        The photo.
    edges : NDArray[np.float32] | None
        The photo's edges, if they are known already.
    """
    edges = _edges(_gray(photo)) if edges is None else edges
    return _correlation(_map_edges(depth, photo), edges)


def _map_edges(depth: DepthMap, photo: Image) -> NDArray[np.float32]:
    small = cv2.resize(depth.values, tuple(photo.size.fit(_LONG_SIDE)), interpolation=cv2.INTER_AREA)
    return _edges(np.asarray(small, np.float32))


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    if min(first.shape) < 8 or first.shape != second.shape or min(first.std(), second.std()) < _FAINT:
        return 0.0
    return float(np.mean((first - first.mean()) * (second - second.mean())) / (first.std() * second.std()))


def _needed(edges: NDArray[np.float32]) -> float:
    """Return the correlation that chance does not reach: six standard deviations of that of independent edges."""
    independent = max(1.0, edges.size / (14 * _SIGMA**2))
    return float(max(_CLEAR, 6 / np.sqrt(independent)))


def _is_localized(depth: DepthMap, photo: Image, edges: NDArray[np.float32]) -> bool:
    """Return True if the agreement is lost when the map is moved by 8 pixels: regular patterns agree anywhere."""
    mine = _map_edges(depth, photo)
    here = _correlation(mine, edges)
    step = 8
    moved = (
        _correlation(mine[step:], edges[:-step]),
        _correlation(mine[:-step], edges[step:]),
        _correlation(mine[:, step:], edges[:, :-step]),
        _correlation(mine[:, :-step], edges[:, step:]),
    )
    return max(moved) < 0.5 * here


def _candidates(depth: Size, photo: Size) -> Iterator[_Candidate]:
    whole = (0.0, 0.0, 1.0, 1.0)
    stretched = "" if same_shape(depth, photo) else f"stretched from {depth} to the photo's shape"
    yield _Candidate(1, whole, stretched)
    if stretched:
        yield from (
            _Candidate(1, box, f"padding removed ({where})") for box, where in _padded(depth.aspect, photo.aspect)
        )
    for turn, words in _TURNS.items():
        size = Size(depth.height, depth.width) if turn >= 5 else depth
        if same_shape(size, photo):
            yield _Candidate(turn, whole, f"{words}, like the photo's pixels before its EXIF orientation")
        elif stretched:
            yield _Candidate(turn, whole, f"{words} and stretched to the photo's shape")
            yield from (
                _Candidate(turn, box, f"{words}, padding removed ({where})")
                for box, where in _padded(size.aspect, photo.aspect)
            )


def _padded(depth: float, photo: float) -> Iterator[tuple[tuple[float, float, float, float], str]]:
    """Yield where the photo lies in a padded map: in the middle, or at the upper left."""
    share = min(depth / photo, photo / depth)
    if share < 0.3:
        return
    if depth > photo:
        yield ((1 - share) / 2, 0.0, (1 + share) / 2, 1.0), "left and right"
        yield (0.0, 0.0, share, 1.0), "right"
    else:
        yield (0.0, (1 - share) / 2, 1.0, (1 + share) / 2), "above and below"
        yield (0.0, 0.0, 1.0, share), "below"


def _strips(values: NDArray[np.float32], photo: Size) -> Iterator[_Candidate]:
    """Yield where the photo lies in a map that was padded on both axes to multiples of 14, 16 or 32.

    Padding is one value, or the last row or column repeated; how much of it there is follows from the aspect.
    """
    height, width = values.shape
    left, right = _repeated(values.T), _repeated(values.T[::-1])
    top, bottom = _repeated(values), _repeated(values[::-1])
    if min(top, bottom) > _LARGEST_BLOCK or min(left, right) > _LARGEST_BLOCK:
        return  # even from side to side, as a ramp is: nothing tells padding from the map
    for extra in range(min(_LARGEST_BLOCK, width // 4)):
        rest = height - (width - extra) / photo.aspect
        if not (-0.5 <= rest < _LARGEST_BLOCK and rest < height / 4):
            continue
        rows = max(0, round(rest))
        if extra + rows < 2:
            continue
        if extra <= right and rows <= bottom:
            box = (0.0, 0.0, 1 - extra / width, 1 - rows / height)
            yield _Candidate(1, box, f"padding removed ({extra} pixels on the right, {rows} below)")
        if (extra + 1) // 2 <= min(left, right) + 1 and (rows + 1) // 2 <= min(top, bottom) + 1 and extra + rows > 3:
            x, y = extra // 2 / width, rows // 2 / height
            box = (x, y, x + 1 - extra / width, y + 1 - rows / height)
            yield _Candidate(1, box, f"padding removed ({extra} pixels left and right, {rows} above and below)")


def _evident(depth: DepthMap, photo: Size, strips: list[_Candidate]) -> _Candidate | None:
    """Return the padding that cannot be the scene: one value up to a step, in a map that is not of the photo's shape.

    So small a strip hardly changes the agreement of the edges.
    """
    if abs(depth.size.width - photo.aspect * depth.size.height) <= 1 or not strips:
        return None
    values = depth.values
    for one in strips:
        height, width = values.shape
        left, top, right, bottom = (
            round(share * side) for share, side in zip(one.box, (width, height) * 2, strict=True)
        )
        removed = np.ones(values.shape, bool)
        removed[top:bottom, left:right] = False
        if not removed.any() or np.ptp(values[removed]) > 0.01:
            continue
        inside = values[top:bottom, left:right]
        sides = [inside[:, 0]] * (left > 0) + [inside[0]] * (top > 0)
        sides += [inside[:, -1]] * (right < width) + [inside[-1]] * (bottom < height)
        level = float(values[removed].mean())
        if all(float((np.abs(side - level) > 0.04).mean()) > 0.5 for side in sides):
            return one
    return None


def _repeated(values: NDArray[np.float32]) -> int:
    """Return how many rows at the top repeat the first one, to the noise of JPEG; at most 32."""
    few = values[: _LARGEST_BLOCK + 1]
    same = np.quantile(np.abs(few - few[:1]), 0.95, axis=1) < 0.015
    return int(np.argmin(same)) if not same.all() else len(few)


def _applied(depth: DepthMap, one: _Candidate) -> DepthMap:
    values = upright(depth.values, one.turn)
    height, width = values.shape
    left, top, right, bottom = one.box
    rows = slice(round(top * height), max(round(top * height) + 1, round(bottom * height)))
    columns = slice(round(left * width), max(round(left * width) + 1, round(right * width)))
    return DepthMap(np.ascontiguousarray(values[rows, columns]))


def _gray(photo: Image) -> NDArray[np.float32]:
    small = photo.eight_bit().resized(photo.size.fit(_LONG_SIDE))
    return np.asarray(cv2.cvtColor(small.pixels, cv2.COLOR_RGB2LAB).astype(np.float32) / 255, np.float32)


def _edges(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return band-passed gradient strength (H, W), compressed so that a few strong edges do not decide.

    Without the band-pass, textured regions agree with any map whose edges are about there.
    """
    across = cv2.Sobel(values, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(values, cv2.CV_32F, 0, 1)
    strength = np.sqrt(across**2 + down**2)
    if strength.ndim == 3:
        strength = strength.max(axis=2)
    # A ramp without any step has no edges: its tiny gradients are not blown up.
    top = max(float(np.percentile(strength, 98)), _WEAKEST)
    edges = np.minimum(strength / np.float32(top), 1)
    edges = cv2.GaussianBlur(edges, (0, 0), _SIGMA) - cv2.GaussianBlur(edges, (0, 0), 4 * _SIGMA)
    rim = 6 if min(edges.shape) > 48 else 1  # padding and borders are not edges of the scene
    return np.asarray(edges[rim:-rim, rim:-rim], np.float32)
