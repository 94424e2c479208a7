"""From the network's size to the photo's, along the photo's edges.

A network draws every silhouette as a ramp. Enlarged as it is, a ramp becomes a wall of rubber between near and
far. Here the values on the ramp are distrusted, and the trusted ones from both sides spread until they meet at
the edge that the photo shows: smooth(confidence * depth) / smooth(confidence), where `smooth` is the fast global
smoother (Min et al., "Fast Global Image Smoothing Based on Weighted Least Squares", TIP 2014) guided by the photo.
The gain comes from the confidence; the same filter without it only keeps the ramp. What is left of the ramp is
then pushed to the side it is nearer to. `examples/measure_upsampling.py` measures all this.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput
from depth3d.image import Image, Size

__all__ = ["bicubic", "upsample"]

Values = NDArray[np.float32]

# Tuned on four Middlebury scenes whose true disparity was blurred as a network does.
LAMBDA = 1.0  # reach of the smoother, in squared network pixels
SIGMA = 10.0  # colour difference (of 255) at which the smoother stops
STEEPNESS = 160.0  # how fast trust falls with the slope of depth (range 1) per network pixel
RAMP = 2.0  # half the width of a ramp, network pixels
PUSH = 3.0  # how decidedly what is left of a ramp goes to its nearer side; 1 = not at all
STEP = (0.04, 0.10)  # steps of depth below the first are left alone, above the second fully sharpened
SOLVER_PIXELS = 4_000_000  # larger photos are solved at this many pixels and enlarged from there


def bicubic(values: Values, size: Size) -> Values:
    """(h, w) -> (H, W) float32 by cubic convolution; never below the smallest value that came in.

    What the official code does. Ramps stay ramps; overshoot below is clipped.
    """
    return np.asarray(np.maximum(_resized(values, size, cv2.INTER_CUBIC), values.min()), np.float32)


def upsample(values: Values, guide: Image) -> Values:
    """(h, w) relative inverse depth -> (H, W) float32 at the size of ``guide``, edges where the guide has them.

    The range stays that of ``values``. Raises ``InvalidInput`` for another shape.
    """
    if values.ndim != 2 or values.size == 0:
        raise InvalidInput(f"upsample: values have shape {values.shape}, expected (h, w), not empty")
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.full((guide.size.height, guide.size.width), low, np.float32)
    size = _solver_size(guide.size)
    colours = np.ascontiguousarray(guide.resized(size).eight_bit().pixels)
    unit = (values - low) / np.float32(high - low)
    solved = _sharpened(_solve(unit, colours), max(1.0, size.width / unit.shape[1]))
    if size != guide.size:
        solved = _resized(solved, guide.size, cv2.INTER_LINEAR)
    return np.clip(solved, 0, 1) * np.float32(high - low) + np.float32(low)


def _confidence(unit: Values) -> Values:
    """(h, w) in (0, 1]: low where depth is steep, that is on the ramps."""
    across = cv2.Sobel(unit, cv2.CV_32F, 1, 0, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    down = cv2.Sobel(unit, cv2.CV_32F, 0, 1, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    slope = np.hypot(across, down)
    return np.asarray(np.exp(-STEEPNESS * slope) + 1e-4, np.float32)


def _solve(unit: Values, colours: NDArray[np.uint8]) -> Values:
    """The ramps replaced by what the trusted pixels beside them say; everything else as it is."""
    size = Size(colours.shape[1], colours.shape[0])
    ratio = max(1.0, size.width / unit.shape[1])
    confidence = _confidence(unit)
    depth = _resized(unit, size, cv2.INTER_CUBIC)
    trust = _resized(confidence, size, cv2.INTER_LINEAR)
    smoother = cv2.ximgproc.createFastGlobalSmootherFilter(colours, LAMBDA * ratio**2, SIGMA)
    weighted = np.asarray(smoother.filter(depth * trust), np.float32)
    weight = np.asarray(smoother.filter(trust), np.float32)
    solved = weighted / np.maximum(weight, np.float32(1e-9))
    # Far from any ramp the network's own value stands: the smoother would only wash out fine relief there.
    reach = 2 * int(np.ceil(RAMP)) + 1
    safe = np.asarray(cv2.erode(confidence, np.ones((reach, reach), np.uint8)), np.float32)
    keep = _resized(safe, size, cv2.INTER_LINEAR)
    return np.asarray(solved + keep * (depth - solved), np.float32)


def _sharpened(depth: Values, ratio: float) -> Values:
    """Between the nearest and the farthest value around it, each pixel moves towards the closer one."""
    width = 2 * round(RAMP * ratio) + 1
    window = np.ones((width, width), np.uint8)
    low = cv2.erode(depth, window)
    step = cv2.dilate(depth, window) - low
    place = np.clip((depth - low) / np.maximum(step, np.float32(1e-6)), 0, 1)
    near, far = place**PUSH, (1 - place) ** PUSH
    sharp = low + step * near / (near + far)
    strength = np.clip((step - STEP[0]) / (STEP[1] - STEP[0]), 0, 1)
    return np.asarray(depth + strength * (sharp - depth), np.float32)


def _resized(values: Values, size: Size, how: int) -> Values:
    return np.asarray(cv2.resize(values, tuple(size), interpolation=how), np.float32)


def _solver_size(size: Size) -> Size:
    scale = min(1.0, (SOLVER_PIXELS / size.pixels) ** 0.5)
    return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))
