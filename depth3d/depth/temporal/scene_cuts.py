"""Scene detection: hard cuts, cross-fades, fades from and to black.

A hard cut is suspected where neighboring thumbnails correlate poorly at every tested shift, and confirmed if
optical flow is valid for few pixels. (Each test alone fails: the first on a large fast object, the second on a flash
of light.) A fade is detected at its end: its frames are linear mixtures of the first and the last one, which camera
motion does not produce. The new scene then starts in the middle of the fade.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth.temporal.flow import MotionEstimator
from depth3d.depth.temporal.state import State, array_of

__all__ = ["CutDetector", "Verdict", "scene_starts"]

Thumbnail = NDArray[np.float32]

THUMBNAIL = (64, 36)
SMALL = (96, 54)
"""Size (width, height) at which flow is measured across a suspected cut."""

ALIKE = 0.75
"""Correlation of neighboring thumbnails (best over shifts) above which no cut is suspected."""
FOLLOWED = 0.2
"""Share of pixels with valid flow below which a cut is confirmed: 0 to 0.08 at cuts, 0.5 and more at fast objects."""

FADE_LENGTHS = (6, 9, 13, 18, 26, 36)
"""Lengths of the windows searched for a fade, in frames."""
FADE_DELAY = 18
"""Delay of every verdict, in frames: a fade is detected only at its end."""
UNALIKE = 0.6
"""Largest correlation of the first and last frame of a fade."""
MIXTURE = 0.33
"""Largest distance of a frame within a fade from a mixture, as a share of the distance between the two ends."""
FLAT = 2.0
"""Standard deviation (gray levels, 0..255) below which a thumbnail counts as blank."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Scene detection of one frame.

    ``starts_scene``: it is the first frame of a new scene. ``fading``: the previous scene is still partly visible.
    """

    starts_scene: bool
    fading: bool


class CutDetector:
    """Report for every frame whether a new scene starts there, at most ``delay`` frames later."""

    delay = FADE_DELAY

    def __init__(self) -> None:
        self._thumbnails: deque[Thumbnail] = deque(maxlen=FADE_LENGTHS[-1] + 1)
        self._small: NDArray[np.uint8] | None = None
        self._motion = MotionEstimator(SMALL[1], SMALL[0])
        self._pending: deque[Verdict] = deque()

    def push(self, pixels: NDArray[np.uint8]) -> list[Verdict]:
        """Add the next frame, (H, W, 3) uint8 RGB; return the verdicts that have become final, oldest first."""
        small = cast(NDArray[np.uint8], cv2.resize(pixels, SMALL, interpolation=cv2.INTER_AREA))
        gray = cv2.cvtColor(cv2.resize(pixels, THUMBNAIL, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        now = cast(Thumbnail, gray.astype(np.float32))
        cut = not self._thumbnails or self._is_cut(self._thumbnails[-1], now, small)
        if cut:
            self._thumbnails.clear()
        self._thumbnails.append(now)
        self._small = small
        self._pending.append(Verdict(cut, False))
        self._mark_fade()
        return [self._pending.popleft() for _ in range(max(0, len(self._pending) - FADE_DELAY))]

    def flush(self) -> list[Verdict]:
        """End the clip and return the remaining verdicts."""
        left = list(self._pending)
        self._pending.clear()
        return left

    def to_state(self) -> State:
        """Return plain values and arrays from which ``from_state`` restores this detector."""
        return {
            "thumbnails": list(self._thumbnails),
            "small": self._small,
            "pending": [[verdict.starts_scene, verdict.fading] for verdict in self._pending],
        }

    @classmethod
    def from_state(cls, state: State) -> CutDetector:
        """Restore a saved detector. Raises ``ValueError`` or ``KeyError`` if the state does not fit."""
        made = cls()
        shape = (THUMBNAIL[1], THUMBNAIL[0])
        made._thumbnails.extend(array_of(one, np.float32, shape) for one in state["thumbnails"])
        if state["small"] is not None:
            made._small = array_of(state["small"], np.uint8, (SMALL[1], SMALL[0], 3))
        made._pending.extend(Verdict(bool(starts), bool(fading)) for starts, fading in state["pending"])
        return made

    def _is_cut(self, before: Thumbnail, now: Thumbnail, small: NDArray[np.uint8]) -> bool:
        if self._small is None or likeness(before, now) > ALIKE:
            return False
        if min(float(before.std()), float(now.std())) < FLAT:
            return True
        return float(self._motion.between(self._small, small).backward_valid.mean()) < FOLLOWED

    def _mark_fade(self) -> None:
        """If a fade has just ended, rewrite the pending verdicts: the new scene starts in the middle of the fade."""
        frames = list(self._thumbnails)
        for length in reversed(FADE_LENGTHS):  # longest first: a short window covers only the end of a fade
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


def scene_starts(pictures: Iterable[NDArray[np.uint8]]) -> list[int]:
    """Return the numbers of the first frames of all scenes of a clip, beginning with 0.

    Parameters
    ----------
    pictures : Iterable[NDArray[np.uint8]]
        (H, W, 3) uint8, all frames in order; small ones will do.
    """
    detector = CutDetector()
    verdicts = [verdict for picture in pictures for verdict in detector.push(picture)] + detector.flush()
    return [number for number, verdict in enumerate(verdicts) if verdict.starts_scene or number == 0]


def likeness(a: Thumbnail, b: Thumbnail) -> float:
    """Return the best correlation (-1..1) of two thumbnails, unshifted or with one shifted by up to a fifth.

    The correlation with a blank thumbnail is undefined: the result is 1 if both are equally bright, else 0.
    """
    if min(float(a.std()), float(b.std())) < FLAT:
        return float(np.abs(a - b).mean() < 12)
    still = correlation(a, b)
    if still > ALIKE:
        return still
    height, width = b.shape
    top, left = height // 6, width // 5
    center = b[top : height - top, left : width - left]
    if float(center.std()) < FLAT:
        return still
    return max(still, float(cv2.matchTemplate(a, center, cv2.TM_CCOEFF_NORMED).max()))


def correlation(a: Thumbnail, b: Thumbnail) -> float:
    """Return Pearson's correlation of two images, -1..1; 0 if one is constant."""
    one, other = a - a.mean(), b - b.mean()
    return float((one * other).sum() / np.sqrt((one * one).sum() * (other * other).sum() + 1e-6))


def _fade_middle(frames: list[Thumbnail]) -> int | None:
    """Return the index of the middle of a fade that ends at the last frame; None if there is no such fade."""
    first, last = frames[0], frames[-1]
    way = last - first
    distance = float(np.square(way).sum())
    if distance < way.size * 12.0**2 or likeness(first, last) > UNALIKE:
        return None
    shares = np.array([float(((one - first) * way).sum()) / distance for one in frames])
    steps = np.diff(shares)
    steepest = float(steps.max())
    # The fade has ended (the last steps are small), no step is a hard cut, and no step is reversed.
    if steepest > 0.6 or steps.min() < -0.08 or max(steps[-2:]) > 0.4 * steepest:
        return None
    for share, frame in zip(shares, frames, strict=True):
        missed = float(np.square(frame - first - np.float32(share) * way).sum())
        if missed > MIXTURE**2 * distance:
            return None
    return int(np.argmax(shares >= 0.5))
