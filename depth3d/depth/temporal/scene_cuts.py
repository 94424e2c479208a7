"""Where a new scene starts: hard cuts, cross-fades, fades from and to black.

A hard cut is suspected where two neighbouring thumbnails look unlike, shifted or not, and is one if hardly any pixel
can be followed from the one frame to the other. (Either test alone fails: the first on something large that rushes
through the picture, the second on a flash of light.) A fade is found when it has ended: the frames on the way are
mixtures of the first and the last one, which no camera movement gives. The new scene then starts in its middle.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.temporal.flow import MotionEstimator

__all__ = ["CutDetector", "Verdict"]

Thumbnail = NDArray[np.float32]

THUMBNAIL = (64, 36)
SMALL = (96, 54)
"""Where pixels are followed across a suspected cut."""

ALIKE = 0.75
"""Correlation of neighbouring thumbnails (best over shifts) from which no cut is suspected."""
FOLLOWED = 0.2
"""Share of followed pixels below which a suspected cut is one: cuts have 0 to 0.08, fast objects 0.5 and more."""

FADE_LENGTHS = (6, 9, 13, 18, 26, 36)
"""Lengths of the windows in which a fade is looked for, in frames."""
FADE_DELAY = 18
"""Verdicts wait this many frames, because a fade is known only at its end."""
UNALIKE = 0.6
"""Correlation of the first and last frame of a fade, at most."""
MIXTURE = 0.33
"""Largest distance of a frame on the way from a mixture, in units of the distance of the two ends."""
FLAT = 2.0
"""Standard deviation (grey levels) below which a picture shows nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``starts_scene``: this frame is the first of a new scene. ``fading``: the scene before still shines through."""

    starts_scene: bool
    fading: bool


class CutDetector:
    """Says of every frame whether a new scene starts there, at most ``delay`` frames later."""

    delay = FADE_DELAY

    def __init__(self) -> None:
        self._thumbnails: deque[Thumbnail] = deque(maxlen=FADE_LENGTHS[-1] + 1)
        self._small: NDArray[np.uint8] | None = None
        self._motion = MotionEstimator(SMALL[1], SMALL[0])
        self._pending: deque[Verdict] = deque()
        self._since_cut = 0

    def push(self, pixels: NDArray[np.uint8]) -> list[Verdict]:
        """The next frame, (H, W, 3) uint8; returns the verdicts that are settled now, oldest first."""
        small = cast(NDArray[np.uint8], cv2.resize(pixels, SMALL, interpolation=cv2.INTER_AREA))
        grey = cv2.cvtColor(cv2.resize(pixels, THUMBNAIL, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        now = cast(Thumbnail, grey.astype(np.float32))
        cut = not self._thumbnails or self._is_cut(self._thumbnails[-1], now, small)
        if cut:
            self._thumbnails.clear()
            self._since_cut = 0
        self._thumbnails.append(now)
        self._small = small
        self._since_cut += 1
        self._pending.append(Verdict(cut, False))
        self._mark_fade()
        return [self._pending.popleft() for _ in range(max(0, len(self._pending) - FADE_DELAY))]

    def flush(self) -> list[Verdict]:
        """The clip has ended: the verdicts that are left."""
        left = list(self._pending)
        self._pending.clear()
        return left

    def _is_cut(self, before: Thumbnail, now: Thumbnail, small: NDArray[np.uint8]) -> bool:
        if self._small is None or likeness(before, now) > ALIKE:
            return False
        if min(float(before.std()), float(now.std())) < FLAT:
            return True
        return float(self._motion.between(self._small, small).backward_valid.mean()) < FOLLOWED

    def _mark_fade(self) -> None:
        """If a fade has just ended, rewrite the pending verdicts: the new scene starts in its middle."""
        frames = list(self._thumbnails)
        for length in reversed(FADE_LENGTHS):  # the longest first: a short window sees only the fade's end
            if length >= len(frames):
                continue
            middle = _fade_middle(frames[-length - 1 :])
            if middle is None:
                continue
            back = length - middle  # frames between the middle and now
            if back >= len(self._pending):
                continue
            first = len(self._pending) - 1 - back
            self._pending[first] = Verdict(True, True)
            for index in range(first + 1, len(self._pending)):
                self._pending[index] = Verdict(False, True)
            last = self._thumbnails[-1]
            self._thumbnails.clear()  # one fade is reported once
            self._thumbnails.append(last)
            return


def likeness(a: Thumbnail, b: Thumbnail) -> float:
    """The best correlation (-1..1) of two thumbnails, as they lie or with one shifted by up to a fifth.

    Of a flat picture nothing can be correlated: it is like (1) a picture that is flat and as bright, else unlike (0).
    """
    if min(float(a.std()), float(b.std())) < FLAT:
        return float(np.abs(a - b).mean() < 12)
    still = correlation(a, b)
    if still > ALIKE:
        return still
    height, width = b.shape
    top, left = height // 6, width // 5
    centre = b[top : height - top, left : width - left]
    if float(centre.std()) < FLAT:
        return still
    return max(still, float(cv2.matchTemplate(a, centre, cv2.TM_CCOEFF_NORMED).max()))


def correlation(a: Thumbnail, b: Thumbnail) -> float:
    """Pearson's correlation of two pictures; 0 where one is flat."""
    one, other = a - a.mean(), b - b.mean()
    return float((one * other).sum() / np.sqrt((one * one).sum() * (other * other).sum() + 1e-6))


def _fade_middle(frames: list[Thumbnail]) -> int | None:
    """Which of ``frames`` is the middle of a fade that ends with the last one; None if there is no such fade."""
    first, last = frames[0], frames[-1]
    way = last - first
    distance = float(np.square(way).sum())
    if distance < way.size * 12.0**2 or likeness(first, last) > UNALIKE:
        return None
    shares = np.array([float(((one - first) * way).sum()) / distance for one in frames])
    steps = np.diff(shares)
    steepest = float(steps.max())
    # The end is reached (the last steps are small), no step is a hard cut, and none goes back.
    if steepest > 0.6 or steps.min() < -0.08 or max(steps[-2:]) > 0.4 * steepest:
        return None
    for share, frame in zip(shares, frames, strict=True):
        missed = float(np.square(frame - first - np.float32(share) * way).sum())
        if missed > MIXTURE**2 * distance:
            return None
    return int(np.argmax(shares >= 0.5))
