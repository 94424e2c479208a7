"""Depth from a stereo pair: align, match in both directions, keep consistent pixels, fill and smooth.

The result is dense and sub-pixel, smooth inside surfaces and sharp at their edges. The disparity range is found
automatically; regions visible to one eye only are filled from the background.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.stereo.alignment import match_tone, measure_alignment
from depth3d.depth.stereo.consistency import agreement, refined, smooth_inside
from depth3d.depth.stereo.matchers import FlowMatcher, Matcher, find_matcher, mirrored, register_matcher
from depth3d.depth.stereo.repetition import repetition_period, without_period_jumps
from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image

__all__ = ["FlowMatcher", "Matcher", "StereoMatch", "match_stereo", "register_matcher", "stereo_disparity"]

# Longer side in pixels at which pictures are matched; the photo itself sharpens the edges when the map is enlarged.
_LONG_SIDE = 1280


@dataclass(frozen=True, slots=True, eq=False)
class StereoMatch:
    """Disparity of a stereo pair and where it was measured.

    Parameters
    ----------
    disparity : Disparity
        Pixels of the left picture, positive = nearer: the left point (x, y) corresponds to the right point (x - d, y)
        after the rows of the right picture are aligned.
    sure : NDArray[np.bool_]
        (H, W) bool, where both eyes agree; other pixels are filled.
    """

    disparity: Disparity
    sure: NDArray[np.bool_]


def match_stereo(left: Image, right: Image, matcher: str | Matcher = "sgm", *, align: bool = True) -> DepthMap:
    """Compute the depth map of the left picture from a stereo pair.

    Raises ``InvalidInput`` for pictures of different sizes or an unknown matcher.

    Parameters
    ----------
    left, right : Image
        The two eyes, of the same size.
    matcher : str | Matcher
        "sgm", "dis", a registered name ("pwcnet:/path"), or any object with ``disparity(left, right)``.
    align : bool
        Correct vertical misalignment and different tones of the pair first; False for pairs that are aligned exactly.
    """
    found = stereo_disparity(left, right, matcher, align=align)
    # The range is that of consistent pixels without outliers: a few wrong or filled pixels must not stretch it.
    values = found.disparity.values
    low, high = np.percentile(values[found.sure] if found.sure.mean() > 0.02 else values, (0.2, 99.8))
    return DepthMap.from_disparity(found.disparity, float(low), float(high))


def stereo_disparity(left: Image, right: Image, matcher: str | Matcher = "sgm", *, align: bool = True) -> StereoMatch:
    """Compute the disparity of the left picture in pixels, and the mask of consistent pixels; see ``match_stereo``."""
    if left.size != right.size:
        raise InvalidInput(f"match_stereo: left is {left.size}, right is {right.size}; expected the same size")
    if min(left.size) < 16:
        raise InvalidInput(f"match_stereo: pictures of {left.size} are too small to match, expected at least 16x16")
    engine = find_matcher(matcher) if isinstance(matcher, str) else matcher
    if not callable(getattr(engine, "disparity", None)):
        raise InvalidInput(f"match_stereo: matcher is {type(matcher).__name__}, expected a name or a Matcher")
    left, right = left.eight_bit(), right.eight_bit()
    if align:
        right = match_tone(left, measure_alignment(left, right).apply(right))
    small = left.size.fit(_LONG_SIDE)
    a, b = left.resized(small).pixels, right.resized(small).pixels
    forth, back = engine.disparity(a, b), engine.disparity(mirrored(b), mirrored(a))
    period = repetition_period(a)
    moved = without_period_jumps(forth, period)
    moved_back = without_period_jumps(back, repetition_period(mirrored(b)))
    # The eyes may settle on solutions that are periods apart; then their first solutions say whether they agree.
    sure = agreement(moved, mirrored(moved_back)) | (agreement(forth, mirrored(back)) & np.isfinite(moved))
    disparity, sure = refined(moved, sure, a, period > 0)
    if small != left.size:
        disparity, sure = _enlarged(disparity, sure, left)
    return StereoMatch(Disparity(disparity), sure)


def _enlarged(
    disparity: NDArray[np.float32], sure: NDArray[np.bool_], left: Image
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Enlarge to the size of ``left``, with disparity steps aligned to its color edges."""
    size = tuple(left.size)
    factor = left.size.width / disparity.shape[1]
    kernel = np.ones((3, 3), np.uint8)
    step = cv2.dilate(disparity, kernel) - cv2.erode(disparity, kernel)
    confidence = np.where(step > 1, 0.02, 1.0).astype(np.float32)
    large = np.asarray(cv2.resize(disparity, size, interpolation=cv2.INTER_NEAREST), np.float32) * np.float32(factor)
    weight = np.asarray(cv2.resize(confidence, size, interpolation=cv2.INTER_NEAREST), np.float32)
    dense = smooth_inside(large, weight, left.pixels, strength=10.0 * factor, similarity=8.0)
    return dense, cv2.resize(sure.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
