"""Enlarge depth from the network's size to the photo's size, guided by the photo's edges.

A network's depth edges are blurred. Enlarged directly, such an edge becomes a sloped surface between foreground and
background. Here pixels on blurred edges get a low confidence, and the values of both sides are extended up to the edge
in the photo: smooth(confidence * depth) / smooth(confidence), where `smooth` is the fast global smoother guided by the
photo (Min et al., "Fast Global Image Smoothing Based on Weighted Least Squares", TIP 2014). Without the confidence, the
same filter would keep the blurred edge. Remaining intermediate values are then moved to the closer side.
`examples/measure_upsampling.py` measures the result.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput
from depth3d.image import Image, Size

__all__ = ["add_detail", "bicubic", "upsample", "upsample_frame"]

Values = NDArray[np.float32]

# Tuned on four Middlebury scenes whose true disparity was blurred as a network blurs it.
LAMBDA = 1.0  # smoothing strength, in squared network pixels
SIGMA = 10.0  # color difference at which the smoother stops, of 255
STEEPNESS = 160.0  # decay of the confidence with the slope of depth (range 1) per network pixel
BLUR_RADIUS = 2.0  # half the width of a blurred depth edge, network pixels
STEP = (0.04, 0.10)  # depth steps below the first number stay unchanged, those above the second are fully sharpened
ROUNDS = 3  # of the smoother
FRAME_ROUNDS = 2  # of the same for frames of clips: their outlines are as good, in less time
DETAIL_BLUR = 2.5  # coarse pixels, standard deviation: details are what a network's depth loses to this blur
DETAIL_WINDOW = 0.08  # of the longer side: radius of the windows in which two depths of a picture are compared
DETAIL_NOISE = 1e-4  # of the squared range: variance below which a window has no details
DETAIL_GAIN = 3.0  # largest ratio of the two depths' contrasts
DETAIL_REACH = 2.0  # coarse pixels: details stay in the range of coarse depth so near, or of the fit
SOLVER_PIXELS = 4_000_000  # for larger photos, depth is solved at this many pixels and then enlarged
FRAME_SCALE = 1.75  # network pixels: frames whose edges are moved to the outlines afterwards are solved at no fewer


def bicubic(values: Values, size: Size) -> Values:
    """Enlarge (h, w) to (H, W) float32 by cubic convolution; never below the smallest input value.

    The official MiDaS code enlarges this way. Blurred edges stay blurred; undershoot is clipped.
    """
    return np.asarray(np.maximum(_resized(values, size, cv2.INTER_CUBIC), values.min()), np.float32)


def add_detail(coarse: Values, detailed: Values) -> Values:
    """Give coarse depth the edges and details of depth that the same network predicts from a larger input.

    From a larger input, networks predict sharper edges and thinner things, but a less consistent whole (Miangoleh et
    al., "Boosting Monocular Depth Estimation Models to High-Resolution", CVPR 2021, section 4). So the coarse depth
    stays, and gets what the detailed depth loses to a blur. Its amount is that of the least-squares fit of the coarse
    depth to the blurred detailed one, window by window (as in the guided filter, He et al., TPAMI 2013): 0 where they
    disagree. No edge overshoots: the result stays between the nearest and the farthest coarse depth nearby, or as near
    or far as the fitted detailed depth.

    Returns (H, W) float32, in the unit of ``coarse``.

    Parameters
    ----------
    coarse, detailed : Values
        (h, w) and (H, W) float32 inverse depth of one picture, each of any range.
    """
    span, reach = float(np.ptp(coarse)), float(np.ptp(detailed))
    enlarged = _resized(coarse, Size(detailed.shape[1], detailed.shape[0]), cv2.INTER_CUBIC)
    if span <= 0 or reach <= 0:
        return enlarged
    whole, fine = (enlarged - coarse.min()) / np.float32(span), (detailed - detailed.min()) / np.float32(reach)
    blurred = cv2.GaussianBlur(fine, (0, 0), DETAIL_BLUR * detailed.shape[1] / coarse.shape[1])
    side = 2 * max(1, round(DETAIL_WINDOW * max(detailed.shape))) + 1

    def mean(values: Values) -> Values:
        return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    here, there = mean(whole), mean(blurred)
    common, own = mean(whole * blurred) - here * there, mean(blurred * blurred) - there * there
    amount: Values = np.clip(common / (own + np.float32(DETAIL_NOISE)), 0, DETAIL_GAIN).astype(np.float32)
    offset, amount = mean(here - amount * there), mean(amount)
    fitted = amount * fine + offset
    nearby = np.ones((2 * round(DETAIL_REACH * detailed.shape[1] / coarse.shape[1]) + 1,) * 2, np.uint8)
    lowest, highest = np.minimum(cv2.erode(whole, nearby), fitted), np.maximum(cv2.dilate(whole, nearby), fitted)
    joined = np.clip(whole + amount * (fine - blurred), lowest, highest)
    return np.asarray(joined * np.float32(span) + coarse.min(), np.float32)


def upsample(values: Values, guide: Image) -> Values:
    """Enlarge (h, w) relative inverse depth to (H, W) float32, the size of ``guide``, with edges aligned to it.

    The result has the range of ``values``. Raises ``InvalidInput`` unless ``values`` is a non-empty (h, w) array.
    """
    return _upsampled(values, guide, ROUNDS)


def upsample_frame(values: Values, guide: Image, *, coarse: bool = False) -> Values:
    """Enlarge the depth of a video frame: the fast variant of ``upsample``; values in [0, 1] stay there.

    ``coarse``: large frames are solved at half their size, a third ..., not below ``FRAME_SCALE`` times that of
    ``values``, and the rest is interpolated: for callers that move the edges to the outlines themselves.
    """
    shrink = max(1, int(guide.size.width / (FRAME_SCALE * values.shape[-1]))) if coarse and values.size else 1
    enlarged = _upsampled(values, guide, FRAME_ROUNDS, shrink)
    return np.clip(enlarged, 0, 1, out=enlarged)


def _upsampled(values: Values, guide: Image, rounds: int, shrink: int = 1) -> Values:
    if values.ndim != 2 or values.size == 0:
        raise InvalidInput(f"upsample: values have shape {values.shape}, expected (h, w) and at least one value")
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.full((guide.size.height, guide.size.width), low, np.float32)
    size = _solver_size(guide.size, shrink)
    colors = np.ascontiguousarray(guide.resized(size).eight_bit().pixels)
    unit = (values - low) / np.float32(high - low)
    solved = _sharpened(_solve(unit, colors, rounds), max(1.0, size.width / unit.shape[1]))
    if size != guide.size:
        solved = _resized(solved, guide.size, cv2.INTER_LINEAR)
    # In place: of a large photo each copy takes half a gigabyte.
    np.clip(solved, 0, 1, out=solved)
    solved *= np.float32(high - low)
    solved += np.float32(low)
    return solved


def _confidence(unit: Values) -> Values:
    """Return the (h, w) confidence in (0, 1]: low where depth is steep, that is on blurred depth edges."""
    across = cv2.Sobel(unit, cv2.CV_32F, 1, 0, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    down = cv2.Sobel(unit, cv2.CV_32F, 0, 1, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)
    slope = np.hypot(across, down)
    return np.asarray(np.exp(-STEEPNESS * slope) + 1e-4, np.float32)


def _solve(unit: Values, colors: NDArray[np.uint8], rounds: int) -> Values:
    """Enlarge to the size of ``colors``; blurred edges are replaced by the values of confident pixels beside them."""
    size = Size(colors.shape[1], colors.shape[0])
    ratio = max(1.0, size.width / unit.shape[1])
    confidence = _confidence(unit)
    depth = _resized(unit, size, cv2.INTER_CUBIC)
    trust = _resized(confidence, size, cv2.INTER_LINEAR)
    smoother = cv2.ximgproc.createFastGlobalSmootherFilter(colors, LAMBDA * ratio**2, SIGMA, num_iter=rounds)
    solved = np.asarray(smoother.filter(depth * trust), np.float32)
    solved /= np.maximum(np.asarray(smoother.filter(trust), np.float32), np.float32(1e-9))
    # Away from depth edges keep the network's own value: the smoother would only remove fine relief there.
    reach = 2 * int(np.ceil(BLUR_RADIUS)) + 1
    safe = np.asarray(cv2.erode(confidence, np.ones((reach, reach), np.uint8)), np.float32)
    keep = _resized(safe, size, cv2.INTER_LINEAR)
    depth -= solved
    depth *= keep
    solved += depth
    return solved


def _sharpened(depth: Values, ratio: float) -> Values:
    """Move each pixel toward the closer of the smallest and the largest value in its neighborhood."""
    width = 2 * round(BLUR_RADIUS * ratio) + 1
    window = np.ones((width, width), np.uint8)
    lowest = np.asarray(cv2.erode(depth, window), np.float32)
    steps = np.asarray(cv2.dilate(depth, window), np.float32) - lowest
    result = depth.copy()
    where = np.flatnonzero(steps > STEP[0])  # elsewhere nothing changes
    value, low, step = (plane.ravel()[where] for plane in (depth, lowest, steps))
    place = np.clip((value - low) / step, 0, 1)
    # Cubes move intermediate values to the closer side; `**` takes ten times as long as products.
    near, far = (share * share * share for share in (place, 1 - place))
    sharp = low + step * near / (near + far)
    strength = np.clip((step - STEP[0]) / (STEP[1] - STEP[0]), 0, 1)
    result.ravel()[where] = value + strength * (sharp - value)
    return result


def _resized(values: Values, size: Size, how: int) -> Values:
    return np.asarray(cv2.resize(values, tuple(size), interpolation=how), np.float32)


def _solver_size(size: Size, shrink: int) -> Size:
    scale = min(1.0 / shrink, (SOLVER_PIXELS / size.pixels) ** 0.5)
    return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))
