"""Noise like that of a depth network, on the known depth of made clips."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def network_noise(depth: NDArray[np.float32], seed: int = 0, strength: float = 1.0) -> NDArray[np.float32]:
    """What a network for still pictures might say of each frame: (T, H, W) disparity.

    Scale and shift that wander, jump and now and then leap; a share of normalization by the frame itself; a smooth
    field that flickers; edges that are soft and wobble; a mild bend; pixel noise.
    """
    rng = np.random.default_rng(seed)
    inverse = 1 / depth
    low, high = np.percentile(inverse, [0.5, 99.5])
    truth = np.clip((inverse - low) / (high - low), -0.2, 1.5).astype(np.float32)
    height, width = depth.shape[1:]
    grid = np.stack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)), -1)
    center, spread = _middle(truth)
    constant = _smooth(rng.normal(size=(4, 6)) * 0.015 * strength, width, height)
    field, wobble, scale, shift = np.zeros((5, 8)), np.zeros((7, 12, 2)), 0.0, 0.0
    result: NDArray[np.float32] = np.empty_like(truth)
    for k, frame in enumerate(truth):
        wobble = 0.4 * wobble + 0.92 * rng.normal(size=wobble.shape) * 0.8 * strength * width / 384
        field = 0.6 * field + 0.8 * rng.normal(size=field.shape) * 0.03 * strength
        scale = 0.9 * scale + 0.44 * rng.normal() * 0.06 * strength
        shift = 0.9 * shift + 0.44 * rng.normal() * 0.04 * strength
        bent = np.sign(frame) * np.abs(frame) ** 0.93
        moved = _read(bent, grid + _smooth(wobble, width, height))
        soft = cv2.GaussianBlur(moved, (0, 0), 2.0 * width / 384) + _smooth(field, width, height) + constant
        middle, around = _middle(frame)
        own = (soft - middle) * np.sqrt(spread / around) + middle + (center - middle) / 4
        gain = np.exp(scale + 0.02 * strength * rng.normal())
        offset = shift + 0.015 * strength * rng.normal()
        if rng.random() < 0.03 * strength:
            gain, offset = gain * 1.25, offset + 0.1 * rng.choice([-1, 1])
        result[k] = 1000 * (gain * own + offset + 0.3) + rng.normal(0, 4 * strength, own.shape)
    return result


def _read(values: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bilinear, the nearest pixel outside."""
    none: Any = None
    return np.asarray(cv2.remap(values, places, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _middle(values: NDArray[np.float32]) -> tuple[float, float]:
    """Median and mean absolute deviation."""
    middle = float(np.median(values))
    return middle, float(np.abs(values - middle).mean())


def _smooth(coarse: NDArray[np.float64], width: int, height: int) -> NDArray[np.float32]:
    fine: NDArray[Any] = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    return fine.astype(np.float32)
