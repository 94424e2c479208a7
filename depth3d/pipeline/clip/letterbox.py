"""Pictures and depth with black bars around them: cut out what is inside, put it back, draw the bars."""

from __future__ import annotations

from dataclasses import replace
from math import log

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.io.stereo.layouts import EyeLayout
from depth3d.pipeline.clip.bars import Bars

__all__ = ["bar_mask", "bordered", "filled", "inner_eyes", "inner_frame", "inside_depth", "placed"]


def inner_frame(frame: Frame, bars: Bars, size: Size) -> Frame:
    """Return the picture inside the bars, resized to ``size``."""

    def inside(image: Image) -> Image:
        shown = Image(np.ascontiguousarray(image.pixels[bars.inside(image.size)]))
        return shown if shown.size == size else shown.resized(size)

    return replace(frame, image=inside(frame.image), seen=None if frame.seen is None else inside(frame.seen))


def inner_eyes(frame: Frame, bars: Bars, layout: EyeLayout) -> Frame:
    """Return the stored frame of a stereo clip without ``bars``, which are those of one eye at its full size."""
    axis = 0 if layout.packing == "stack" else 1

    def inside(image: Image) -> Image:
        side = image.pixels.shape[axis] // 2
        halves = np.split(image.pixels[: 2 * side] if axis == 0 else image.pixels[:, : 2 * side], 2, axis)
        size = Size(halves[0].shape[1], halves[0].shape[0])
        full = size if not layout.half else Size(size.width * (1 + axis), size.height * (2 - axis))
        shown = bars.scaled(full, size).inside(size)
        return Image(np.ascontiguousarray(np.concatenate([half[shown] for half in halves], axis)))

    return replace(frame, image=inside(frame.image), seen=None if frame.seen is None else inside(frame.seen))


def inside_depth(depth: DepthMap, bars: Bars, whole: Size) -> DepthMap:
    """Return the part of a given depth map inside ``bars`` of pictures of size ``whole``.

    A map that has the shape of the picture inside, rather than that of the whole one, is returned as it is.
    """
    inner = bars.inner_size(whole)
    if not any(bars) or abs(log(depth.size.aspect / inner.aspect)) < abs(log(depth.size.aspect / whole.aspect)):
        return depth
    return DepthMap(np.ascontiguousarray(depth.values[bars.scaled(whole, depth.size).inside(depth.size)]))


def bordered(image: Image, bars: Bars) -> Image:
    """Return the picture with black bars around it."""
    if not any(bars):
        return image
    pixels = cv2.copyMakeBorder(image.pixels, *(bars.top, bars.bottom, bars.left, bars.right), cv2.BORDER_CONSTANT)
    return Image(pixels)


def placed(values: NDArray[np.float32], bars: Bars, size: Size) -> NDArray[np.float32]:
    """Return the depth (H, W) of a picture of ``size`` from that inside its bars; its border goes on into the bars."""
    if not any(bars):
        return values
    rows, columns = bars.inside(size)
    height, width = values.shape
    scale_x, scale_y = width / (columns.stop - columns.start), height / (rows.stop - rows.start)
    whole = Size(max(1, round(size.width * scale_x)), max(1, round(size.height * scale_y)))
    # Pixel centers of the whole map, in pixels of the map inside.
    x = ((np.arange(whole.width) + 0.5) * size.width / whole.width - columns.start) * scale_x - 0.5
    y = ((np.arange(whole.height) + 0.5) * size.height / whole.height - rows.start) * scale_y - 0.5
    across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return np.asarray(cv2.remap(values, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def filled(image: Image, bars: Bars) -> Image:
    """Return the picture with its inside mirrored into the bars."""
    if not any(bars):
        return image
    inside = np.ascontiguousarray(image.pixels[bars.inside(image.size)])
    return Image(cv2.copyMakeBorder(inside, bars.top, bars.bottom, bars.left, bars.right, cv2.BORDER_REFLECT_101))


def bar_mask(bars: Bars, size: Size) -> NDArray[np.bool_]:
    """Return a mask (H, W) of a picture of ``size``: True in the bars."""
    mask = np.ones((size.height, size.width), bool)
    mask[bars.inside(size)] = False
    return mask
