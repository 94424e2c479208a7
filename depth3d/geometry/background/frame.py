"""Detects the frame or letterbox bars of a photo, removes them before views are rendered, and restores them after.

If frames were mirrored like the rest of the border, they would appear inside a view as a line near its edge.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.geometry.background.border import extend_border
from depth3d.image import Image

__all__ = ["Frame", "find_frame", "remove_frame", "restore_frame"]

Bytes = NDArray[np.uint8]

WIDEST = 40  # pixels
WIDEST_BAR = 0.3  # of the side, for black bars on two opposite sides
BLACK = 24  # levels
EVEN = 2.5  # levels: mean deviation from the median within a line of a frame
VARIED = 4.0  # levels: the same in the picture inside
STEP = 16  # levels
STEP_SHARE = 0.45  # of the line's pixels that differ by more than a step from the frame's last line
BLEND = 3  # lines at most in which a frame and the picture are mixed
MIXED = 0.6  # of the deviation inside: lines below it are mixed
DEPTH_STEP = 0.02


class Frame(NamedTuple):
    """Width of the frame on each side of a photo, in pixels; 0 = none."""

    top: int = 0
    right: int = 0
    bottom: int = 0
    left: int = 0


def find_frame(image: Image) -> Frame:
    """Measure the uniform lines along the borders of a photo: frames of up to 40 pixels, black bars of up to 30 %.

    Parameters
    ----------
    image : Image
        8 or 16 bits. A picture with alpha has no frame.
    """
    if image.alpha is not None or min(image.size) < 64:
        return Frame()
    pixels = image.eight_bit().pixels
    turned = pixels.transpose(1, 0, 2)
    top, bottom = _opposite(pixels)
    left, right = _opposite(turned)
    return Frame(top, right, bottom, left)


def remove_frame(image: Image, depth: DepthMap, frame: Frame) -> tuple[Image, DepthMap]:
    """Replace the frame by the picture inside, extended outwards; both keep their size.

    Parameters
    ----------
    image : Image
        Without alpha.
    depth : DepthMap
        Of the same size.
    frame : Frame
        Frame widths measured in ``image``.
    """
    if not any(frame):
        return image, depth
    height, width = depth.values.shape
    rows, columns = slice(frame.top, height - frame.bottom), slice(frame.left, width - frame.right)
    most = max(frame)
    pixels, values = extend_border(image.pixels[rows, columns], depth.values[rows, columns], most, DEPTH_STEP)
    whole = (slice(most - frame.top, most - frame.top + height), slice(most - frame.left, most - frame.left + width))
    return Image(np.ascontiguousarray(pixels[whole])), DepthMap(np.ascontiguousarray(values[whole]))


def restore_frame(view: Image, image: Image, frame: Frame) -> Image:
    """Copy the frame of ``image`` into a view of the same size at the same pixels, so that its disparity is zero.

    The result has as many bits as the view.
    """
    if not any(frame):
        return view
    height, width = image.size.height, image.size.width
    result = (image.eight_bit() if view.pixels.dtype == np.uint8 else image).pixels.copy()
    inside = (slice(frame.top, height - frame.bottom), slice(frame.left, width - frame.right))
    result[inside] = view.pixels[inside]
    return Image(result)


def _opposite(pixels: Bytes) -> tuple[int, int]:
    """Width of the frame at the first and at the last rows."""
    first, last = (_bar(rows) for rows in (pixels, pixels[::-1]))
    if first and last:
        return first, last
    return _edge(pixels), _edge(pixels[::-1])


def _edge(pixels: Bytes) -> int:
    return _width(pixels, min(WIDEST, len(pixels) // 8))


def _bar(pixels: Bytes) -> int:
    """Width of a black bar, or of a narrower frame of any color, at the first rows."""
    if int(pixels[:2].max()) > BLACK:
        return _edge(pixels)
    return _width(pixels, round(WIDEST_BAR * len(pixels)))


def _width(pixels: Bytes, most: int) -> int:
    """Number of rows of the frame at the first rows, at most ``most``; 0 without one."""
    across = pixels.shape[1]
    # Without the corners, which belong to the frame's other sides.
    lines = pixels[: most + BLEND + 6, across // 8 : -(across // 8)].astype(np.int16)
    deviation = np.abs(lines - np.median(lines, axis=1, keepdims=True)).mean((1, 2))
    even = int(np.argmax(deviation > EVEN)) if (deviation > EVEN).any() else len(lines)
    if not 0 < even <= most:
        return 0
    varied = float(deviation[even + BLEND : even + BLEND + 4].mean())
    end = even
    while end < even + BLEND and deviation[end] < MIXED * varied:
        end += 1
    changed = float((np.abs(lines[end] - lines[even - 1]).max(1) > STEP).mean())
    return end if varied > VARIED and changed >= STEP_SHARE else 0
