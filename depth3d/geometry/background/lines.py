"""Lines of the visible background that reach an occluder, so that they go on behind it; means along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Lines", "SteeredKernel", "find_lines", "steered_kernel"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

SPREAD = 2.0  # samples, Gaussian: window of the structure tensor
NOISE = 8.0  # squared gray levels per sample: weaker gradients have no direction
STEEPEST = 2.0  # rows per column
AGREE = 0.3  # largest difference of the slope along a line
LEAST = 0.2  # coherence, 0 to 1, below which lines are not continued


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Direction of the structure at a grid of pixels: the structure tensor, divided by its trace.

    Parameters
    ----------
    across, down, both : Floats
        (h, w) float32, the tensor's elements xx, yy and xy; xx + yy is below 1 where gradients are weak.
    top, stride : int
        Row of the first samples, and pixels between samples.
    """

    across: Floats
    down: Floats
    both: Floats
    top: int
    stride: int

    def at(self, row: NDArray[Any], column: NDArray[Any]) -> tuple[Floats, Floats]:
        """Slope of the lines (rows per column) and coherence (0 = none, 1 = parallel lines) at the nearest samples."""
        xx, yy, xy = self.tensor(row, column)
        slope = np.tan(0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2)
        return slope.astype(np.float32), np.hypot(xx - yy, 2 * xy)

    def tensor(self, row: NDArray[Any], column: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
        """Return xx, yy and xy at the samples nearest to pixels.

        With v = (x, y), xx x x + yy y y + 2 xy x y says how much the colors change along v: 0 along lines.
        """
        height, width = self.across.shape
        y = np.rint((row - self.top) / self.stride).astype(np.int64).clip(0, height - 1)
        x = np.rint((column - self.stride // 2) / self.stride).astype(np.int64).clip(0, width - 1)
        return self.across[y, x], self.down[y, x], self.both[y, x]


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
    trace = xx + yy + np.float32(NOISE)
    return Lines(xx / trace, yy / trace, xy / trace, top, stride)


@dataclass(frozen=True, slots=True, eq=False)
class SteeredKernel:
    """One Gaussian for each of K pixels, by which colors around it are averaged.

    Parameters
    ----------
    down, right : Floats
        (K,), its center.
    across, shear, along : Floats
        (K,), elements of the Cholesky factor of its covariance: [[across, 0], [shear, along]] in (right, down).
    """

    down: Floats
    right: Floats
    across: Floats
    shear: Floats
    along: Floats

    def at(self, first: float, second: float) -> tuple[Floats, Floats]:
        """(down, right), (K,) each, of the point whose coordinates are ``first``, ``second`` standard deviations."""
        return self.down + self.shear * first + self.along * second, self.right + self.across * first


def steered_kernel(
    tensor: tuple[Floats, Floats, Floats], steer: Floats, center: tuple[NDArray[Any], NDArray[Any]], spread: float
) -> SteeredKernel:
    """Multiply a round Gaussian by one that is long along the lines at each pixel and narrow across them.

    Steered kernel regression (Takeda et al. 2007, equation 25).

    Parameters
    ----------
    tensor : tuple[Floats, Floats, Floats]
        xx, yy and xy of ``Lines.tensor``.
    steer : Floats
        (K,) weight of the tensor: the steered Gaussian, around (0, 0), is exp(-steer v' T v).
    center : tuple[NDArray[Any], NDArray[Any]]
        (K,) each, (down, right) of the round Gaussian.
    spread : float
        Its standard deviation.
    """
    round_part = np.float32(1 / spread**2)
    xx, yy, xy = (round_part + 2 * steer * tensor[0], round_part + 2 * steer * tensor[1], 2 * steer * tensor[2])
    area = xx * yy - xy * xy  # of the inverse covariance, the sum of both inverses
    down, right = (np.asarray(side, np.float32) for side in center)
    across = np.sqrt(yy / area)
    return SteeredKernel(
        round_part * (xx * down - xy * right) / area,
        round_part * (yy * right - xy * down) / area,
        across,
        -xy / area / across,
        1 / np.sqrt(yy),
    )
