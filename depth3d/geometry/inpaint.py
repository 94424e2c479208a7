"""Fills what nobody photographed: the background behind the foreground, and the strip beyond the border."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["pull_push"]


def pull_push(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fill unknown pixels from coarser and coarser averages of the known ones.

    Parameters
    ----------
    values: (H, W, C) float32. known: (H, W); at least one pixel.
    """
    weight = known.astype(np.float32)
    levels = [(values * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 1 and (levels[-1][1] <= 0).any():
        colour, mass = levels[-1]
        size = ((mass.shape[1] + 1) // 2, (mass.shape[0] + 1) // 2)
        levels.append(
            (np.atleast_3d(cv2.resize(colour, size, interpolation=cv2.INTER_AREA)),
             cv2.resize(mass, size, interpolation=cv2.INTER_AREA))
        )  # fmt: skip
    colour, mass = levels[-1]
    filled = colour / np.maximum(mass, 1e-6)[..., None]
    for colour, mass in reversed(levels[:-1]):
        larger = np.atleast_3d(cv2.resize(filled, mass.shape[::-1], interpolation=cv2.INTER_LINEAR))
        own = np.minimum(mass, 1)[..., None]
        filled = colour / np.maximum(mass, 1e-6)[..., None] * own + larger * (1 - own)
    return np.where(known[..., None], values, filled).astype(np.float32)
