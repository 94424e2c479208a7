"""Recover both eyes of an anaglyph in color.

Each eye of an anaglyph holds one or two of the three color channels. The eyes are matched as gray pictures; the missing
channels of each are taken from the other one at the matching place. Where no place matches, the difference between
the channels is continued from places of similar brightness.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.stereo.alignment import measure_alignment
from depth3d.depth.stereo.consistency import agreement, spread
from depth3d.depth.stereo.match import StereoMatch, stereo_disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.stereopair import StereoPair

__all__ = ["separate_anaglyph"]

_LEAST_SURE = 0.15  # share of pixels that must match
_Map = NDArray[np.float32]


def separate_anaglyph(image: Image, left: tuple[int, ...], right: tuple[int, ...]) -> StereoPair:
    """Return the two eyes of an anaglyph, in color as far as both eyes see a place.

    Reds of half-color and Dubois anaglyphs come back weaker, as these kinds do not keep them; gray ones stay gray.

    Raises ``InvalidInput`` if the channels do not match each other.

    Parameters
    ----------
    image : Image
        The anaglyph.
    left, right : tuple[int, ...]
        Channels of the left and of the right eye: 0 red, 1 green, 2 blue.
    """
    pixels = image.eight_bit().pixels
    level = measure_alignment(_even(pixels, left), _even(pixels, right)).apply(Image(pixels)).pixels
    eyes = _even(pixels, left), _even(level, right)
    forth = stereo_disparity(*eyes, align=False)
    if forth.sure.mean() < _LEAST_SURE:
        raise InvalidInput("its color channels do not match each other: it is no anaglyph, or a damaged one")
    back = stereo_disparity(_flipped(eyes[1]), _flipped(eyes[0]), align=False)
    first = _completed(pixels, level, left, right, forth, back)
    # Mirrored, the right eye is a left one.
    second = _completed(_mirror(level), _mirror(pixels), right, left, back, forth)
    return StereoPair(Image(first), Image(_mirror(second)))


def _completed(
    own: NDArray[np.uint8],
    other: NDArray[np.uint8],
    kept: tuple[int, ...],
    missing: tuple[int, ...],
    match: StereoMatch,
    back: StereoMatch,
) -> NDArray[np.uint8]:
    """Return one eye with its missing channels moved over from the other one; ``back`` is the mirrored match."""
    disparity = match.disparity.values
    # The filled maps agree also inside surfaces without texture, but not where only one eye sees the background.
    sure = match.sure | agreement(disparity, np.ascontiguousarray(back.disparity.values[:, ::-1]), 2.0)
    height, width = disparity.shape
    x = np.arange(width, dtype=np.float32)[None, :] - disparity
    y = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    moved = cv2.remap(other, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    gray = own[..., kept].mean(axis=2, dtype=np.float32)
    guide = np.repeat(gray[..., None], 3, axis=2).astype(np.uint8)
    result = own.copy()
    for channel in missing:
        found = moved[..., channel].astype(np.float32)
        guessed = gray + spread(found - gray, sure, guide)
        result[..., channel] = np.clip(np.rint(np.where(sure, found, guessed)), 0, 255)
    return result


def _even(pixels: NDArray[np.uint8], channels: tuple[int, ...]) -> Image:
    """Return a gray picture of some channels with brightness and contrast evened out locally.

    The same surface is bright in one channel and dark in another; its texture and outlines stay comparable.
    """
    gray = pixels[..., channels].mean(axis=2, dtype=np.float32)
    width = max(2.0, gray.shape[1] / 60)
    mean = cv2.GaussianBlur(gray, (0, 0), width)
    deviation = np.sqrt(np.maximum(cv2.GaussianBlur(gray * gray, (0, 0), width) - mean * mean, 0))
    even = np.clip(128 + 45 * (gray - mean) / (deviation + 4), 0, 255).astype(np.uint8)
    return Image(np.repeat(even[..., None], 3, axis=2))


def _mirror(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pixels[:, ::-1])


def _flipped(image: Image) -> Image:
    return Image(_mirror(image.pixels))
