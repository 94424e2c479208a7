"""Find the two pictures of a scanned stereo card, straighten the scan and cut them out.

Old cards carry two nearly square prints side by side on colored cardboard, often with lettering beside
them. What is not mount is picture; the two widest pieces are the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image
from depth3d.io.image.read import open_image
from depth3d.io.stereo.layouts import likeness
from depth3d.io.stereo.registry import StereoFile
from depth3d.stereopair import StereoPair

__all__ = ["FORMAT", "StereoCard", "cut_card", "find_card"]

_LONG_SIDE = 1000
# Of CIELAB (CIE 15:2004, 8.2.1): shares of the white point (D65) that linear sRGB has, and L*, a*, b* in 8-bit steps of
# the cube roots of these shares, which are read from a table.
_XYZ_OF_WHITE = np.array(
    [[0.433953, 0.376219, 0.189828], [0.212671, 0.715160, 0.072169], [0.017758, 0.109477, 0.872766]]
)
_LAB_OF_ROOTS = np.array([[0, 116 * 2.55, 0, -16 * 2.55], [500, -500, 0, 128], [0, 200, -200, 128]], np.float64)
_ROOTS = 1 << 14


@dataclass(frozen=True, slots=True)
class StereoCard:
    """Position of the two pictures on a scanned card.

    Parameters
    ----------
    angle : float
        Degrees by which the scan has to be turned counter-clockwise to stand straight.
    left, right : tuple[int, int]
        (x, y) of the upper left corners in the straightened scan, px.
    width, height : int
        Of both pictures, px.
    """

    angle: float
    left: tuple[int, int]
    right: tuple[int, int]
    width: int
    height: int


def cut_card(scan: Image, card: StereoCard) -> StereoPair:
    """Straighten the scan and cut both pictures out; ``notes`` says what was done."""
    straight = _turned(scan.pixels, card.angle)
    eyes = [
        replace(scan, pixels=straight[y : y + card.height, x : x + card.width].copy(), alpha=None, notes=())
        for x, y in (card.left, card.right)
    ]
    turned = f", turned by {card.angle:.1f} degrees" if abs(card.angle) >= 0.1 else ""
    note = f"stereo card: two pictures of {card.width}x{card.height} found{turned}"
    return StereoPair(eyes[0], eyes[1], (note,))


def find_card(scan: Image) -> StereoCard | None:
    """Find the two pictures of a scanned stereo card; return None for any other picture.

    None also where the pictures fill the scan completely: then cutting it in the middle is exact.
    """
    if min(scan.size) < 100 or not 1.2 < scan.size.aspect < 3.5:
        return None
    small = scan.eight_bit().resized(scan.size.fit(_LONG_SIDE))
    level = _ScanColors(small.pixels)
    angle = _outline_angle(level)
    found = None
    for _ in range(3):
        pixels = _turned(small.pixels, angle)
        found = _prints(level if pixels is small.pixels else _ScanColors(pixels))
        if found is None:
            return None
        slope = _edge_slope(*found)
        if abs(slope) < 0.05:
            break
        angle += slope
    picture, runs, rows = cast(_Prints, found)
    height, width = picture.shape
    margins = (runs[0][0] / width, 1 - runs[1][1] / width, rows[0] / height, 1 - rows[1] / height)
    if max(margins) < 0.01:
        return None
    return _matched(pixels, angle, runs, rows, scan.size.width / small.size.width)


_Run = tuple[int, int]
_Prints = tuple[NDArray[np.bool_], list[_Run], _Run]


class _ScanColors:
    """A scan in CIELAB, (H, W, 3) float32 in 8-bit steps, and the (H, W) mask of what is not scanner lid."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.lab = _lab(pixels)
        self.not_lid = _not_lid(self.lab)


def _lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert sRGB to CIELAB in 8-bit steps, (H, W, 3) float32: within two steps of OpenCV's conversion.

    OpenCV makes its tables when it first converts a picture, in 0.1 s; every photo is looked at here.
    """
    level = np.arange(256) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)
    share = np.linspace(0, 1, _ROOTS)
    root = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116).astype(np.float32)
    white = cv2.transform(cv2.LUT(pixels, linear), _XYZ_OF_WHITE * (_ROOTS - 1))
    lab = cv2.transform(root.take((white + np.float32(0.5)).astype(np.int32), mode="clip"), _LAB_OF_ROOTS)
    return np.asarray(np.rint(lab, out=lab), np.float32)


def _prints(scan: _ScanColors) -> _Prints | None:
    """Return the (H, W) mask of the prints, the columns of both, and the rows that they share."""
    top, bottom, first, last = _card_box(scan)
    picture = np.zeros(scan.lab.shape[:2], bool)
    picture[top:bottom, first:last] = _not_mount(scan.lab[top:bottom, first:last])
    height, width = bottom - top, last - first
    columns = picture[top + height // 4 : bottom - height // 4].mean(axis=0) > 0.55
    runs = _runs(columns, smallest=width // 5, gap=max(2, width // 100))
    if len(runs) == 1 and runs[0][1] - runs[0][0] > 0.6 * width:
        middle = sum(runs[0]) // 2
        runs = [(runs[0][0], middle), (middle, runs[0][1])]
    if len(runs) != 2:
        return None
    (a, b), (c, d) = runs
    rows = np.minimum(picture[:, a:b].mean(axis=1), picture[:, c:d].mean(axis=1)) > 0.75
    tall = _runs(rows, smallest=height // 4, gap=max(2, height // 50))
    return (picture, runs, tall[0]) if len(tall) == 1 else None


def _edge_slope(picture: NDArray[np.bool_], runs: list[_Run], rows: _Run) -> float:
    """Return the degrees counter-clockwise that level the outer edges of the prints (upper edges may be arches)."""
    slopes = []
    for start, end in runs:
        inset = (end - start) // 6
        columns = np.arange(start + inset, end - inset)
        body = picture[:, columns]
        lowest = picture.shape[0] - 1 - np.argmax(body[::-1], axis=0)
        slopes += [_slope(columns, np.argmax(body, axis=0)), _slope(columns, lowest)]
    inset = (rows[1] - rows[0]) // 6
    lines = np.arange(rows[0] + inset, rows[1] - inset)
    for start, end, backwards in ((runs[0][0], runs[0][1], False), (runs[1][0], runs[1][1], True)):
        wide = (end - start) // 4
        body = picture[lines, max(0, start - wide) : end + wide]
        place = np.argmax(body[:, ::-1] if backwards else body, axis=1)
        slopes.append(_slope(lines, place if backwards else -place))
    known = [slope for slope in slopes if slope is not None]
    return float(np.median(known)) if known else 0.0


def _slope(along: NDArray[Any], across: NDArray[Any]) -> float | None:
    """Return the angle of an edge in degrees, or None if it is not straight (arches, scenes like the mount)."""
    if len(along) < 20:
        return None
    line = np.polyfit(along, across, 1)
    for _ in range(2):
        near = np.abs(np.polyval(line, along) - across) < 3
        if near.mean() < 0.6:
            return None
        line = np.polyfit(along[near], across[near], 1)
    return float(np.degrees(np.arctan(line[0])))


def _card_box(scan: _ScanColors) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of the card if the scanner's lid shows around it, else of the whole scan."""
    mask = scan.not_lid
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.mean(axis=1) > 0.5), np.flatnonzero(mask.mean(axis=0) > 0.5)
    if not len(rows) or not len(columns):
        return 0, height, 0, width
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    # A card is a filled rectangle with plain mount along its edges; else the mask is the prints themselves.
    filled = mask[top:bottom, left:right].mean() > 0.97 and (bottom - top) * (right - left) < 0.985 * mask.size
    if filled and _plain_edges(scan.lab[top:bottom, left:right]):
        return top, bottom, left, right
    return 0, height, 0, width


def _edge_bands(lab: NDArray[Any]) -> NDArray[Any]:
    """Return the (N, 3) colors along the upper, left and right edge, where a card shows its mount."""
    height, width = lab.shape[:2]
    bands = (
        lab[height // 100 : height // 30],
        lab[:, width // 100 : width // 30],
        lab[:, -width // 30 : -width // 100],
    )
    return np.concatenate([band.reshape(-1, 3) for band in bands])


def _plain_edges(lab: NDArray[Any]) -> bool:
    colors = _edge_bands(lab)
    return len(colors) > 0 and bool((np.linalg.norm(colors - np.median(colors, axis=0), axis=1) < 14).mean() > 0.75)


def _outline_angle(scan: _ScanColors) -> float:
    """Return the degrees counter-clockwise that level the card's outline on the lid; 0 without a visible outline."""
    mask = scan.not_lid.astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return 0.0
    largest = max(contours, key=cv2.contourArea)
    (_, (wide, tall), angle) = cv2.minAreaRect(largest)
    if wide * tall < 0.5 * mask.size or cv2.contourArea(largest) < 0.95 * wide * tall:
        return 0.0
    x, y, across, down = cv2.boundingRect(largest)
    if not _plain_edges(scan.lab[y : y + down, x : x + across]):
        return 0.0
    level = (angle + 45) % 90 - 45
    return float(level) if abs(level) < 8 else 0.0


def _not_lid(lab: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the (H, W) mask of what differs from the color of the scan's border, without specks and holes."""
    lid = np.median(np.concatenate([lab[:3].reshape(-1, 3), lab[-3:].reshape(-1, 3)]), axis=0)
    mask = _differs(cv2.blur(lab, (3, 3)), lid, 12).astype(np.uint8)
    side = max(5, mask.shape[1] // 40) | 1
    kernel = np.ones((side, side), np.uint8)
    return np.asarray(cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel), bool)


def _matched(pixels: NDArray[Any], angle: float, runs: list[_Run], rows: _Run, factor: float) -> StereoCard | None:
    """Return two boxes of one size whose rows agree, in pixels of the scan; None if they show different scenes."""
    trim = 5  # the seam between print and mount, and half the window that looks for texture
    (a, b), (c, d) = ((first + trim, last - trim) for first, last in runs)
    top, bottom = rows[0] + trim, rows[1] - trim
    width, height = min(b - a, d - c), bottom - top
    if width < 40 or height < 40 or not 0.4 < width / height < 2.5:
        return None
    left, right = Image(pixels[top:bottom, a : a + width]), Image(pixels[top:bottom, c : c + width])
    alike = likeness(left, right)
    if not alike.same_scene or not alike.has_depth:
        return None
    down = round(alike.dy * height)
    upper, lower = max(top, top - down), min(bottom, bottom - down)
    return StereoCard(
        angle,
        (round(a * factor), round(upper * factor)),
        (round(c * factor), round((upper + down) * factor)),
        round(width * factor),
        round((lower - upper) * factor),
    )


def _differs(lab: NDArray[Any], color: NDArray[Any], most: float) -> NDArray[np.bool_]:
    """Return the (H, W) mask of what differs from ``color`` by more than ``most``."""
    away = lab - color
    return np.asarray(np.einsum("ijk,ijk->ij", away, away) > most * most, bool)


def _not_mount(lab: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the (H, W) mask of what is textured or differs in color from the mount, holes closed."""
    width = lab.shape[1]
    mount = np.median(_edge_bands(lab), axis=0)  # between the edge of the card and the prints
    gray = lab[..., 0]
    spread = np.sqrt(np.maximum(cv2.blur(gray * gray, (9, 9)) - cv2.blur(gray, (9, 9)) ** 2, 0))
    far = _differs(lab, mount, 16)
    picture = (far | (spread > 9)).astype(np.uint8)
    side = max(5, width // 60) | 1
    picture = cv2.morphologyEx(picture, cv2.MORPH_CLOSE, np.ones((side, max(3, side // 3)), np.uint8))
    picture = cv2.morphologyEx(picture, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return np.asarray(picture, bool)


def _turned(pixels: NDArray[Any], degrees: float) -> NDArray[Any]:
    """Rotate counter-clockwise about the center; angles below a twentieth of a degree are ignored."""
    if abs(degrees) < 0.05:
        return pixels
    height, width = pixels.shape[:2]
    warp = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    return np.asarray(
        cv2.warpAffine(pixels, warp, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


def _runs(marks: NDArray[np.bool_], *, smallest: int, gap: int) -> list[tuple[int, int]]:
    """Return (start, end) of runs of true values; gaps up to ``gap`` are closed, runs below ``smallest`` dropped."""
    steps = np.diff(np.concatenate([[0], marks.astype(np.int8), [0]]))
    merged: list[tuple[int, int]] = []
    for start, end in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
        if merged and start - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], int(end))
        else:
            merged.append((int(start), int(end)))
    return [run for run in merged if run[1] - run[0] >= smallest]


FORMAT = StereoFile(
    "card",
    "scanned stereo card: both prints are found, straightened and cut out",
    (),
    lambda photo: find_card(open_image(photo)),
    lambda photo, card: cut_card(open_image(photo), card),
    order=80,
)
