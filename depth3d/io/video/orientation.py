"""Cropping and orientation (one of eight) that the container applies to the stored picture."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.image import Size
from depth3d.io.video.matroska import video_settings
from depth3d.io.video.mp4_boxes import find_sample_box

__all__ = ["Crop", "Orientation", "orientation_of", "read_crop"]


@dataclass(frozen=True, slots=True)
class Orientation:
    """Transformation of a stored picture to upright: transpose first, then flip.

    Parameters
    ----------
    transpose : bool
        Exchange rows and columns.
    flip_x, flip_y : bool
        Mirror left and right; mirror top and bottom.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether the transformation includes a mirroring."""
        return (self.transpose + self.flip_x + self.flip_y) % 2 == 1

    @property
    def rotation(self) -> int:
        """Rotation counter-clockwise, 0, 90, 180 or 270 degrees; of a mirrored picture, before its horizontal flip."""
        flip_x = self.flip_x != self.mirrored
        if self.transpose:
            return 90 if self.flip_y else 270
        return 180 if flip_x else 0

    def size(self, stored: Size) -> Size:
        """Return the size of the upright picture."""
        return Size(stored.height, stored.width) if self.transpose else stored

    def apply(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Turn a stored (H, W, C) picture upright: contiguous (H, W, C) or (W, H, C)."""
        if self.transpose:
            pixels = pixels.swapaxes(0, 1)
        if self.flip_x:
            pixels = pixels[:, ::-1]
        if self.flip_y:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


def orientation_of(matrix: bytes | None, rotation: int) -> Orientation:
    """Return the orientation given by a display matrix (nine int32, row-vector convention) or a rotation.

    Parameters
    ----------
    matrix : bytes | None
        Side data of a frame (AV_FRAME_DATA_DISPLAYMATRIX).
    rotation : int
        Degrees counter-clockwise, used without a matrix.
    """
    if matrix is None or len(matrix) < 36:
        turns = {0: (False, False, False), 90: (True, False, True), 180: (False, True, True), 270: (True, True, False)}
        return Orientation(*turns.get(round(rotation / 90) * 90 % 360, (False, False, False)))
    a, b, _, c, d = struct.unpack_from("=5i", matrix)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


@dataclass(frozen=True, slots=True)
class Crop:
    """Pixels to crop from each side of the stored picture."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def size(self, stored: Size) -> Size:
        """Return the size of the cropped picture."""
        return Size(stored.width - self.left - self.right, stored.height - self.top - self.bottom)

    def apply(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return the cropped part of an (H, W, C) picture, as a view."""
        height, width = pixels.shape[:2]
        return pixels[self.top : height - self.bottom, self.left : width - self.right]


def read_crop(path: Path, stored: Size) -> Crop:
    """Return the cropping of the container: Matroska's PixelCrop elements, MP4's clean aperture (``clap``).

    No cropping if the file has neither, or if no pixels would remain.
    """
    found = _clean_aperture(path, stored) or _pixel_crop(path)
    size = found.size(stored)
    outside = min(found.left, found.top, found.right, found.bottom) < 0
    return Crop() if outside or size.width < 1 or size.height < 1 else found


def _pixel_crop(path: Path) -> Crop:
    settings = video_settings(path)
    return Crop(*(settings.get(f"PixelCrop{side}", 0) for side in ("Left", "Top", "Right", "Bottom")))


def _clean_aperture(path: Path, stored: Size) -> Crop | None:
    box = find_sample_box(path, b"clap")
    if box is None or len(box) < 32:
        return None
    values = struct.unpack_from(">8i", box)
    if any(bottom <= 0 for bottom in values[1::2]):
        return None
    width, height, x, y = (top / bottom for top, bottom in zip(values[::2], values[1::2], strict=True))
    left, top = round((stored.width - width) / 2 + x), round((stored.height - height) / 2 + y)
    return Crop(left, top, stored.width - round(width) - left, stored.height - round(height) - top)
