"""Detects the frame, letterbox bars and rounded corners of a photo, removes and restores them.

If they were mirrored like the rest of the border, they would appear inside a view as a line near its edge.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.geometry.background.border import extend_border
from depth3d.geometry.background.corners import corner_mask, fill_corners, find_radius
from depth3d.image import Image, Size

__all__ = ["Frame", "crop_depth", "crop_frame", "find_frame", "pad_depth", "remove_frame", "restore_frame"]

Bytes = NDArray[np.uint8]

WIDEST = 40  # pixels
THINNEST = 3  # pixels: lines that are found by the frame of the other sides, whatever their color
WIDEST_BAR = 0.3  # of the side, for black bars on two opposite sides
BLACK = 24  # levels
EVEN = 2.5  # levels: mean deviation from the median within a line of a frame
VARIED = 4.0  # levels: the same in the picture inside
STEP = 16  # levels
SAME_COLOR = 8  # levels
STEP_SHARE = 0.45  # of the line's pixels that differ by more than a step from the frame's last line
BLEND = 3  # lines at most in which a frame and the picture are mixed
HALO = 2  # lines at most beside a frame
HALO_STEP = 6  # levels by which they differ from the picture
HALO_SHARE = 0.85  # of their pixels
MIXED_COLOR = 0.25  # share of the frame's color: lines with more are mixed
MIXED = 0.6  # of the deviation inside: lines below it are mixed
DEPTH_STEP = 0.02
UNEQUAL = 0.2  # share by which the sides of one frame differ in width


class Frame(NamedTuple):
    """Width of the frame on each side of a photo, and radius of the round corners inside it, in pixels; 0 = none."""

    top: int = 0
    right: int = 0
    bottom: int = 0
    left: int = 0
    radius: int = 0

    def inside(self, size: Size) -> tuple[slice, slice]:
        """Return the rows and columns of the picture inside."""
        return slice(self.top, size.height - self.bottom), slice(self.left, size.width - self.right)


def find_frame(image: Image) -> Frame:
    """Measure the uniform lines along the borders of a photo: frames of up to 40 pixels, black bars of up to 30 %.

    Round corners are found inside the frame, or without one.

    Parameters
    ----------
    image : Image
        8 or 16 bits. A picture with alpha has no frame.
    """
    if image.alpha is not None or min(image.size) < 64:
        return Frame()
    pixels = image.eight_bit().pixels
    turned = pixels.transpose(1, 0, 2)
    sides = pixels, turned[::-1], pixels[::-1], turned  # each with its border as the first rows
    widths = [*_opposite(pixels), *_opposite(turned)]
    found = [widths[0], widths[3], widths[1], widths[2]]
    widths = [width or _like_others(sides, found, side) for side, width in enumerate(found)]
    frame = Frame(*(width + _halo(sides[side], width) for side, width in enumerate(widths)))
    return frame._replace(radius=find_radius(pixels[frame.inside(image.size)]))


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
    shown, inner = crop_frame(image, frame), crop_depth(depth, frame)
    most = max(frame[:4])
    if not most:
        return shown, inner
    pixels, values = extend_border(shown.pixels, inner.values, most, DEPTH_STEP)
    whole = (slice(most - frame.top, most - frame.top + height), slice(most - frame.left, most - frame.left + width))
    return Image(np.ascontiguousarray(pixels[whole])), DepthMap(np.ascontiguousarray(values[whole]))


def crop_frame(image: Image, frame: Frame) -> Image:
    """Return the picture inside the frame, with round corners filled.

    Parameters
    ----------
    image, frame : Image, Frame
        As for ``remove_frame``.
    """
    return replace(image, pixels=_cropped(image.pixels, frame)) if any(frame) else image


def crop_depth(depth: DepthMap, frame: Frame) -> DepthMap:
    """Return the depth of the picture inside the frame.

    Parameters
    ----------
    depth, frame : DepthMap, Frame
        As for ``remove_frame``.
    """
    return DepthMap(_cropped(depth.values, frame)) if any(frame) else depth


def pad_depth(depth: DepthMap, frame: Frame) -> DepthMap:
    """Continue the depth of the picture inside the frame over the frame: inverse of ``crop_depth`` for the size.

    Parameters
    ----------
    depth : DepthMap
        Of the picture inside.
    frame : Frame
        Frame widths.
    """
    if not any(frame[:4]):
        return depth
    return DepthMap(np.pad(depth.values, ((frame.top, frame.bottom), (frame.left, frame.right)), mode="edge"))


def restore_frame(view: Image, image: Image, frame: Frame) -> Image:
    """Copy the frame of ``image`` into a view of the same size at the same pixels, so that its disparity is zero.

    The result has as many bits as the view.
    """
    if not any(frame):
        return view
    kept = (image.eight_bit() if view.pixels.dtype == np.uint8 else image).pixels
    result = view.pixels.copy()
    rows, columns = frame.inside(image.size)
    for part in (np.s_[: rows.start], np.s_[rows.stop :], np.s_[:, : columns.start], np.s_[:, columns.stop :]):
        result[part] = kept[part]
    if frame.radius:
        shown, under = result[rows, columns], kept[rows, columns]
        round_corner = corner_mask(shown.shape, frame.radius)
        ends = slice(frame.radius), slice(-frame.radius, None)
        for corner in ((vertical, horizontal) for vertical in ends for horizontal in ends):
            np.copyto(shown[corner], under[corner], where=round_corner[corner][..., None])
    return Image(result)


def _cropped(values: NDArray[Any], frame: Frame) -> NDArray[Any]:
    height, width = values.shape[:2]
    inside = np.ascontiguousarray(values[frame.inside(Size(width, height))])
    return fill_corners(inside, frame.radius) if frame.radius else inside


def _opposite(pixels: Bytes) -> tuple[int, int]:
    """Width of the frame at the first and at the last rows."""
    first, last = (_bar(rows) for rows in (pixels, pixels[::-1]))
    if first and last:
        return first, last
    # Next to an even sky the end of a bar is no change from even to varied lines.
    for one, other, rows in ((first, last, pixels[::-1]), (last, first, pixels)):
        if one > WIDEST and not other:
            found = _width_like(rows, one, np.zeros(3, np.int16))
            if not found and _has_color(rows, one, np.zeros(3, np.int16)):
                found = one  # black beside a black picture: whatever its width, it is black in every view
            if found:
                return (one, found) if one == first else (found, one)
    return _edge(pixels), _edge(pixels[::-1])


def _like_others(sides: tuple[Bytes, ...], widths: list[int], side: int) -> int:
    """Width of a side's frame that only differs from those of two others by the even picture beside it; 0 = none."""
    others = [other for other in range(4) if 0 < widths[other] <= WIDEST]
    if len(others) < 2:
        return 0
    opposite = (side + 2) % 4
    like = opposite if opposite in others else others[0]
    color, width = _color(sides[like], widths[like]), widths[like]
    found = _width_like(sides[side], width, color) or _thin(sides[side])
    return found or (width if len(others) == 3 and _has_color(sides[side], width, color) else 0)


def _thin(pixels: Bytes) -> int:
    """Number of first rows, at most ``THINNEST``, that have one color each and none of it in the next row; else 0."""
    lines = _lines(pixels, THINNEST + 1)
    for end in range(1, len(lines)):
        if np.abs(lines[end - 1] - np.median(lines[end - 1], axis=0)).mean() > 1:
            return 0
        if (np.abs(lines[end] - lines[end - 1]).max(1) > STEP).mean() > 1 - STEP_SHARE:
            return end
    return 0


def _halo(pixels: Bytes, width: int) -> int:
    """Number of lines beside a frame that a scanner's sharpening has made brighter or darker than the picture."""
    lines = _lines(pixels, width + HALO + 1)
    if not width or len(lines) < width + HALO + 1:
        return 0
    for count in range(HALO, 0, -1):
        change = (lines[width + count - 1] - lines[width + count]).mean(1)
        if max((change > HALO_STEP).mean(), (change < -HALO_STEP).mean()) > HALO_SHARE:
            return count
    return 0


def _color(pixels: Bytes, width: int) -> NDArray[np.int16]:
    return np.asarray(np.median(_lines(pixels, max(1, width - BLEND)), axis=(0, 1)), np.int16)


def _has_color(pixels: Bytes, width: int, color: NDArray[np.int16]) -> bool:
    """Whether all first rows have this color, so that the end of a frame beside it cannot be seen."""
    lines = _lines(pixels, width)
    deviation = np.abs(lines - np.median(lines, axis=1, keepdims=True)).mean((1, 2))
    return bool(deviation.max() <= EVEN and np.abs(np.median(lines, axis=1) - color).max() <= SAME_COLOR)


def _width_like(pixels: Bytes, width: int, color: NDArray[np.int16]) -> int:
    """Number of first rows of the given color, if that is about ``width`` and most pixels change there; else 0."""
    room = BLEND + round(UNEQUAL * width)
    lines = np.abs(_lines(pixels, width + room + 2 * BLEND) - color).max(2)
    changed = (lines > STEP).mean(1) > 1 - STEP_SHARE
    end = int(np.argmax(changed)) if changed.any() else 0
    even = lines[: max(1, end - BLEND)].mean(1).max() <= STEP
    if not (end and even and abs(end - width) <= room):
        return 0
    inside = float(lines[end + BLEND : end + BLEND + 4].mean()) if end + BLEND < len(lines) else 0.0
    last = end + BLEND
    while end < min(last, len(lines)) and lines[end].mean() < MIXED * inside:
        end += 1
    return end


def _lines(pixels: Bytes, count: int) -> NDArray[np.int16]:
    """The first rows without the corners, which belong to the frame's other sides."""
    across = pixels.shape[1]
    return pixels[:count, across // 8 : -(across // 8)].astype(np.int16)


def _edge(pixels: Bytes) -> int:
    return _width(pixels, min(WIDEST, len(pixels) // 8))


def _bar(pixels: Bytes) -> int:
    """Width of a black bar, or of a narrower frame of any color, at the first rows."""
    if int(pixels[:2].max()) > BLACK:
        return _edge(pixels)
    return _width(pixels, round(WIDEST_BAR * len(pixels)))


def _width(pixels: Bytes, most: int) -> int:
    """Number of rows of the frame at the first rows, at most ``most``; 0 without one."""
    lines = _lines(pixels, most + BLEND + 6)
    deviation = np.abs(lines - np.median(lines, axis=1, keepdims=True)).mean((1, 2))
    even = int(np.argmax(deviation > EVEN)) if (deviation > EVEN).any() else len(lines)
    if not 0 < even <= most:
        return 0
    varied = float(deviation[even + BLEND : even + BLEND + 4].mean())
    colors = np.median(lines, axis=1)
    colors -= np.median(colors[even + BLEND : even + BLEND + 4], axis=0)  # differences from the picture inside
    end = even
    while end < even + BLEND and (
        deviation[end] < MIXED * varied
        or colors[end] @ colors[end - 1] > MIXED_COLOR * max(float(colors[end - 1] @ colors[end - 1]), STEP**2)
    ):
        end += 1
    changed = float((np.abs(lines[end] - lines[even - 1]).max(1) > STEP).mean())
    return end if varied > VARIED and changed >= STEP_SHARE else 0
