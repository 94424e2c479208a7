"""Which layout a picture has: from what its name says, and from whether its halves show the same scene."""

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

__all__ = ["Likeness", "Mark", "likeness", "named_mark", "noted", "seen_mark", "side_by_side"]

# What players look for in file names (SKYBOX, Pigasus, DeoVR, rad TV, Commedia), in lower case.
_SIDE = {"sbs", "lr", "lrf", "3dh", "3dhf", "hsbs", "fsbs", "sbsf", "hlr", "parallel", "sidebyside", "rl", "rlf"}
_SIDE |= {"cross", "crosseyed", "crossed", "xeyed", "3dleftright"}
_STACK = {"tb", "tbf", "ou", "3dv", "3dvf", "hou", "htb", "fou", "ftb", "fulltb", "bt", "overunder", "topbottom", "tab"}
_RIGHT_FIRST = {"rl", "rlf", "bt", "cross", "crosseyed", "crossed", "xeyed"}
_HALF = {"half", "hsbs", "hlr", "hou", "htb"}
_FULL = {"full", "lrf", "tbf", "3dhf", "3dvf", "sbsf", "fsbs", "fou", "ftb", "fulltb", "rlf"}


def named_mark(path: str | Path, size: Size) -> Mark | None:
    """The layout that a file's name claims ("x_LR.mp4", "x_Full_SBS.jpg"), or None.

    Tokens must stand by themselves. Half or full, where the name leaves it open, is told by the shape:
    two full eyes side by side are wider than any screen.
    """
    tokens = set(re.split(r"[^a-z0-9]+", Path(path).stem.lower()))
    stacked = bool(tokens & _STACK)
    if not stacked and not tokens & _SIDE:
        return None
    if tokens & _HALF:
        half = True
    elif tokens & _FULL:
        half = False
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
    """How much one picture shows the same as another.

    Parameters
    ----------
    share : float
        Of the textured blocks of the first that are found in the second, 0..1.
    blocks : int
        How many textured blocks there are.
    dx, dy : float
        Median place in the second minus place in the first, share of the width and of the height.
    """

    share: float
    blocks: int
    dx: float
    dy: float

    @property
    def same_scene(self) -> bool:
        """True if these are two eyes' views: many blocks are found, at one height, none too far away.

        Measured: 0.5 to 1 on real pairs, at most 0.42 on the halves of ordinary photos.
        """
        return self.blocks >= 12 and self.share >= 0.44 and abs(self.dy) < 0.055 and abs(self.dx) < 0.24


def likeness(first: Image, second: Image, *, reach: float = 0.25, rise: float = 0.06) -> Likeness:
    """Look for blocks of ``first`` in ``second``, up to ``reach`` of the width and ``rise`` of the height away.

    A block is found where normalised correlation exceeds 0.75; the found ones must agree on their height.
    """
    long_side = 240
    a, b = (_gray(picture, long_side) for picture in (first, second))
    height, width = a.shape
    side = max(12, min(height, width) // 8)
    across, up = max(2, round(reach * width)), max(2, round(rise * height))
    border = cv2.copyMakeBorder(b, up, up, across, across, cv2.BORDER_REFLECT_101)
    places, found = 0, []
    for top in range(side // 2, height - side, side):
        for left in range(side // 2, width - side, side):
            block = a[top : top + side, left : left + side]
            if block.std() < 6:
                continue
            places += 1
            area = border[top : top + side + 2 * up, left : left + side + 2 * across]
            score = cv2.matchTemplate(area, block, cv2.TM_CCOEFF_NORMED)
            _, best, _, (x, y) = cv2.minMaxLoc(score)
            if best > 0.75:
                found.append((x - across, y - up))
    if not found:
        return Likeness(0.0, places, 0.0, 0.0)
    moves = np.array(found, np.float64)
    middle = np.median(moves, axis=0)
    agreeing = np.abs(moves[:, 1] - middle[1]) <= max(1.5, 0.015 * height)
    return Likeness(float(agreeing.sum()) / places, places, float(middle[0] / width), float(middle[1] / height))


def seen_mark(image: Image) -> Mark | None:
    """The layout that the picture itself shows, or None: its halves are compared.

    Which eye stands first cannot be seen here; the usual order is assumed.
    """
    width, height = image.size
    if min(width, height) < 64 or not 0.4 < image.size.aspect < 8:
        return None
    if image.size.aspect > 1.2:
        left, right = Image(image.pixels[:, : width // 2]), Image(image.pixels[:, width // 2 : width // 2 * 2])
        if likeness(left, right).same_scene:
            # A screen-shaped whole holds two squeezed eyes; old cards hold two nearly square ones.
            return Mark("side", half=_screen_shaped(image.size), right_first=False)
    upper, lower = Image(image.pixels[: height // 2]), Image(image.pixels[height // 2 : height // 2 * 2])
    if image.size.aspect < 2.0 and likeness(upper, lower).same_scene:
        return Mark("stack", half=_screen_shaped(image.size), right_first=False)
    return None


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
