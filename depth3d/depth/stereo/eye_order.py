"""Detect swapped eyes of a stereo pair from its half-occluded regions.

Beside a foreground object, each eye sees a strip of background that the other eye does not see. If the eyes are
swapped, near and far are swapped in the disparity, so that the strips have the color of the *nearer* side of the step.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image

__all__ = ["eye_order"]


def eye_order(left: Image, disparity: NDArray[np.float32], sure: NDArray[np.bool_]) -> tuple[float, int]:
    """Return a score in [-1, 1] and the number of strips it is based on; negative means the eyes are swapped.

    Parameters
    ----------
    left : Image
        The picture of the (supposed) left eye.
    disparity : NDArray[np.float32]
        (H, W) float32 px of that picture, positive = nearer.
    sure : NDArray[np.bool_]
        (H, W) bool, where the disparities of both eyes agree; the strips are among the other pixels.
    """
    width = disparity.shape[1]
    lab = cv2.blur(cv2.cvtColor(left.eight_bit().pixels, cv2.COLOR_RGB2LAB).astype(np.float32), (3, 3))
    hidden = (~sure).astype(np.int8)
    hidden[:, :6] = hidden[:, -6:] = 0
    steps = np.diff(np.pad(hidden, ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    length = ends - starts
    # Ignore runs that touch the zeroed border, and very short ones.
    fits = (length >= 4) & (starts > 8) & (ends < width - 8)
    rows, starts, ends, length = rows[fits], starts[fits], ends[fits], length[fits]
    if not len(rows):
        return 0.0, 0
    jump = disparity[rows, ends + 1] - disparity[rows, starts - 2]
    like_step = (jump > 2) & (length > 0.5 * jump) & (length < 2 * jump)
    rows, starts, ends = rows[like_step], starts[like_step], ends[like_step]
    if not len(rows):
        return 0.0, 0
    inside = (lab[rows, starts + 1] + lab[rows, (starts + ends) // 2] + lab[rows, ends - 2]) / 3
    to_far = np.linalg.norm(inside - lab[rows, starts - 3], axis=1)
    to_near = np.linalg.norm(inside - lab[rows, ends + 2], axis=1)
    clear = np.clip(np.abs(to_near - to_far) / 10, 0, 1) * (ends - starts)
    votes = np.sign(to_near - to_far) * clear
    return float(votes.sum() / max(clear.sum(), 1e-6)), len(rows)
