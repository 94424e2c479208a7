"""Chooses the frames of a clip whose depth is predicted: the others get theirs along the flow between them.

Frames are taken in blocks, so that a conversion that continues after a stop, or runs in parts, chooses the same ones.
With "auto" the first frame of every block is predicted. Of the others, those are where too much of the picture has come
into view, or everything has moved too far, since the last predicted frame: a cut, a fast pan, people who walk by.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.temporal.flow import MotionEstimator
from depth3d.image import Image

__all__ = ["frames_to_predict"]

SIZE = (96, 54)  # width and height at which motion is measured
# Limits of what has happened since the last predicted frame.
MOST_NEW = 0.08  # share of the picture without valid flow
MOST_MOTION = 3.0  # pixels of SIZE, mean over the picture


def frames_to_predict(block: Sequence[Image], first: int, every: int | Literal["auto"]) -> list[bool]:
    """Return for each of a few consecutive frames whether its depth has to be predicted.

    Parameters
    ----------
    block : Sequence[Image]
        Consecutive frames of one size.
    first : int
        Number of the first of them in the clip.
    every : int | Literal["auto"]
        Every so many frames; "auto" = by motion.
    """
    if every != "auto":
        return [(first + number) % every == 0 for number in range(len(block))]
    chosen, new, moved = [True], 0.0, 0.0
    motion = MotionEstimator(SIZE[1], SIZE[0])
    small = [_shrunk(frame) for frame in block]
    for earlier, later in pairwise(small):
        between = motion.between(earlier, later)
        new += 1 - float(between.backward_valid.mean())
        moved += float(np.linalg.norm(between.backward, axis=-1).mean())
        chosen.append(new > MOST_NEW or moved > MOST_MOTION)
        if chosen[-1]:
            new = moved = 0.0
    return chosen


def _shrunk(frame: Image) -> NDArray[np.uint8]:
    return cast(NDArray[np.uint8], cv2.resize(frame.eight_bit().pixels, SIZE, interpolation=cv2.INTER_AREA))
