"""Measures the blur of a depth map's edges and removes most of it, before ramps are turned into steps."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.geometry.chunked import parts_around

__all__ = ["deblur", "estimate_blur"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

ROUNDS = 3
# Share of the measured blur that is removed: removing all of it causes ringing. Median over scenes and blurs of 1.5 to
# 5 pixels at 640 wide.
SHARE = 0.8
WIDEST = 6.0  # pixels at 640 wide: a wider "blur" is a slope
COARSEST = 1.5  # the work is done at no more than this many times 640 pixels of width
UNEVEN = 0.25  # of the slope of a ramp
MOST_RAISED = 4.0  # times the height that a narrow thing has still
FEWEST = 20  # places needed for an estimate


def estimate_blur(depth: Floats, slope: float, scale: float, steep: Floats | None = None) -> float:
    """Standard deviation in pixels of the Gaussian that blurred the steps of ``depth``; 0 if there are no steps.

    A step blurred by s and again by t has its slope reduced by the factor s / sqrt(s^2 + t^2). The estimate is the
    median over the steepest pixels (Zhuo and Sim 2011, Defocus map estimation from a single image).

    Parameters
    ----------
    depth : Floats
        (H, W).
    slope : float
        Pixels with a smaller slope are ignored.
    scale : float
        Width of this map divided by 640.
    steep : Floats | None
        ``_steepness(depth)``, if it is known.
    """
    again = 2 * scale
    side = 2 * round(3 * scale) + 1
    steep = _steepness(depth) if steep is None else steep
    found = []
    for part in parts_around(steep > slope, 0, halo=max(side // 2, _reach_of(again) + 1)):
        own = steep[part.read]
        crest = ((own >= cv2.dilate(own, np.ones((side, side), np.uint8))) & (own > slope))[part.inside]
        if crest.any():
            softer = _steepness(np.asarray(cv2.GaussianBlur(depth[part.read], (0, 0), again), np.float32))
            found.append(own[part.inside][crest] / np.maximum(softer[part.inside][crest], 1e-6))
    ratio = np.concatenate([*found, np.empty(0, np.float32)])
    ratio = ratio[ratio > 1.01]
    if len(ratio) < FEWEST:
        return 0.0
    spreads = np.sort(again / np.sqrt(ratio**2 - 1))  # np.median imports numpy.ma, which takes 0.1 s
    return float(min((spreads[(len(spreads) - 1) // 2] + spreads[len(spreads) // 2]) / 2, WIDEST * scale))


def deblur(depth: Floats, slope: float, scale: float) -> Floats:
    """Remove most of the blur around the steps of ``depth``; other pixels are unchanged (Van Cittert 1931).

    This restores the height of thin objects and corners, which blur reduces; the later stages only assign the pixels
    of a ramp to one side or the other.
    """
    if scale >= 2 * COARSEST:
        # A blurred map has no detail that a smaller map loses: only the changes are scaled back to full size.
        factor = int(scale / COARSEST)
        height, width = depth.shape
        small = np.asarray(
            cv2.resize(depth, (width // factor, height // factor), interpolation=cv2.INTER_AREA), np.float32
        )
        change = deblur(small, slope, scale / factor) - small
        larger = np.asarray(cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        larger += depth
        return np.clip(larger, depth.min(), depth.max(), out=larger)
    steep = _steepness(depth)
    spread = SHARE * estimate_blur(depth, slope, scale, steep)
    if spread <= 0:
        return depth
    # Flat areas are left unchanged, because deblurring would amplify their noise.
    reach = 2 * round(2 * spread) + 1
    uneven = steep > slope * UNEVEN
    del steep
    result, limits = depth.copy(), (depth.min(), depth.max())
    for part in parts_around(uneven, reach, halo=max(ROUNDS * _reach_of(spread), 2 * reach)):
        restored = _restored(depth[part.read], uneven[part.read], spread, reach, limits)
        result[part.at] = restored[part.inside]
    return result


def _restored(depth: Floats, uneven: Mask, spread: float, reach: int, limits: tuple[np.float32, np.float32]) -> Floats:
    result = depth.copy()
    for _ in range(ROUNDS):
        result += depth - cv2.GaussianBlur(result, (0, 0), spread)
    near = cv2.dilate(uneven.view(np.uint8), np.ones((reach, reach), np.uint8))
    share = cv2.blur(near.astype(np.float32), (reach, reach))
    low, high = _limits(depth, reach, limits)
    return np.asarray(np.clip(depth + share * (result - depth), low, high), np.float32)


def _reach_of(spread: float) -> int:
    """Pixels around each one that OpenCV's Gaussian blur reads, at most."""
    return round(4 * spread) + 1


def _limits(depth: Floats, side: int, limits: tuple[np.float32, np.float32]) -> tuple[Floats, Floats]:
    """Least and largest depth (H, W) that may have been there before the blur.

    Only what is narrower than ``side`` pixels had more height or depth than there is around it now. A wide surface
    would ring where the map is crisp: a bar along its edge would stand before it.
    """
    window = np.ones((side, side), np.uint8)
    low, high = (np.asarray(how(depth, window), np.float32) for how in (cv2.erode, cv2.dilate))
    ridge, groove = depth - cv2.dilate(low, window), cv2.erode(high, window) - depth
    low -= np.float32(MOST_RAISED) * groove
    high += np.float32(MOST_RAISED) * ridge
    return np.maximum(low, limits[0], out=low), np.minimum(high, limits[1], out=high)


def _steepness(depth: Floats) -> Floats:
    """(H, W) magnitude of the gradient, per pixel."""
    across, down = (cv2.Sobel(depth, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(across, down), np.float32)
