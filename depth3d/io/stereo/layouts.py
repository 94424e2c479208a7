"""Recognize the layout of stereo pictures: by name, and by comparing their halves."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image, Size
from depth3d.io.image.read import flatten
from depth3d.stereoformats import StereoFormat
from depth3d.stereopair import StereoPair, unpack

__all__ = [
    "Likeness",
    "Mark",
    "confirms",
    "is_squeezed",
    "likeness",
    "named_mark",
    "noted",
    "seen_mark",
    "side_by_side",
]

# What players look for in file names (SKYBOX, Pigasus, DeoVR, rad TV, Commedia), in lower case.
_SIDE = {"sbs", "lr", "lrf", "3dh", "3dhf", "hsbs", "fsbs", "sbsf", "hlr", "parallel", "sidebyside", "rl", "rlf"}
_SIDE |= {"cross", "crosseyed", "crossed", "xeyed", "3dleftright"}
_STACK = {"tb", "tbf", "ou", "3dv", "3dvf", "hou", "htb", "fou", "ftb", "fulltb", "bt", "overunder", "topbottom", "tab"}
_RIGHT_FIRST = {"rl", "rlf", "bt", "cross", "crosseyed", "crossed", "xeyed"}
_LONG_SIDE = 320
_NO_DEPTH = 0.0012
_CONFIRMING = 0.9  # correlation of two halves that a name calls stereo
_PHRASES = {
    "left[-_ ]right": "lr",
    "right[-_ ]left": "rl",
    "top[-_ ]bottom": "tb",
    "bottom[-_ ]top": "bt",
    "side[-_ ]by[-_ ]side": "sbs",
    "over[-_ ]under": "ou",
}
_HALF = {"half", "hsbs", "hlr", "hou", "htb"}
_FULL = {"full", "lrf", "tbf", "3dhf", "3dvf", "sbsf", "fsbs", "fou", "ftb", "fulltb", "rlf"}


def named_mark(path: str | Path, size: Size, image: Image | None = None) -> Mark | None:
    """Return the layout that a file's name claims ("x_LR.mp4", "x_Full_SBS.jpg", "x.left-right.jpg"), or None.

    Tokens must stand by themselves. Half or full, where the name leaves it open, is decided by the shape (two full eyes
    side by side are wider than any screen) and by the content, if there is a picture.

    Parameters
    ----------
    path : str | Path
        Only its name counts.
    size : Size
        Of the whole picture.
    image : Image | None
        The whole picture.
    """
    name = Path(path).stem.lower()
    for words, token in _PHRASES.items():
        name = re.sub(rf"(?<![a-z0-9]){words}(?![a-z0-9])", token, name)
    tokens = set(re.split(r"[^a-z0-9]+", name))
    stacked = bool(tokens & _STACK)
    if not stacked and not tokens & _SIDE:
        return None
    if tokens & _HALF:
        half = True
    elif tokens & _FULL or tokens & {"180", "180x180", "vr180"}:
        half = False
    elif image is not None and not stacked and size.aspect < 2.2:
        half = is_squeezed(image) if _screen_shaped(size) or abs(size.aspect - 2) < 0.02 else True
    else:
        half = size.aspect > 1.1 if stacked else size.aspect < 2.2
    return Mark("stack" if stacked else "side", half, bool(tokens & _RIGHT_FIRST))


@dataclass(frozen=True, slots=True)
class Mark:
    """What a file says about its own layout: packing "side" or "stack", squeezed or not, who is first."""

    packing: str
    half: bool
    right_first: bool

    def unpack(self, image: Image) -> StereoPair:
        """Cut the picture as the mark says."""
        packing = "stack" if self.packing == "stack" else "side"
        return unpack(image, StereoFormat("marked", packing, "", "", "", self.half, self.right_first))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How well one picture matches another as the second eye of the same scene.

    Parameters
    ----------
    coherent : float
        Share of the distinctive blocks of the first picture that are found in the second, at one height and with about
        the disparity of their neighbors; 0..1.
    ambiguous : float
        Share of the textured blocks that fit in several places (repeated patterns), 0..1.
    blocks : int
        Number of distinctive blocks.
    dx, dy : float
        Median place in the second minus place in the first, share of the width and of the height.
    spread : float
        Between the 10th and the 90th percentile of the disparities, share of the width; copies of one picture have 0.
    """

    coherent: float
    ambiguous: float
    blocks: int
    dx: float
    dy: float
    spread: float

    @property
    def same_scene(self) -> bool:
        """True if the disparities are one coherent field, at one height, none too far away.

        Measured on eight true pairs, full and half: coherent 0.28 to 1, ambiguous at most 0.33; on coins, bricks,
        grids, tables and the halves of 40 photos: coherent at most 0.18, or ambiguous 0.75 and more.
        """
        clear = self.coherent >= 0.4 and self.ambiguous < 0.6
        weak = self.coherent >= 0.25 and self.ambiguous < 0.36
        return self.blocks >= 12 and (clear or weak) and abs(self.dy) < 0.055 and abs(self.dx) < 0.24

    @property
    def has_depth(self) -> bool:
        """True if the disparities differ: before/after pictures and copies have one disparity everywhere."""
        return self.spread > _NO_DEPTH


def likeness(first: Image, second: Image, *, reach: float = 0.25, rise: float = 0.06) -> Likeness:
    """Look for blocks of ``first`` in ``second`` and measure how coherent their disparities are.

    A block is found where normalized correlation exceeds 0.75; it is ambiguous if a second place comes
    close to it.

    Parameters
    ----------
    first, second : Image
        Both pictures, of about the same size.
    reach, rise : float
        How far away a block is looked for, share of the width and of the height.
    """
    a = _gray(first, _LONG_SIDE)
    height, width = a.shape
    b = np.asarray(cv2.resize(_gray(second, _LONG_SIDE), (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    side = max(14, min(height, width) // 9)
    across, up = max(2, round(reach * width)), max(2, round(rise * height))
    border = cv2.copyMakeBorder(b, up, up, across, across, cv2.BORDER_REFLECT_101)
    tops, lefts = range(side // 2, height - side, side), range(side // 2, width - side, side)
    moves = np.full((len(tops), len(lefts), 2), np.nan)
    distinct = ambiguous = 0
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            block = a[top : top + side, left : left + side]
            if block.std() < 6:
                continue
            area = border[top : top + side + 2 * up, left : left + side + 2 * across]
            x, y, best, second_best = _peaks(cv2.matchTemplate(area, block, cv2.TM_CCOEFF_NORMED), side)
            if best > 0.75 and second_best > best - 0.12:
                ambiguous += 1
                continue
            distinct += 1
            if best > 0.75:
                moves[row, column] = (x - across) / width, (y - up) / height
    return _coherence(moves, distinct, ambiguous)


def confirms(first: Image, second: Image) -> bool:
    """Whether two halves may be the eyes of one scene, where the file's name says that they are.

    Less is asked than without a name: pictures without texture have no distinctive blocks, but their halves correlate.
    """
    return likeness(first, second).same_scene or _correlation(first, second) >= _CONFIRMING


def _correlation(first: Image, second: Image) -> float:
    """Normalized correlation of the middle of ``first`` with its best place in ``second``, -1..1."""
    a, b = (cv2.resize(_gray(each, _LONG_SIDE), (96, 64), interpolation=cv2.INTER_AREA) for each in (first, second))
    middle = a[2:-2, 10:-10]
    if middle.std() < 1:
        return 1.0 if b.std() < 1 else 0.0
    return float(cv2.matchTemplate(b, middle, cv2.TM_CCOEFF_NORMED).max())


def _peaks(score: NDArray[Any], side: int) -> tuple[float, int, float, float]:
    """Return x (to a fraction of a pixel), y and value of the highest peak, and the value of the next one."""
    _, best, _, (x, y) = cv2.minMaxLoc(score)
    fine = float(x)
    if 0 < x < score.shape[1] - 1:
        before, here, after = (float(score[y, x + step]) for step in (-1, 0, 1))
        bend = before - 2 * here + after
        fine += 0.5 * (before - after) / bend if bend < 0 else 0.0
    around = side // 2
    rest = score.copy()
    rest[max(0, y - around) : y + around + 1, max(0, x - around) : x + around + 1] = -1
    return fine, y, float(best), float(rest.max())


def _coherence(moves: NDArray[np.float64], distinct: int, ambiguous: int) -> Likeness:
    found = np.isfinite(moves[..., 0])
    share = ambiguous / max(1, ambiguous + distinct)
    if found.sum() < 4:
        return Likeness(0.0, share, distinct, 0.0, 0.0, 0.0)
    dy = float(np.median(moves[found, 1]))
    level = found & (np.abs(np.nan_to_num(moves[..., 1], nan=9.0) - dy) <= 0.016)
    dx = np.where(level, moves[..., 0], np.nan)
    padded = np.pad(dx, 1, constant_values=np.nan)
    rows, columns = dx.shape
    around = [
        np.abs(padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns] - dx)
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if (down, right) != (0, 0)
    ]
    # Two neighbors of about the same disparity: a surface, not a chance match.
    agreeing = (np.nan_to_num(np.stack(around), nan=9.0) < 0.02).sum(axis=0) >= 2
    values = dx[level]
    low, middle, high = np.percentile(values, [10, 50, 90]) if len(values) else (0.0, 0.0, 0.0)
    coherent = float((level & agreeing).sum()) / max(distinct, 1)
    return Likeness(coherent, share, distinct, float(middle), dy, float(high - low))


def seen_mark(image: Image) -> Mark | None:
    """Return the layout that the picture itself shows, or None: its halves are compared.

    The usual order of the eyes is assumed; ``depth.stereo.eye_order`` finds swapped ones.

    Parameters
    ----------
    image : Image
        The whole picture.
    """
    width, height = image.size
    if min(width, height) < 64 or not 0.4 < image.size.aspect < 8:
        return None
    if image.size.aspect > 1.2:
        left, right = Image(image.pixels[:, : width // 2]), Image(image.pixels[:, width // 2 : width // 2 * 2])
        alike = likeness(left, right)
        if alike.same_scene and alike.has_depth:
            # A screen-shaped whole holds two squeezed eyes; old cards hold two nearly square ones.
            return Mark("side", half=_screen_shaped(image.size) and is_squeezed(image), right_first=False)
    upper, lower = Image(image.pixels[: height // 2]), Image(image.pixels[height // 2 : height // 2 * 2])
    if image.size.aspect < 2.0:
        alike = likeness(upper, lower)
        if alike.same_scene and alike.has_depth:
            return Mark("stack", half=_screen_shaped(image.size), right_first=False)
    return None


def is_squeezed(image: Image) -> bool:
    """Return True if the content of a side-by-side picture looks half as wide as it should be.

    In photos gradients are about as strong across as down; squeezed to half the width they are stronger across. This is
    a tendency only (measured on 25 photos: log2 of the ratio -0.9 to 0.6, squeezed -0.3 to 1.4), so that the shape
    decides what needs proof: from 2:1 on two full eyes are expected, in shapes of screens two squeezed ones.

    Parameters
    ----------
    image : Image
        The whole picture, both eyes side by side.
    """
    gray = cv2.cvtColor(image.eight_bit().pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    factor = min(1.0, 360 / gray.shape[0])
    gray = np.asarray(
        cv2.GaussianBlur(cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), (0, 0), 2)
    )
    across, down = (float(np.abs(np.diff(gray, axis=axis)).mean()) for axis in (1, 0))
    ratio = float(np.log2(max(across, 1e-6) / max(down, 1e-6)))
    return ratio > (0.65 if image.size.aspect > 1.95 else -0.35)


def side_by_side(pair: StereoPair, *, right_first: bool = False) -> Image:
    """Return both eyes at full width in one picture, alpha on white.

    Parameters
    ----------
    pair : StereoPair
        Both eyes.
    right_first : bool
        The right eye is on the left (for crossed eyes).
    """
    eyes = [flatten(eye.eight_bit()).pixels for eye in (pair.left, pair.right)]
    return Image(np.hstack(eyes[::-1] if right_first else eyes))


def noted(mark: Mark, image: Image, by: str) -> StereoPair:
    """Cut a picture as its layout says, and note for the user what it was taken for.

    Parameters
    ----------
    mark : Mark
        The layout.
    image : Image
        The whole picture.
    by : str
        What the layout is known from: "its name".
    """
    words = "top-bottom" if mark.packing == "stack" else "side by side"
    size = "half" if mark.half else "full"
    order = ", right eye first" if mark.right_first else ""
    return replace(mark.unpack(image), notes=(f"stereo picture, {words}, {size}{order} (known from {by})",))


def _screen_shaped(size: Size) -> bool:
    return any(abs(size.aspect - shape) < 0.02 for shape in (16 / 9, 1.85, 2.0, 2.35, 2.39, 16 / 10))


def _gray(picture: Image, long_side: int) -> NDArray[Any]:
    small = picture.eight_bit().resized(picture.size.fit(long_side))
    return np.asarray(cv2.cvtColor(small.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
