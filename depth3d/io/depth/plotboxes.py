"""Boxes of the maps and color bars in a saved plot, among the outlines of what differs from the background."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.io.depth.plotsides import Box

__all__ = ["joined", "overlap", "rectangles"]

_FILLED = 0.93
_HALF_FILLED, _STRAIGHT = 0.4, 0.4  # of boxes that have the background's color in places, and of each of their sides
_SOLID = 9  # px: letters and ticks are thinner


def rectangles(off: NDArray[np.uint8]) -> list[Box]:
    """Return (x, y, width, height) of the rectangles among the outlines of what differs from the background.

    Ticks and letters are shorter than the lines with which the outlines are opened, upright and level ones.
    """
    contours, _ = cv2.findContours(off, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(off), contours, -1, 1, cv2.FILLED)
    length = max(11, max(off.shape) // 24)
    found = _of_parts(cv2.morphologyEx(filled, cv2.MORPH_OPEN, np.ones((_SOLID, _SOLID), np.uint8)))
    long = max(2 * length, max(off.shape) // 6)  # letters joined by JPEG are shorter than color bars
    for shape in ((long, 1), (1, long), (length, 1), (1, length)):
        solid = cv2.morphologyEx(filled, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((4, 4), np.uint8))
        contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            x, y, wide, tall = cv2.boundingRect(contour)
            # Remains of ticks along a color bar are a large share of its narrow box.
            least = _FILLED if min(wide, tall) >= 24 else 0.85
            if cv2.contourArea(contour) >= least * (wide - 1) * (tall - 1) and not any(
                overlap((x, y, wide, tall), other) > 0.5 for other in found
            ):
                found.append((x, y, wide, tall))
    return found


def _of_parts(solid: NDArray[Any]) -> list[Box]:
    """Return the boxes with straight sides around large shapes: maps that have the background's color in places.

    Parts of a map that such places cut off have boxes that overlap; those of two plots do not.
    """
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    parts = [(_box_around(one), one) for one in contours if cv2.contourArea(one) > 0.002 * solid.size]
    groups: list[tuple[Box, list[Any]]] = []
    for part, contour in sorted(parts, key=lambda each: -each[0][2] * each[0][3]):
        box, shapes = part, [contour]
        for other, inside in [group for group in groups if overlap(box, group[0]) > 0.05]:
            box, shapes = _around(box, other), shapes + inside
            groups = [group for group in groups if group[0] != other]
        groups.append((box, shapes))
    boxes = []
    for (left, top, wide, tall), shapes in groups:
        mask = cv2.drawContours(np.zeros_like(solid), shapes, -1, 1, cv2.FILLED)
        if _straight(mask[top : top + tall, left : left + wide]):
            boxes.append((left, top, wide, tall))
    return boxes


def _box_around(contour: NDArray[Any]) -> Box:
    x, y, wide, tall = cv2.boundingRect(contour)
    return x, y, wide, tall


def _gap(length: int, width: int) -> float:
    """Return how far the halves of a color bar may be apart: a tick, or the white middle of a diverging map."""
    return max(5.0, 0.12 * length) if length > 4 * width else 5.0


def _around(first: Box, second: Box) -> Box:
    """Return the box around two boxes."""
    left, top = min(first[0], second[0]), min(first[1], second[1])
    right, bottom = (max(box[side] + box[side + 2] for box in (first, second)) for side in (0, 1))
    return left, top, right - left, bottom - top


def _straight(mask: NDArray[Any]) -> bool:
    """Return True if a large shape reaches the four sides of its box along much of each: a map with white parts."""
    if min(mask.shape) < 48 or mask.mean() < _HALF_FILLED:
        return False
    sides = (mask[:3], mask[-3:], mask[:, :3].T, mask[:, -3:].T)
    return min(float(side.any(axis=0).mean()) for side in sides) > _STRAIGHT


def joined(boxes: list[Box]) -> list[Box]:
    """Join the parts of color bars that are cut by their ticks or by the background's color in their middle."""
    whole: list[Box] = []
    for box in sorted(boxes):
        x, y, wide, tall = box
        for place, (left, top, w, h) in enumerate(whole):
            gap_across, gap_down = x - left - w, max(y - top - h, top - y - tall)
            across = abs(y - top) <= 2 and abs(tall - h) <= 2 and 0 <= gap_across <= _gap(wide + w, tall) and tall >= 5
            down = abs(x - left) <= 2 and abs(wide - w) <= 2 and -1 <= gap_down <= _gap(tall + h, wide) and wide >= 5
            if across or down:
                whole[place] = _around(box, whole[place])
                break
        else:
            whole.append(box)
    return whole


def overlap(first: Box, second: Box) -> float:
    """Return the area in both boxes as share of the smaller one."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = first, second
    wide, tall = min(ax + aw, bx + bw) - max(ax, bx), min(ay + ah, by + bh) - max(ay, by)
    return max(0, wide) * max(0, tall) / min(aw * ah, bw * bh)
