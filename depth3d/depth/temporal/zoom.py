"""Change of inverse depth while the camera moves forward or back.

In a dolly shot the scene comes nearer: assuming constant depth along the flow would shrink the scale in every frame.
The backward flow of a static scene is linear in a few unknowns of the camera (Longuet-Higgins and Prazdny, 1980):
rotation contributes constants, roll and two quadratic terms, zoom a term in x and y, and translation the same constants
and zoom *times inverse depth*. The zoom terms determine the growth of every inverse depth s: k (s - zero)^2, where
``zero`` is the value of infinitely distant points.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.temporal.flow import Floats, Mask, pixel_grid

__all__ = ["NO_ZOOM", "Zoom", "ZoomEstimator"]

STEP = 5
HUBER_ROUNDS, TUKEY_ROUNDS = 4, 6
MEMORY = 0.7
LARGEST_CHANGE = 0.1
REFERENCE_WIDTH = 384
"""Flow errors are measured in pixels of an image of this width."""
LOWEST_ZERO = -4.5
"""Lower limit of ``zero``, in mean deviations from the median; scenes from 1 to 3 meters away have -4.5."""
LENS_ZERO = 14.0


class Zoom(NamedTuple):
    """Change of inverse depth s between two frames: s becomes s + rate (s - zero)^2."""

    rate: float
    zero: float

    def change(self, values: Floats) -> Floats:
        """Return the increment of inverse depth ``values``, limited to a tenth of their distance from ``zero``."""
        height = values - np.float32(self.zero)
        limit = np.float32(LARGEST_CHANGE) * np.abs(height)
        change: Floats = np.clip(np.float32(self.rate) * np.square(height), -limit, limit)
        return change


NO_ZOOM = Zoom(0.0, 0.0)


class ZoomEstimator:
    """Measure ``Zoom`` from flow and depth, smoothed over time."""

    def __init__(self, height: int, width: int) -> None:
        center = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
        places = (pixel_grid(height, width) - center) / np.float32(width)
        self._x = places[::STEP, ::STEP, 0].ravel()
        self._y = places[::STEP, ::STEP, 1].ravel()
        self._width = width
        self.smooth = np.zeros(2)
        """The two zoom terms, averaged over past frames: the only state of the estimator."""

    @property
    def strength(self) -> float:
        """Return the relative growth of the image per frame (absolute value); 0 if it is not significant."""
        return float(abs(self.smooth[0]))

    def measure(self, backward: Floats, valid: Mask, inverse_depth: Floats) -> Zoom:
        """Measure the zoom between the previous frame and this one.

        Parameters
        ----------
        backward, valid : Floats, Mask
            (H, W, 2) flow to the previous frame in px, and the (H, W) mask of where it is reliable.
        inverse_depth : Floats
            (H, W) of this frame's pixels, in the state's units (centered, spread about 1).
        """
        use = valid[::STEP, ::STEP].ravel()
        if int(use.sum()) < 200:
            return NO_ZOOM
        x, y = self._x[use], self._y[use]
        depth = inverse_depth[::STEP, ::STEP].ravel()[use]
        flow = backward[::STEP, ::STEP].reshape(-1, 2)[use] / np.float32(self._width)
        zero, one = np.zeros_like(x), np.ones_like(x)
        # Terms: constants, depth * constants, roll, quadratic (2) | zoom, depth * zoom.
        across = np.stack([one, zero, depth, zero, -y, x * x, x * y, x, depth * x])
        down = np.stack([zero, one, zero, depth, x, x * y, y * y, y, depth * y])
        terms = np.concatenate([across, down], axis=1)
        target = np.concatenate([flow[:, 0], flow[:, 1]])
        _, error_without = _robust_fit(terms[:7], target)
        solution, error = _robust_fit(terms, target)
        zoom, depth_zoom = float(solution[7]), float(solution[8])
        trust = _trust(error_without * REFERENCE_WIDTH, error * REFERENCE_WIDTH)
        self.smooth = MEMORY * self.smooth + (1 - MEMORY) * trust * np.array([zoom, -depth_zoom])
        return _solve(float(self.smooth[0]), float(self.smooth[1]), float(np.percentile(depth, 1)) - 0.02)


def _solve(zoom: float, rate: float, farthest: float) -> Zoom:
    """Compute rate and zero from the two zoom terms, which are ideally rate * zero and rate.

    Errors of depth affect the second term, hence the limits on ``zero``; the rate is a least-squares fit.
    """
    if abs(rate) < 1e-6:
        return NO_ZOOM
    # A zoom term without a term in depth means that the lens zooms: nothing comes nearer.
    moves = float(np.clip((LENS_ZERO - abs(zoom / rate)) / 6, 0, 1))
    zero = float(np.clip(zoom / rate, min(LOWEST_ZERO, farthest), farthest))
    return Zoom(moves * (zoom * zero + rate) / (zero * zero + 1), zero)


def _trust(error_without: float, error_with: float) -> float:
    """Return the confidence (0..1) that the zoom terms explain the flow; errors are medians in pixels (of 384).

    Without this factor, the terms would fit noise in clips from a static camera.
    """
    if error_without < 0.03:
        return 0.0
    gain = (error_without / max(error_with, 1e-6) - 1.15) / 0.25
    fits = (0.6 - error_with) / 0.3
    return float(np.clip(gain, 0, 1) * np.clip(fits, 0, 1))


def _robust_fit(terms: NDArray[np.float32], target: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """Solve least squares of (K, N) terms with Huber's, then Tukey's weights; return solution and median error."""
    weights = np.ones_like(target)
    solution = np.zeros(len(terms))
    residual = np.abs(target)
    ridge = 1e-9 * np.eye(len(terms))
    for index in range(HUBER_ROUNDS + TUKEY_ROUNDS):
        weighted = terms * weights
        normal = (weighted @ terms.T).astype(np.float64)
        solution = np.linalg.solve(normal + ridge * np.trace(normal), (weighted @ target).astype(np.float64))
        residual = np.abs(target - solution.astype(np.float32) @ terms)
        sigma = 1.4826 * _median(residual) + 1e-9
        if index < HUBER_ROUNDS - 1:
            weights = np.minimum(1, np.float32(1.345 * sigma) / np.maximum(residual, np.float32(1e-9)))
        else:
            weights = np.square(np.clip(1 - np.square(residual / np.float32(4.685 * sigma)), 0, None))
    return solution, _median(residual)


def _median(values: NDArray[np.float32]) -> float:
    """Return the median; `np.median` also looks for NaN, which takes as long again."""
    high = len(values) // 2
    low = (len(values) - 1) // 2
    ordered = np.partition(values, (low, high))
    return float((ordered[low] + ordered[high]) / 2)
