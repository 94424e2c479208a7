"""Recognize the layout of stereo pictures: by name, and by comparing their halves."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from depth3d.image import Image, Size
from depth3d.io.image.read import flatten
from depth3d.io.stereo.likeness import LONG_SIDE, Likeness, gray_of, likeness
from depth3d.stereoformats import StereoFormat
from depth3d.stereopair import StereoPair, unpack

__all__ = [
    "EyeLayout",
    "Likeness",
    "confirms",
    "is_squeezed",
    "likeness",
    "named_layout",
    "seen_layout",
    "side_by_side",
    "unpack_noted",
]

# What players look for in file names (SKYBOX, Pigasus, DeoVR, rad TV, Commedia), in lower case.
_SIDE = {"sbs", "lr", "lrf", "3dh", "3dhf", "hsbs", "fsbs", "sbsf", "hlr", "parallel", "sidebyside", "rl", "rlf"}
_SIDE |= {"cross", "crosseyed", "crossed", "xeyed", "3dleftright"}
_STACK = {"tb", "tbf", "ou", "3dv", "3dvf", "hou", "htb", "fou", "ftb", "fulltb", "bt", "overunder", "topbottom", "tab"}
_RIGHT_FIRST = {"rl", "rlf", "bt", "cross", "crosseyed", "crossed", "xeyed"}
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


def named_layout(path: str | Path, size: Size, image: Image | None = None) -> EyeLayout | None:
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
    return EyeLayout("stack" if stacked else "side", half, bool(tokens & _RIGHT_FIRST))


@dataclass(frozen=True, slots=True)
class EyeLayout:
    """What a file says about its own layout: packing "side" or "stack", squeezed or not, who is first.

    ``gap``: a 49th of the rows lies between stacked eyes (HDMI frame packing: 45 of 2205, 30 of 1470).
    """

    packing: str
    half: bool
    right_first: bool
    gap: bool = False

    def unpack(self, image: Image) -> StereoPair:
        """Cut the picture as the layout says."""
        packing = "stack" if self.packing == "stack" else "side"
        layout = StereoFormat("tagged", packing, "", "", "", self.half, self.right_first)  # type: ignore[arg-type]
        return unpack(image, layout, self.gap_rows(image.size.height))

    def gap_rows(self, height: int) -> int:
        """Return how many rows of a whole picture of ``height`` rows lie between its eyes."""
        return round(height / 49) if self.gap else 0


def confirms(first: Image, second: Image) -> bool:
    """Whether two halves may be the eyes of one scene, where the file's name says that they are.

    Less is asked than without a name: pictures without texture have no distinctive blocks, but their halves correlate.
    """
    return likeness(first, second).same_scene or _correlation(first, second) >= _CONFIRMING


def _correlation(first: Image, second: Image) -> float:
    """Normalized correlation of the middle of ``first`` with its best place in ``second``, -1..1."""
    a, b = (cv2.resize(gray_of(each, LONG_SIDE), (96, 64), interpolation=cv2.INTER_AREA) for each in (first, second))
    middle = a[2:-2, 10:-10]
    if middle.std() < 1:
        return 1.0 if b.std() < 1 else 0.0
    return float(cv2.matchTemplate(b, middle, cv2.TM_CCOEFF_NORMED).max())


def seen_layout(image: Image) -> EyeLayout | None:
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
            return EyeLayout("side", half=_screen_shaped(image.size) and is_squeezed(image), right_first=False)
        if alike.same_scene and alike.coherent > 0.9 and alike.spread < 0.001:
            return None  # the right half is a copy of the left one: a pattern, which repeats downwards, too
    upper, lower = Image(image.pixels[: height // 2]), Image(image.pixels[height // 2 : height // 2 * 2])
    if image.size.aspect < 2.0:
        alike = likeness(upper, lower)
        if alike.same_scene and alike.has_depth:
            return EyeLayout("stack", half=_screen_shaped(image.size), right_first=False)
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


def unpack_noted(layout: EyeLayout, image: Image, by: str) -> StereoPair:
    """Cut a picture as its layout says, and note for the user what it was taken for.

    Parameters
    ----------
    layout : EyeLayout
        The layout.
    image : Image
        The whole picture.
    by : str
        What the layout is known from: "its name".
    """
    words = "top-bottom" if layout.packing == "stack" else "side by side"
    size = "half" if layout.half else "full"
    order = ", right eye first" if layout.right_first else ""
    return replace(layout.unpack(image), notes=(f"stereo picture, {words}, {size}{order} (known from {by})",))


def _screen_shaped(size: Size) -> bool:
    return any(abs(size.aspect - shape) < 0.02 for shape in (16 / 9, 1.85, 2.0, 2.35, 2.39, 16 / 10))
