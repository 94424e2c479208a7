"""Correction of one stereo photo or shot: which eye is which, alignment, color, screen plane, floating window.

The left eye is the reference. All geometric steps of an eye are one affine map, so that it is resampled once; an eye
that is only cropped by whole pixels is not resampled at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.stereo.alignment import Alignment, Tone
from depth3d.image import Image, Size
from depth3d.pipeline.comfort import with_window
from depth3d.stereopair import StereoPair

__all__ = ["Correction", "View"]

# Share of a side; where more would have to go, the border's pixels are repeated. Cameras with two parallel lenses leave
# 13 to 16 % of disparity in near scenes.
_LARGEST_CROP = 0.25


@dataclass(frozen=True, slots=True)
class Correction:
    """What is changed in a stereo pair. The default changes nothing.

    Parameters
    ----------
    swap : bool
        The eyes are exchanged first.
    alignment : Alignment | None
        Misalignment of the right eye, px of a picture ``width`` wide, which is removed.
    tone : Tone | None
        Color map of the right eye.
    shift : float
        How far the scene moves back, percent of the width; negative = towards the viewer.
    parallax : tuple[float, float] | None
        Total disparity (percent of the width) and convergence of a right eye that is rendered anew, or None.
    window : tuple[float, float]
        Width of the black bars at the left of the left eye and at the right of the right eye, percent of the width.
    width : int
        Width of the pictures in which ``alignment`` was measured, px.
    """

    swap: bool = False
    alignment: Alignment | None = None
    tone: Tone | None = None
    shift: float = 0.0
    parallax: tuple[float, float] | None = None
    window: tuple[float, float] = (0.0, 0.0)
    width: int = 0

    def lines(self) -> tuple[str, ...]:
        """Return one sentence per change, in the order in which they are made; empty = nothing is changed."""
        found: list[str] = ["the eyes were swapped and are exchanged"] if self.swap else []
        if self.alignment is not None:
            one = self.alignment
            found.append(
                f"right eye moved by {-one.vertical:+.2f} px down, turned by {-one.roll:+.3f} degrees,"
                f" scaled by {1 / one.scale:.4f}"
            )
        if self.tone is not None:
            gain, offset = (
                ", ".join(f"{value:+.2f}" for value in values) for values in (self.tone.gain, self.tone.offset)
            )
            found.append(f"colors of the right eye matched to the left one: gain {gain}, offset {offset}")
        if self.shift:
            found.append(
                f"scene moved {'back' if self.shift > 0 else 'forward'} by {abs(self.shift):.2f} % of the width"
            )
        if self.parallax is not None:
            found.append(
                f"right eye rendered anew from the left one: total disparity lowered to {self.parallax[0]:.2f} %"
            )
        if any(self.window):
            found.append(f"floating window: black bars of {self.window[0]:.2f} % left, {self.window[1]:.2f} % right")
        return tuple(found)

    def toned(self, pair: StereoPair) -> StereoPair:
        """Return the pair with the eyes in the right order and of one color."""
        pair = pair.swapped() if self.swap else pair
        return pair if self.tone is None else replace(pair, right=self.tone.apply(pair.right))

    def maps(self, size: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return for both eyes the (3, 3) affine map from corrected pixels to the eye's own pixels."""
        pixels = self.shift / 100 * size.width
        left, right = np.eye(3), np.eye(3)
        # The disparity shrinks by `pixels`; the eye that gains columns at its border keeps its place.
        left[0, 2], right[0, 2] = max(0.0, pixels), max(0.0, -pixels)
        if self.alignment is not None:
            factor = size.width / self.width
            forward = np.eye(3)
            forward[:2] = replace(self.alignment, vertical=self.alignment.vertical * factor).matrix(*size)
            right = np.linalg.inv(forward) @ right
        return left, right

    def apply(self, pair: StereoPair, view: View | None = None) -> StereoPair:
        """Return the corrected pair; ``parallax`` is up to the caller, who has the depth.

        Parameters
        ----------
        pair : StereoPair
            The pair as it is stored.
        view : View | None
            The part that is shown; None = all that both eyes have.
        """
        shown = view or View.common([self], pair.size)
        pair = self.toned(pair)
        left, right = self.maps(pair.size)
        return self.masked(StereoPair(shown.cut(pair.left, left), shown.cut(pair.right, right), pair.notes))

    def masked(self, pair: StereoPair) -> StereoPair:
        """Return the pair with the bars of the floating window."""
        return with_window(pair, self.window)


@dataclass(frozen=True, slots=True)
class View:
    """Part of the corrected pictures that is shown, px, and the size at which it is shown."""

    x: float
    y: float
    width: float
    height: float
    size: Size

    @classmethod
    def common(cls, corrections: Iterable[Correction], size: Size, *, zoom: bool = False) -> View:
        """Return the part that both eyes have under every one of ``corrections``.

        Parameters
        ----------
        corrections : Iterable[Correction]
            One for a photo, those of all shots for a clip.
        size : Size
            Of an eye, px.
        zoom : bool
            Keep the pictures' size and shape by enlarging the part (clips); else the pictures get smaller (photos).
        """
        margins = np.zeros(4)
        for one in corrections:
            margins = np.maximum(margins, _margins(one.maps(size), size))
        left, top, right, bottom = margins
        if not zoom:
            left, top, right, bottom = np.ceil(margins - 1e-6)
            kept = Size(int(size.width - left - right), int(size.height - top - bottom))
            return cls(float(left), float(top), kept.width, kept.height, kept)
        share = min((size.width - left - right) / size.width, (size.height - top - bottom) / size.height)
        width, height = share * size.width, share * size.height
        x, y = left + (size.width - left - right - width) / 2, top + (size.height - top - bottom - height) / 2
        return cls(float(x), float(y), float(width), float(height), size)

    def cut(self, eye: Image, to_source: NDArray[np.float64]) -> Image:
        """Return the eye as it is shown; ``to_source``: (3, 3) map from corrected pixels to its own."""
        scale_x, scale_y = self.width / self.size.width, self.height / self.size.height
        # Centers of pixels: the first one of the result is half a (scaled) pixel inside the part.
        shown = np.array(
            [[scale_x, 0, self.x + (scale_x - 1) / 2], [0, scale_y, self.y + (scale_y - 1) / 2], [0, 0, 1]]
        )
        whole = to_source @ shown
        moved = np.rint(whole[:2, 2]).astype(int)
        if np.allclose(whole[:2, :2], np.eye(2), atol=1e-9) and np.allclose(whole[:2, 2], moved, atol=1e-6):
            rows, columns = slice(moved[1], moved[1] + self.size.height), slice(moved[0], moved[0] + self.size.width)
            alpha = None if eye.alpha is None else eye.alpha[rows, columns]
            return replace(eye, pixels=eye.pixels[rows, columns], alpha=alpha)
        alpha = None if eye.alpha is None else _warped(eye.alpha, whole, self.size, cv2.INTER_LINEAR)
        return replace(eye, pixels=_warped(eye.pixels, whole, self.size, cv2.INTER_CUBIC), alpha=alpha)


def _warped(pixels: NDArray[Any], to_source: NDArray[np.float64], size: Size, sampling: int) -> NDArray[Any]:
    flags = sampling | cv2.WARP_INVERSE_MAP
    found: NDArray[Any] = cv2.warpAffine(
        pixels, to_source[:2], tuple(size), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return found


def _margins(maps: tuple[NDArray[np.float64], NDArray[np.float64]], size: Size) -> NDArray[np.float64]:
    """Pixels to leave out at the left, top, right and bottom, so that both eyes have all pixels of the rest."""
    width, height = size
    margins = np.zeros(4)
    most = _LARGEST_CROP * np.array([width, height, width, height])
    for _ in range(width + height):
        x0, y0, x1, y1 = margins[0], margins[1], width - 1 - margins[2], height - 1 - margins[3]
        corners = np.array([[x0, x1, x1, x0], [y0, y0, y1, y1], [1, 1, 1, 1]])
        beyond = np.zeros(4)
        for one in maps:
            x, y = (one @ corners)[:2]
            beyond = np.maximum(beyond, [-x.min(), -y.min(), x.max() - (width - 1), y.max() - (height - 1)])
        if beyond.max() <= 1e-6:
            break
        # A turned picture lacks a corner: the cheaper side goes first, relative to its length.
        side = int(np.argmax(beyond))
        margins[side] += max(beyond[side], 1e-3)
    return np.minimum(margins, most)
