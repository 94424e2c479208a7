"""Lines of the visible background that reach an occluder, so that they go on behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines", "find_lines"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

SPREAD = 2.0  # samples, Gaussian: window of the structure tensor
NOISE = 8.0  # squared gray levels per sample: weaker gradients have no direction
STEEPEST = 2.0  # rows per column
AGREE = 0.3  # largest difference of the slope along a line
LEAST = 0.2  # coherence, 0 to 1, below which lines are not continued


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Direction of the structure at a grid of pixels.

    Parameters
    ----------
    slope : Floats
        (h, w) float32, rows per column along the lines.
    coherence : Floats
        (h, w) float32, 0 = no direction, 1 = parallel lines only.
    top, stride : int
        Row of the first samples, and pixels between samples.
    """

    slope: Floats
    coherence: Floats
    top: int
    stride: int

    def at(self, row: NDArray[Any], column: NDArray[Any]) -> tuple[Floats, Floats]:
        """Slope and coherence at the samples nearest to pixels."""
        height, width = self.slope.shape
        y = np.rint((row - self.top) / self.stride).astype(np.int64).clip(0, height - 1)
        x = np.rint((column - self.stride // 2) / self.stride).astype(np.int64).clip(0, width - 1)
        return self.slope[y, x], self.coherence[y, x]


def find_lines(picture: NDArray[Any], usable: NDArray[np.bool_], top: int, stride: int) -> Lines:
    """Measure the structure tensor of a picture (Foerstner and Guelch 1987) at every ``stride``-th pixel.

    Parameters
    ----------
    picture : NDArray[Any]
        (H, W, 3) uint8 or uint16.
    usable : NDArray[np.bool_]
        (H, W), pixels whose gradients count.
    top, stride : int
        Row of the first samples, and pixels between samples.
    """
    pick = slice(top, None, stride), slice(stride // 2, None, stride)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    gray = (gray if stride == 1 else cv2.blur(gray, (stride, stride)))[pick].astype(np.float32)
    gray = gray * np.float32(255 / np.iinfo(picture.dtype).max)
    across, down = (cv2.Scharr(gray, cv2.CV_32F, *way) / 32 * usable[pick] for way in ((1, 0), (0, 1)))
    xx, yy, xy = (cv2.GaussianBlur(part, (0, 0), SPREAD) for part in (across**2, down**2, across * down))
    slope = np.tan(0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2)
    coherence = np.hypot(xx - yy, 2 * xy) / (xx + yy + NOISE)
    return Lines(slope.astype(np.float32), coherence.astype(np.float32), top, stride)
