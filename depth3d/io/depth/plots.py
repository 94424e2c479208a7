"""Find the map in a saved plot: heat maps with margin, axes, ticks, title and color bar, as matplotlib writes.

The background is the color of most of the rim. Outlines of what remains are filled, and thin things (text, ticks) are
removed; rectangles are left. The map is the large one that has the colors of a heat map (beside it may be the photo),
a narrow one beside it the color bar.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.io.depth.colormaps import color_table, nearest_map
from depth3d.io.depth.plotboxes import joined, overlap, rectangles
from depth3d.io.depth.plotsides import OFF, Box, exact_sides

__all__ = ["Plot", "find_plot"]

_LIGHT = 235  # a figure's background; JPEG leaves white above this
_PALE, _DARK, _LETTERS = 190, 50, 4  # grounds of gray maps with at least so many letters around
_CLEARLY_OFF = 40  # also by JPEG, which joins a map with the letters beside it
_SMALLEST = 0.12  # of either side of the picture: smaller rectangles are not the map
_LONGEST = 6  # times as long as high
_GRIDDED = 12  # boxes into which the lines of a grid cut a map
_ACROSS_LINES = np.ones((5, 5), np.uint8)
_COLORED = 24  # levels between the channels of a pixel
_A_MAP = 14.0  # mean distance in levels between a rectangle of a heat map's colors and that map


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
    rim = _rim(pixels)
    if rim is None:
        return None
    background, plain = rim
    off = np.abs(pixels.astype(np.int16) - background).max(axis=2)
    boxes: list[Box] = []
    gridded = False
    for least in (OFF, _CLEARLY_OFF):
        mask = (off > least).astype(np.uint8)
        shapes = rectangles(mask)
        if sum(min(box[2:]) >= 24 for box in shapes) >= _GRIDDED:
            gridded, shapes = True, rectangles(_closed(mask))
        boxes += [box for box in shapes if not any(overlap(box, other) > 0.5 for other in boxes)]
    boxes = joined(boxes)
    large = [
        _without_frame(pixels, *box)
        for box in boxes
        if box[2] >= _SMALLEST * width and box[3] >= _SMALLEST * height and min(box[2:]) >= 24
        if box[2] * box[3] <= 0.998 * width * height and max(box[2] / box[3], box[3] / box[2]) < _LONGEST
    ]
    if not large:
        return None
    box, bar = _chosen(pixels, large, boxes)
    if not _certain(pixels, box, background, off, plain):
        return None
    box = exact_sides(pixels, box, background)
    x, y, wide, tall = box
    scale = None if bar is None else _bar_colors(pixels, bar)
    done = f"plot cropped to its map ({wide}x{tall} of {width}x{height})"
    found = np.ascontiguousarray(pixels[y : y + tall, x : x + wide])
    if gridded and background.min() >= _LIGHT:  # white lines across the map
        found = np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, _ACROSS_LINES), np.uint8)
    return Plot(found, scale, done)


def _closed(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mask without thin lines across what it marks."""
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _ACROSS_LINES), np.uint8)


def _rim(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.int16], list[float]] | None:
    """Return the color of the figure around the map and how much of each side has it, least first; None without a rim.

    A light color may fill a part of the rim only, as maps are hardly ever white; another one has to fill most of it.
    """
    sides = [part.reshape(-1, 3).astype(np.int16) for part in (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:])]
    rim = np.concatenate(sides)
    light = rim[(rim.min(axis=1) >= _LIGHT) & (rim.max(axis=1) - rim.min(axis=1) <= 6)]
    if len(light) >= 0.15 * len(rim):
        color = np.median(light, axis=0).astype(np.int16)
    else:
        color = np.median(rim, axis=0).astype(np.int16)
    plain = sorted(float((np.abs(side - color).max(axis=1) <= OFF).mean()) for side in sides)
    return (color, plain) if plain[3] > 0.75 else None


def _certain(
    pixels: NDArray[np.uint8], box: Box, background: NDArray[np.int16], off: NDArray[np.int16], plain: list[float]
) -> bool:
    """Return True if the box is a map in a figure, not a thing in a depth map whose far end is its background.

    Certain are a thin frame around it, and a background that is no color of the map. A gray picture without a frame
    must have a white rim along three sides, since white is also a depth there.
    """
    x, y, wide, tall = box
    found = pixels[y : y + tall, x : x + wide]
    colored = float((np.ptp(found[::2, ::2].astype(np.int16), axis=2) > _COLORED).mean()) > 0.3
    light = background.min() >= _LIGHT
    if (colored and light) or _framed(pixels, box, background):
        return True
    if colored:
        table = color_table(nearest_map(found)[0]).astype(np.float32)
        if float(np.linalg.norm(table - background, axis=1).min()) > OFF:
            return True
    if not colored and light and plain[1] > 0.985 and plain[0] > 0.5:
        return True
    return bool((background.min() >= _PALE or background.max() <= _DARK) and plain[1] > 0.85 and _lettered(off, box))


def _lettered(off: NDArray[np.int16], box: Box) -> bool:
    """Return True if there are letters outside the box: small shapes that differ clearly from the background."""
    x, y, wide, tall = box
    ink = (off > 60).astype(np.uint8)
    edge = 4
    ink[max(0, y - edge) : y + tall + edge, max(0, x - edge) : x + wide + edge] = 0
    count, _, facts, _ = cv2.connectedComponentsWithStats(ink)
    size = facts[1:count, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(axis=1)
    return int(((size >= 3) & (size < 0.06 * max(ink.shape))).sum()) >= _LETTERS


def _framed(pixels: NDArray[np.uint8], box: Box, background: NDArray[np.int16]) -> bool:
    """Return True if a thin line of one color unlike the background runs along the four sides of the box."""
    x, y, wide, tall = box
    thin = 0
    for turned in range(4):
        view = np.rot90(pixels, turned).astype(np.int16)
        height, width = pixels.shape[:2]
        # Upper side of the turned box.
        top = (y, width - x - wide, height - y - tall, x)[turned]
        left = (x, y, width - x - wide, height - y - tall)[turned]
        length = (wide, tall)[turned % 2]
        lines = [view[row, left : left + length] for row in range(max(0, top - 3), top + 2)]
        even = [
            line
            for line in lines
            if (np.abs(line - np.median(line, axis=0)).max(axis=1) < 40).mean() > 0.85
            and np.abs(np.median(line, axis=0) - background).max() > 40
        ]
        if not even:
            return False
        inside = view[min(top + 4, view.shape[0] - 1), left : left + length]
        thin += any((np.abs(line - inside).max(axis=1) > 30).mean() > 0.5 for line in even)
    return thin >= 2


def _chosen(pixels: NDArray[np.uint8], large: list[Box], boxes: list[Box]) -> tuple[Box, Box | None]:
    """Return the map and its color bar: of several of like size the last one in a heat map's colors."""
    most = max(wide * tall for _, _, wide, tall in large)
    alike = sorted(box for box in large if box[2] * box[3] >= 0.3 * most)
    bars = {box: _color_bar(boxes, box) for box in alike}

    def rank(box: Box) -> tuple[int, int]:
        x, y, wide, tall = box
        part = pixels[y : y + tall, x : x + wide]
        gray = float((np.ptp(part, axis=2) > _COLORED).mean()) < 0.02
        fits = nearest_map(part)[1] < _A_MAP
        return (2 if fits and not gray else 1 if gray else 0) + 2 * (bars[box] is not None), alike.index(box)

    best = max(alike, key=rank) if len(alike) > 1 else alike[0]
    return best, bars[best]


def _without_frame(pixels: NDArray[np.uint8], x: int, y: int, wide: int, tall: int) -> Box:
    """Shrink the box past the frame of the axes and pixels mixed with the background, at most 3 on each side."""
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


def _color_bar(boxes: list[Box], plot: Box) -> Box | None:
    """Return the narrow box nearest to the map that runs along one of its sides, or None."""
    x, y, wide, tall = plot
    found: list[tuple[int, Box]] = []
    for box in boxes:
        bx, by, bw, bh = box
        beside = (bx >= x + wide or bx + bw <= x) and bh >= 0.4 * tall and bh > 4 * bw and by < y + tall and by + bh > y
        below = (by >= y + tall or by + bh <= y) and bw >= 0.4 * wide and bw > 4 * bh and bx < x + wide and bx + bw > x
        if beside or below:
            found.append((max(bx - x - wide, x - bx - bw, by - y - tall, y - by - bh), box))
    return min(found)[1] if found else None


def _bar_colors(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8] | None:
    """Return 256 colors along the bar from its small end (bottom or left), or None if it has hardly any."""
    x, y, wide, tall = box
    middle = slice(min(wide, tall) // 3, max(min(wide, tall) * 2 // 3, min(wide, tall) // 3 + 1))
    bar = pixels[y : y + tall, x : x + wide]
    line = np.median(bar[:, middle], axis=1)[::-1] if tall > wide else np.median(bar[middle], axis=0)
    # The bar's frame, and pixels mixed with it or the background, differ from the colors inside far more than these do.
    inset = max(2, len(line) // 100)
    steps = np.abs(np.diff(line, axis=0)).max(axis=1)
    usual = 4 * float(np.percentile(steps, 90)) + 6
    first, last = inset, len(line) - inset
    while first < 3 * inset + 3 and steps[min(first, len(steps) - 1)] > usual:
        first += 1
    while last > len(line) - 3 * inset - 3 and steps[last - 2] > usual:
        last -= 1
    line = line[first:last]
    if len(line) < 24 or float(np.abs(np.diff(line, axis=0)).sum()) < 100:
        return None
    where = np.linspace(0, len(line) - 1, 256)
    return (
        np.stack([np.interp(where, np.arange(len(line)), line[:, c]) for c in range(3)], axis=1)
        .round()
        .astype(np.uint8)
    )
