"""Dense optical flow between neighboring frames, and where it is valid.

Flow is measured in both directions. A pixel's flow is valid if forward and backward flow cancel (the
forward-backward test of Lai et al., "Learning Blind Video Temporal Consistency", 2018), its target is inside the
image, and both pixels have similar gray values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput

__all__ = ["FlowFunction", "Motion", "MotionEstimator", "pixel_grid", "warp"]

Floats = NDArray[np.float32]
Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]
FlowFunction = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]
"""``flow(a, b)`` of two (H, W, 3) uint8 pictures -> (H, W, 2) float32 px: a[p] corresponds to b[p + flow[p]]."""

GRAY_TOLERANCE = 20.0
"""Largest difference between a pixel and its match, in gray levels (0..255) after a 3x3 mean."""

SMALLEST_SIDE = 24
"""Images whose shorter side has fewer pixels are too small for a flow pyramid: motion is set to zero."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Optical flow between two neighboring frames, in both directions.

    ``backward`` (H, W, 2) float32 px leads from pixels of the later frame to the earlier one, ``forward`` from the
    earlier to the later; ``backward_valid`` and ``forward_valid`` (H, W) bool are True where the flow is reliable.
    """

    backward: Floats
    forward: Floats
    backward_valid: Mask
    forward_valid: Mask


def pixel_grid(height: int, width: int) -> Floats:
    """Return x and y of every pixel, (H, W, 2) float32."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], axis=-1)


def warp(values: NDArray[Any], places: Floats, *, sharp: bool = False) -> Floats:
    """Sample ``values`` (H, W) or (H, W, C) at ``places`` (H, W, 2; x and y in pixels).

    Interpolation is bilinear; with ``sharp``, the mean of bilinear and bicubic, for repeated warping (bilinear alone
    blurs, bicubic alone rings). Outside the image the nearest edge pixel is used.
    """
    result = _read(values, places, cv2.INTER_LINEAR)
    return (result + _read(values, places, cv2.INTER_CUBIC)) * np.float32(0.5) if sharp else result


def _read(values: NDArray[Any], places: Floats, how: int) -> Floats:
    result = cv2.remap(values, places, None, how, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return cast(Floats, result)


class MotionEstimator:
    """Measures optical flow between neighboring frames of one size.

    Parameters
    ----------
    height, width : int
        The size of the frames in pixels.
    flow : FlowFunction | None
        A function of two color pictures to use instead of OpenCV's DIS (Kroeger et al., "Fast Optical Flow using
        Dense Inverse Search", 2016).
    """

    def __init__(self, height: int, width: int, flow: FlowFunction | None = None) -> None:
        self._grid = pixel_grid(height, width)
        self._flow = flow
        self._tiny = min(height, width) < SMALLEST_SIDE
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(self, earlier: NDArray[np.uint8], later: NDArray[np.uint8]) -> Motion:
        """Measure the motion from ``earlier`` to ``later``, both (H, W, 3) uint8 RGB."""
        gray_a, gray_b = _gray(earlier), _gray(later)
        backward = self._measure(later, earlier, gray_b, gray_a)
        forward = self._measure(earlier, later, gray_a, gray_b)
        smooth_a, smooth_b = (cast(Gray, cv2.blur(gray, (3, 3))) for gray in (gray_a, gray_b))
        return Motion(
            backward,
            forward,
            self._valid(backward, forward, smooth_b, smooth_a),
            self._valid(forward, backward, smooth_a, smooth_b),
        )

    def _measure(self, a: NDArray[np.uint8], b: NDArray[np.uint8], gray_a: Gray, gray_b: Gray) -> Floats:
        if self._tiny:
            return np.zeros((*gray_a.shape, 2), np.float32)
        if self._flow is None:
            return cast(Floats, self._dis.calc(gray_a, gray_b, None))  # type: ignore[call-overload]
        flow = np.asarray(self._flow(a, b))
        if flow.shape != self._grid.shape or not np.isfinite(flow).all():
            raise InvalidInput(f"flow: got shape {flow.shape}, expected finite values of shape {self._grid.shape}")
        return np.ascontiguousarray(flow, dtype=np.float32)

    def _valid(self, there: Floats, back: Floats, here: Gray, partner: Gray) -> Mask:
        height, width = here.shape
        places = self._grid + there
        returned = warp(back, places)
        missed = _squared_length(there + returned)
        length = _squared_length(there) + _squared_length(returned)
        x, y = places[..., 0], places[..., 1]
        inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        alike = cv2.absdiff(warp(partner, places), here) < GRAY_TOLERANCE
        valid: Mask = (missed < 0.01 * length + 0.5) & inside & alike
        return valid


def _squared_length(vectors: Floats) -> Floats:
    # Faster by far than `sum` over an axis of two numbers.
    squares = np.square(vectors)
    return cast(Floats, squares[..., 0] + squares[..., 1])


def _gray(pixels: NDArray[np.uint8]) -> Gray:
    return cast(Gray, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
