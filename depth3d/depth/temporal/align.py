"""Fit scale and shift of a frame's disparity to the filtered state of the frames before.

The scale and shift of a network's output vary from frame to frame. The fit is robust (Tukey's biweight rejects
moving objects and occlusions) and assumes errors in *both* variables (Deming regression): ordinary least squares of a
noisy frame on a smoothed state would shrink the scale in every frame, until the depth of a long clip is flat.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Affine", "deming", "robust_affine"]

Floats = NDArray[np.float32]

ROUNDS = 6
TUKEY = 4.685
"""Residuals beyond this many standard deviations get weight 0 (95 % efficiency for normal noise)."""


class Affine(NamedTuple):
    """The affine map value -> scale * value + shift."""

    scale: float
    shift: float

    def __call__(self, values: Floats) -> Floats:
        """Map ``values``; float32 stays float32."""
        return values * np.float32(self.scale) + np.float32(self.shift)

    def after(self, first: Affine) -> Affine:
        """Return the map that applies ``first`` and then this one."""
        return Affine(self.scale * first.scale, self.scale * first.shift + self.shift)


def deming(x: Floats, y: Floats, weights: Floats, ratio: float) -> Affine | None:
    """Fit a line to (x, y), both (N,), with errors in both; ``ratio`` = error variance of y over that of x.

    Returns None if x or y is constant or both are uncorrelated: then no line is determined.
    Source: Deming, "Statistical adjustment of data", 1943; the closed form is York's.
    """
    total = float(weights.sum(dtype=np.float64))
    if total <= 0:
        return None
    mean_x = float((weights * x).sum(dtype=np.float64)) / total
    mean_y = float((weights * y).sum(dtype=np.float64)) / total
    dx, dy = x - np.float32(mean_x), y - np.float32(mean_y)
    sxx = float((weights * dx * dx).sum(dtype=np.float64)) / total
    syy = float((weights * dy * dy).sum(dtype=np.float64)) / total
    sxy = float((weights * dx * dy).sum(dtype=np.float64)) / total
    if sxy <= 1e-3 * np.sqrt(sxx * syy) or sxx <= 1e-12 or syy <= 1e-12:
        return None
    spread = syy - ratio * sxx
    scale = (spread + np.sqrt(spread * spread + 4 * ratio * sxy * sxy)) / (2 * sxy)
    return Affine(scale, mean_y - scale * mean_x)


def robust_affine(x: Floats, y: Floats, start: Affine, noise_ratio: float) -> Affine | None:
    """Fit an affine map from ``x`` to ``y`` (both (N,)), ignoring outliers.

    ``start`` is the initial map, ``noise_ratio`` the error variance of y over that of the *mapped* x.
    Returns None if the points do not determine a map.
    """
    best = start
    for _ in range(ROUNDS):
        mapped = best(x)
        residual = np.abs(y - mapped)
        sigma = 1.4826 * float(np.median(residual))
        weights = np.square(np.clip(1 - np.square(residual / np.float32(TUKEY * sigma + 1e-6)), 0, None))
        better = deming(mapped, y, weights, noise_ratio)
        if better is None:
            return None
        best = better.after(best)
        if abs(better.scale - 1) < 1e-4 and abs(better.shift) < 1e-4:
            break
    return best
