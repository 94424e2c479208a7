"""Fills holes. This is the one place that lists the project's hole-filling methods and what each is for.

1. Layers (stills, animations): ``disocclusion.extend_background`` gives the disoccluded background a depth,
   ``texture.paint_background`` its colors. Computed once per photo, so that it is stable over all frames.
2. One view (stereo stills): ``fill_view`` closes the small holes that the layers leave in a single view, from the
   background side of each row, then ``relax`` smooths them. Not stable between views, so animations do not use it.
3. Last resort (animations): ``pull_push`` colors a coarse backdrop behind all layers, so that no frame has a hole.
4. Clips: no layers can be built in a frame's time. ``shaders/warp/stereo.frag.glsl`` paints gaps with means of the
   background around them in the pass that draws the frame, and ``smooth_gaps.frag.glsl`` smooths them;
   ``reproject.frag.glsl`` mirrors the background at the outline.

Beyond the photo's border, ``border.extend_border`` extends the surfaces outwards.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import rounded

__all__ = ["fill_view", "pull_push", "relax"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

STEPS = 25
LIKE_PIXELS = 2.5  # neighbors whose shifts differ by less belong to one surface


def relax(
    colors: Floats,
    depth: Floats,
    unknown: Mask,
    steps: int = STEPS,
    crossing: tuple[Floats, Floats] | None = None,
) -> Floats:
    """Smooth ``unknown`` pixels, ``steps`` times: each becomes the mean of itself and its neighbors of similar depth.

    Without the pixel itself a checkerboard would stay: each of its two colors would turn into the other.

    Returns ``colors``, changed in place.

    Parameters
    ----------
    colors : Floats
        (H, W, C) float32 with an initial estimate at the unknown pixels.
    depth : Floats
        (H, W), pixels of shift.
    unknown : Mask
        (H, W), the pixels to smooth.
    steps : int
        Number of damped Jacobi iterations.
    crossing : tuple[Floats, Floats] | None
        (K,) each, for the unknown pixels row by row: how much less the neighbors above and below, and those at the
        sides, count, from 0 to 1, because lines lie between (Perona and Malik 1990). Without it all count alike.
    """
    height, width = depth.shape
    rows, columns = np.nonzero(unknown)
    if not len(rows):
        return colors
    here = rows * width + columns
    flat_depth, flat = depth.ravel(), colors.reshape(-1, colors.shape[-1])
    # Only the unknown pixels and their neighbors take part; everything is gathered once into compact arrays.
    neighbors = np.stack(
        [
            np.maximum(rows - 1, 0) * width + columns,
            np.minimum(rows + 1, height - 1) * width + columns,
            rows * width + np.maximum(columns - 1, 0),
            rows * width + np.minimum(columns + 1, width - 1),
        ]
    )
    like = (np.abs(flat_depth[neighbors] - flat_depth[here]) < LIKE_PIXELS).astype(np.float32)
    if crossing is not None:
        like[:2] *= 1 - crossing[0]
        like[2:] *= 1 - crossing[1]
    # The unknown ones first, so that they need not be gathered again in every step.
    involved = np.concatenate([here, _beside(height * width, here, neighbors)])
    place = np.empty(height * width, np.int32)
    place[involved] = np.arange(len(involved), dtype=np.int32)
    around = place.take(neighbors).astype(np.int64)
    values = np.ascontiguousarray(flat.take(involved, 0).T)
    own = 1 / (1 + like.sum(0))
    weight = like * own
    changing = values[:, : len(here)]
    for _ in range(steps):
        mean = changing * own
        for index in range(4):
            more = values.take(around[index], 1)
            more *= weight[index]
            mean += more
        changing[:] = mean
    for channel, found in enumerate(changing):
        flat[:, channel][here] = found
    return colors


def fill_view(picture: NDArray[Any], depth: Floats) -> tuple[NDArray[Any], Floats]:
    """Fill the holes of one view, each row from its farther end, then smooth them.

    Returns the filled copies of both.

    Parameters
    ----------
    picture : NDArray[Any]
        (H, W, 3) uint8 or uint16.
    depth : Floats
        (H, W) in pixels of shift, NaN in holes.
    """
    holes = np.isnan(depth)
    rows = np.flatnonzero(holes.any(1))
    if not len(rows) or holes.all():
        return picture, np.nan_to_num(depth)
    width = depth.shape[1]
    known = ~holes[rows]
    index = np.arange(width)
    left = np.maximum.accumulate(np.where(known, index, -1), axis=1)
    right = np.minimum.accumulate(np.where(known, index, width)[:, ::-1], axis=1)[:, ::-1]
    line = np.arange(len(rows))[:, None]
    here = depth[rows]
    from_left = np.where(left >= 0, here[line, np.maximum(left, 0)], np.inf)
    from_right = np.where(right < width, here[line, np.minimum(right, width - 1)], np.inf)
    source = np.where(from_left < from_right, left, right).clip(0, width - 1)
    colors = picture.astype(np.float32)
    filled = depth.copy()
    colors[rows] = np.where(known[..., None], colors[rows], picture[rows][line, source])
    filled[rows] = np.where(known, here, np.minimum(from_left, from_right))
    # A row without any known pixel gets the farthest depth.
    filled = np.where(np.isfinite(filled), filled, np.nanmin(depth)).astype(np.float32)
    relax(colors, filled, holes)
    return rounded(colors, picture.dtype), filled


def pull_push(values: Floats, known: Mask) -> Floats:
    """Fill unknown pixels from a pyramid of averages of the known ones (Gortler et al. 1996, The Lumigraph).

    Parameters
    ----------
    values : Floats
        (H, W, C) float32.
    known : Mask
        (H, W) bool; the result is 0 everywhere if no pixel is known.
    """
    weight = known.astype(np.float32)
    levels = [(values * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 1 and (levels[-1][1] <= 0).any():
        color, mass = levels[-1]
        size = ((mass.shape[1] + 1) // 2, (mass.shape[0] + 1) // 2)
        half = np.atleast_3d(cv2.resize(color, size, interpolation=cv2.INTER_AREA))
        levels.append(
            (half.astype(np.float32), cv2.resize(mass, size, interpolation=cv2.INTER_AREA).astype(np.float32))
        )
    color, mass = levels[-1]
    filled = color / np.maximum(mass, 1e-6)[..., None]
    for color, mass in reversed(levels[:-1]):
        larger = np.atleast_3d(cv2.resize(filled, mass.shape[::-1], interpolation=cv2.INTER_LINEAR))
        own = np.minimum(mass, 1)[..., None]
        filled = color / np.maximum(mass, 1e-6)[..., None] * own + larger * (1 - own)
    return np.where(known[..., None], values, filled).astype(np.float32)


def _beside(count: int, here: NDArray[np.int64], neighbors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Same as np.setdiff1d(neighbors, here), computed with a boolean mask: faster for many indices."""
    marked = np.zeros(count, bool)
    marked[neighbors] = True
    marked[here] = False
    return np.flatnonzero(marked)
