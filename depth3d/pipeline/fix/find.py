"""Find the correction of a stereo photo, or of one shot of a clip from some of its frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.stereo.alignment import Alignment, Tone, measure_alignment, measure_tone
from depth3d.depthmap import DepthMap
from depth3d.image import Image
from depth3d.options import FixOptions
from depth3d.pipeline.comfort import auto_convergence, border_disparity, window_for
from depth3d.pipeline.eyes import SWAPPED, order_score
from depth3d.pipeline.fix.correction import Correction, View
from depth3d.stereopair import CROSSED_LIMIT, TOTAL_LIMIT, StereoPair

__all__ = ["find_correction", "mean_order"]

_WIDTH = 640  # px; disparities are measured at this width
_ROUNDS = 4
_ALIGNED = 0.08  # px; the largest vertical disparity that is left alone
_WHOLE = 0.7  # percent of the width; a scene that lies beyond it as a whole is moved
_TOLERANCE = 0.02  # percent of the width; room for rounding below a limit
_MOST_CROSSED = CROSSED_LIMIT - _TOLERANCE


def mean_order(pairs: Sequence[StereoPair]) -> float:
    """Return the median score of the order of the eyes; below ``SWAPPED`` they are swapped."""
    return float(np.median([order_score(pair) for pair in pairs]))


def find_correction(pairs: Sequence[StereoPair], options: FixOptions, *, swap: bool | None = None) -> Correction:
    """Measure what is wrong with a stereo photo or a shot and return its correction.

    Parameters
    ----------
    pairs : Sequence[StereoPair]
        The photo, or some frames of one shot; at least one, all of one size.
    options : FixOptions
        What may be corrected.
    swap : bool | None
        Whether the eyes are swapped; None = as ``options.order`` says, "auto" by the content.
    """
    size = pairs[0].size
    if swap is None:
        swap = options.order == "swap" or (options.order == "auto" and mean_order(pairs) < SWAPPED)
    found = Correction(swap=swap, width=size.width)
    if options.align:
        found = replace(found, alignment=_alignment(pairs, found))
    if options.color:
        found = replace(found, tone=_tone([found.apply(pair) for pair in pairs]))
    return _placed([found.apply(pair) for pair in pairs], found, options)


def _alignment(pairs: Sequence[StereoPair], correction: Correction) -> Alignment | None:
    """Measure, correct and measure the rest again, until nothing is left."""
    total: Alignment | None = None
    everything = View(0, 0, *pairs[0].size, pairs[0].size)
    for _ in range(_ROUNDS):
        seen = [replace(correction, alignment=total).apply(pair, everything) for pair in pairs]
        rest = [measure_alignment(pair.left, pair.right) for pair in seen]
        vertical, roll, scale, worst = np.median([(r.vertical, r.roll, r.scale, r.worst) for r in rest], axis=0)
        if worst < _ALIGNED:
            break
        if total is None:
            total = Alignment(0.0, 0.0, 0.0, 1.0, 0.0, max(r.matches for r in rest))
        total = replace(
            total,
            vertical=total.vertical + float(vertical) * total.scale,
            roll=total.roll + float(roll),
            scale=total.scale * float(scale),
            worst=max(total.worst, float(worst)),
        )
    return total


def _tone(pairs: Sequence[StereoPair]) -> Tone | None:
    left, right = (Image(np.vstack([getattr(pair, side).pixels for pair in pairs])) for side in ("left", "right"))
    return measure_tone(left, right)


def _placed(pairs: Sequence[StereoPair], found: Correction, options: FixOptions) -> Correction:
    """Return the correction with the place of the scene relative to the screen, its depth and its window."""
    disparities = [_disparity(pair) for pair in pairs]
    ends = np.array([np.percentile(whole[sure], (1, 99)) for whole, sure in disparities])
    far, near = float(ends[:, 0].min()), float(ends[:, 1].max())
    total, lowered = near - far, near - far
    shift = _shift(disparities, near, far, options)
    # Both eyes lose what only one of them has: in percent of what is left, disparities are larger.
    if options.comfort and total > (TOTAL_LIMIT + _TOLERANCE) * (1 - abs(shift) / 100):
        lowered = TOTAL_LIMIT - _TOLERANCE
        convergence = max(1 - _MOST_CROSSED / lowered, min(1.0, max(0.0, -far / total)))
        if not isinstance(options.convergence, str):
            convergence = float(options.convergence)
        found = replace(found, parallax=(lowered, convergence))
        at_screen, share = far + total * convergence, lowered / total
    else:
        found = replace(found, shift=shift)
        at_screen, share = shift, 1.0
    if not options.floating_window:
        return found
    scale = disparities[0][0].shape[1] / 100  # pixels of a percent
    borders = np.array(
        [
            border_disparity((whole - np.float32(at_screen)) * np.float32(share * scale), sure=sure)
            for whole, sure in disparities
        ]
    )
    borders /= scale
    at_left, at_right = (float(value) for value in borders.max(axis=0))
    return replace(found, window=window_for((at_left, at_right)))


def _shift(
    disparities: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_]]], near: float, far: float, options: FixOptions
) -> float:
    """Return how far the scene has to move back, percent of the width."""
    total = near - far
    if options.convergence == "keep":
        return 0.0
    if not isinstance(options.convergence, str):
        return far + total * float(options.convergence)
    least = near - _MOST_CROSSED
    least /= 1 - math.copysign(_MOST_CROSSED / 100, least)  # so that it is this much of the width that is left
    if far > _WHOLE or near < -_WHOLE:
        depths = [
            DepthMap(np.clip((whole - far) / max(total, 1e-6), 0, 1).astype(np.float32)) for whole, _ in disparities
        ]
        return max(far + total * auto_convergence(depths, total), least)
    return least if near > CROSSED_LIMIT else 0.0


def _disparity(pair: StereoPair) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the disparities of an aligned pair, percent of the width, and which pixels were matched reliably."""
    from depth3d.depth.stereo.match import stereo_disparity

    small = pair.size.fit(_WIDTH)
    found = stereo_disparity(pair.left.resized(small), pair.right.resized(small), align=False)
    percent = found.disparity.values * np.float32(100 / small.width)
    return percent, found.sure if found.sure.mean() > 0.02 else np.ones_like(found.sure)
