"""Find the map in a saved plot: heat maps with white margin, axes, ticks, title and color bar, as matplotlib writes.

The background is the uniform light color of the rim. What remains after thin things (text, ticks, frames) are removed
are filled rectangles: the largest is the map, a narrow one beside or below it the color bar.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Plot", "find_plot"]

_LIGHT = 235  # a figure's background; JPEG leaves white above this
_OFF = 14  # levels by which a pixel differs from the background
_SMALLEST = 0.25  # of either side of the picture: smaller rectangles are not the map
_FILLED = 0.9
_COLORED = 24  # levels between the channels of a pixel


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A plot taken apart.

    Parameters
    ----------
    pixels : NDArray[np.uint8]
        (H, W, 3), the map alone.
    scale : NDArray[np.uint8] | None
        (N, 3), the colors of the color bar from its small to its large end; None without a bar.
    words : str
        What was done, for the user.
    """

    pixels: NDArray[np.uint8]
    scale: NDArray[np.uint8] | None
    words: str


def find_plot(pixels: NDArray[np.uint8]) -> Plot | None:
    """Return the map inside a saved plot, or None if the picture is not one.

    Parameters
    ----------
    pixels : NDArray[np.uint8]
        (H, W, 3), the whole picture.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < 48:
        return None
    background = _background(pixels)
    if background is None:
        return None
    off = (np.abs(pixels.astype(np.int16) - background).max(axis=2) > _OFF).astype(np.uint8)
    side = 5
    solid = np.asarray(cv2.morphologyEx(off, cv2.MORPH_OPEN, np.ones((side, side), np.uint8)), np.uint8)
    boxes = _rectangles(solid)
    if not boxes:
        return None
    x, y, wide, tall = max(boxes, key=lambda box: box[2] * box[3])
    if wide < _SMALLEST * width or tall < _SMALLEST * height or wide * tall > 0.998 * width * height:
        return None
    x, y, wide, tall = _without_frame(pixels, x, y, wide, tall)
    bar = _color_bar(boxes, (x, y, wide, tall))
    scale = None if bar is None else _bar_colors(pixels, bar)
    done = f"plot cropped to its map ({wide}x{tall} of {width}x{height})"
    done += ", values read from its color bar" if scale is not None else ""
    return Plot(np.ascontiguousarray(pixels[y : y + tall, x : x + wide]), scale, done)


def _background(pixels: NDArray[np.uint8]) -> NDArray[np.int16] | None:
    """Return the light color of the figure around the map, or None if the picture has no such rim.

    A gray picture must have it along three sides, since white is also a depth there; colors of a heat map are never
    white, so that one side with tick labels suffices.
    """
    sides = [part.reshape(-1, 3).astype(np.int16) for part in (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:])]
    rim = np.concatenate(sides)
    light = rim[(rim.min(axis=1) >= _LIGHT) & (rim.max(axis=1) - rim.min(axis=1) <= 6)]
    if len(light) < 0.15 * len(rim):
        return None
    color = np.median(light, axis=0).astype(np.int16)
    plain = sorted(float((np.abs(side - color).max(axis=1) <= _OFF).mean()) for side in sides)
    sample = pixels[::4, ::4].astype(np.int16)
    colored = float((sample.max(axis=2) - sample.min(axis=2) > _COLORED).mean()) > 0.2
    enough = plain[3] > 0.75 if colored else plain[1] > 0.985 and plain[0] > 0.5
    return color if enough else None


def _rectangles(solid: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    """Return (x, y, width, height) of the filled rectangles, holes in them closed."""
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = []
    for contour in contours:
        x, y, wide, tall = cv2.boundingRect(contour)
        if min(wide, tall) >= 6 and cv2.contourArea(contour) >= _FILLED * (wide - 1) * (tall - 1):
            found.append((x, y, wide, tall))
    return found


def _without_frame(pixels: NDArray[np.uint8], x: int, y: int, wide: int, tall: int) -> tuple[int, int, int, int]:
    """Shrink the box past the dark frame of the axes and pixels mixed with the background, at most 3 on each side."""
    left, top, right, bottom = x, y, x + wide, y + tall
    for _ in range(3):
        inner = pixels[top:bottom, left:right].astype(np.int16)
        if min(inner.shape[:2]) < 16:
            break
        # A line of the frame differs from its neighbor inside all along, and both ways alike: dark or light.
        jumps = {
            "left": _jump(inner[:, 0], inner[:, 2]),
            "right": _jump(inner[:, -1], inner[:, -3]),
            "top": _jump(inner[0], inner[2]),
            "bottom": _jump(inner[-1], inner[-3]),
        }
        if max(jumps.values()) < 0.6:
            break
        left += jumps["left"] >= 0.6
        right -= jumps["right"] >= 0.6
        top += jumps["top"] >= 0.6
        bottom -= jumps["bottom"] >= 0.6
    return left, top, right - left, bottom - top


def _jump(line: NDArray[np.int16], inside: NDArray[np.int16]) -> float:
    return float((np.abs(line - inside).max(axis=1) > 24).mean())


def _color_bar(
    boxes: list[tuple[int, int, int, int]], plot: tuple[int, int, int, int]
) -> tuple[int, int, int, int] | None:
    x, y, wide, tall = plot
    for box in boxes:
        bx, by, bw, bh = box
        beside = (bx >= x + wide or bx + bw <= x) and bh >= 0.4 * tall and bh > 4 * bw and by < y + tall and by + bh > y
        below = (by >= y + tall or by + bh <= y) and bw >= 0.4 * wide and bw > 4 * bh and bx < x + wide and bx + bw > x
        if beside or below:
            return box
    return None


def _bar_colors(pixels: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.uint8] | None:
    """Return 256 colors along the bar from its small end (bottom or left), or None if it has hardly any."""
    x, y, wide, tall = box
    inset = 2  # the bar's frame
    middle = slice(min(wide, tall) // 3, max(min(wide, tall) * 2 // 3, min(wide, tall) // 3 + 1))
    bar = pixels[y : y + tall, x : x + wide]
    line = (
        np.median(bar[inset:-inset, middle], axis=1)[::-1]
        if tall > wide
        else np.median(bar[middle, inset:-inset], axis=0)
    )
    if len(line) < 24 or float(np.abs(np.diff(line, axis=0)).sum()) < 100:
        return None
    where = np.linspace(0, len(line) - 1, 256)
    return (
        np.stack([np.interp(where, np.arange(len(line)), line[:, c]) for c in range(3)], axis=1)
        .round()
        .astype(np.uint8)
    )
