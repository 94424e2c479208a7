"""Moves the strokes of a hint from frame to frame.

Points are tracked by the pyramidal Lucas-Kanade method (Bouguet, "Pyramidal Implementation of the Lucas Kanade Feature
Tracker", 2000), which is more exact at single points than dense flow. Where tracking forth and back does not lead to
the same place, a point moves with the others of its stroke.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.hints import Stroke
from depth3d.image import Size

__all__ = ["move_strokes"]

_WINDOW, _LEVELS = (21, 21), 4
_MISSED = 0.7  # pixels between a point and its place after tracking it forth and back
_NEEDED = 0.2  # share of a stroke's points that must be tracked; of fewer, the stroke stays where it is
_Pixels = NDArray[np.uint8]
_Floats = NDArray[np.float32]


def move_strokes(strokes: tuple[Stroke, ...], here: _Pixels, there: _Pixels) -> tuple[Stroke, ...]:
    """Return the strokes of frame ``here`` at their places in the neighboring frame ``there``.

    What leaves the picture is dropped.

    Parameters
    ----------
    strokes : tuple[Stroke, ...]
        Strokes on ``here``.
    here, there : NDArray[np.uint8]
        (H, W, 3) uint8, in either order of time.
    """
    if not strokes:
        return ()
    size = Size(here.shape[1], here.shape[0])
    grays = [np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), np.uint8) for each in (here, there)]
    scale = np.array(size, np.float32)
    points = np.concatenate([stroke.points for stroke in strokes]) * scale - np.float32(0.5)
    shift, known = _tracked(grays[0], grays[1], points.astype(np.float32))
    moved, first = [], 0
    for stroke in strokes:
        part = slice(first, first + len(stroke.points))
        first = part.stop
        own, sure = shift[part], known[part]
        if sure.mean() < _NEEDED:
            own = np.zeros_like(own)
        else:
            own = np.where(sure[:, None], own, np.median(own[sure], axis=0))
        places = stroke.points + own / scale
        inside = ((places >= 0) & (places <= 1)).all(axis=1)
        if inside.any():
            moved.append(replace(stroke, points=places[inside]))
    return tuple(moved)


def _tracked(here: _Pixels, there: _Pixels, points: _Floats) -> tuple[_Floats, NDArray[np.bool_]]:
    """Return how far each point moves, in pixels, and where that is reliable."""
    settings = {"winSize": _WINDOW, "maxLevel": _LEVELS}
    found, status, _ = cv2.calcOpticalFlowPyrLK(here, there, points, None, **settings)  # type: ignore[call-overload]
    back, status_back, _ = cv2.calcOpticalFlowPyrLK(there, here, found, None, **settings)  # type: ignore[call-overload]
    missed = np.linalg.norm(back - points, axis=1)
    known = (status.ravel() > 0) & (status_back.ravel() > 0) & (missed < _MISSED)
    return np.asarray(found - points, np.float32), known
