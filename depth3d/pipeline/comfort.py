"""Computes parallax and convergence from the options, and detects and masks stereo window violations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.geometry.camera.focus import salient_depth
from depth3d.image import Image
from depth3d.options import StereoOptions
from depth3d.stereopair import CROSSED_LIMIT, TOTAL_LIMIT, StereoPair, StereoRig, Viewing

__all__ = [
    "Bars",
    "ComfortReading",
    "auto_convergence",
    "black_bars",
    "border_depth",
    "border_disparity",
    "comfort_reading",
    "floating_window",
    "rig_of",
    "viewing_of",
    "window_for",
    "window_violation",
    "window_warning",
    "with_window",
]

_LEAST_WINDOW = 0.2  # percent of the width; floating windows leave a smaller violation alone
_TOLD_WINDOW = 0.3  # percent of the width; smaller ones are not worth a warning

_LEAST_SURE = 0.1  # share of the pixels beside an edge: with fewer, all count
_DARK = 4.0  # mean gray level of a column of a black bar, at most; compression leaves some noise


@dataclass(frozen=True, slots=True)
class ComfortReading:
    """How a stereo setting feels: shares of the comfort limits, angles, window violations.

    Parameters
    ----------
    budget : float
        The larger of parallax and crossed disparity as a share of its limit; above 1 is uncomfortable for many.
    crossed, uncrossed : float
        Disparity of the nearest point before and of the farthest behind the screen, percent of the width.
    arc_minutes : float
        The whole parallax as a visual angle on the given screen.
    window : tuple[float, float]
        How far what touches the left and the right edge stands before the screen, percent of the width.
    warnings : tuple[str, ...]
        One sentence for each exceeded limit.
    """

    budget: float
    crossed: float
    uncrossed: float
    arc_minutes: float
    window: tuple[float, float]
    warnings: tuple[str, ...]


def viewing_of(options: StereoOptions, aspect: float) -> Viewing | None:
    """Return the screen size and viewing distance (options ``screen`` and ``distance``), or None if not given."""
    if options.screen is None or options.distance is None:
        return None
    return Viewing.parse(options.screen, options.distance, aspect)


def rig_of(options: StereoOptions, aspect: float, depth: DepthMap | None = None) -> StereoRig:
    """Return the parallax and convergence given by the options for a picture of this aspect (width / height).

    Arc-minutes are converted to percent; convergence "auto" becomes the depth of the subject (0.5 without ``depth``).
    """
    viewing = viewing_of(options, aspect)
    parallax = options.parallax
    if options.arc_minutes is not None and viewing is not None:
        parallax = viewing.percent(options.arc_minutes)
    convergence = options.convergence
    if not isinstance(convergence, int | float):
        convergence = 0.5 if depth is None else auto_convergence([depth], parallax)
    return StereoRig(parallax, float(convergence), options.eyes)


def auto_convergence(depths: Sequence[DepthMap], parallax: float) -> float:
    """Depth in [0, 1] with zero disparity for ``convergence="auto"``: that of the subject.

    It is moved nearer if the nearest 5 % would otherwise be in front of the screen by more than the crossed limit (1 %
    of the width). The same rule is used for a photo and for the sampled frames of a shot.

    Parameters
    ----------
    depths : Sequence[DepthMap]
        A photo's depth, or some frames of one shot; at least one.
    parallax : float
        Difference between the disparities of the nearest and the farthest point, percent of the width.
    """
    subject = salient_depth(*depths)
    if parallax <= 0:
        return subject
    near = float(np.percentile(np.concatenate([depth.values.ravel() for depth in depths]), 95))
    return float(np.clip(max(subject, near - CROSSED_LIMIT / parallax), 0, 1))


def border_disparity(
    disparity: NDArray[np.float32], bars: Bars | None = None, sure: NDArray[np.bool_] | None = None
) -> tuple[float, float]:
    """Disparity in front of the window at the left and at the right edge, pixels, at least 0.

    The 95th percentile within the outermost 2 % of the columns. Objects in front of the window that are cut off by the
    picture's edge are window violations. The window is the screen, or where the black bars of a floating window put it.

    Parameters
    ----------
    disparity : NDArray[np.float32]
        (H, W) float32 px, positive = in front of the screen.
    bars : Bars | None
        The floating window.
    sure : NDArray[np.bool_] | None
        (H, W), pixels that were matched reliably; None = all. What the frame cuts off is not seen by both eyes at the
        edge itself, where matches are guesses: they count no further in front than what is sure beside them.
    """
    bars = bars or Bars()
    before = (bars.left[0] - bars.left[1], bars.right[1] - bars.right[0])  # px of the window before the screen
    left = _at_left(disparity, bars.left[0], sure) - before[0]
    right = _at_left(disparity[:, ::-1], bars.right[0], None if sure is None else sure[:, ::-1]) - before[1]
    return max(0.0, left), max(0.0, right)


def _at_left(disparity: NDArray[np.float32], bar: int, sure: NDArray[np.bool_] | None) -> float:
    width = disparity.shape[1]
    level = float(np.percentile(disparity[:, bar : bar + max(1, width // 50)], 95))
    if sure is not None:
        # The other eye sees what is so far in front only from here on.
        beside = slice(bar, bar + max(1, width // 10) + round(max(0.0, level)))
        known = disparity[:, beside][sure[:, beside]]
        if known.size > _LEAST_SURE * sure[:, beside].size:
            level = min(level, float(np.percentile(known, 95)))
    return level


class Bars(NamedTuple):
    """Widths of the black bars at the left edges and at the right edges of (left eye, right eye), px."""

    left: tuple[int, int] = (0, 0)
    right: tuple[int, int] = (0, 0)


def black_bars(pair: StereoPair) -> Bars:
    """Measure the black bars at the vertical edges of both eyes; bars wider than a tenth of the picture are none."""
    found = []
    for eye in (pair.left, pair.right):
        dark = eye.eight_bit().pixels.mean(axis=(0, 2)) < _DARK
        ends = [int(np.argmin(side)) if not side.all() else 0 for side in (dark, dark[::-1])]
        found.append([end if end <= pair.size.width // 10 else 0 for end in ends])
    (left, right), (other_left, other_right) = found
    return Bars((left, other_left), (right, other_right))


def border_depth(depth: DepthMap) -> tuple[float, float]:
    """Depth in [0, 1] of what touches the left and the right edge, measured as ``border_disparity`` does."""
    return border_disparity(depth.values)


def comfort_reading(rig: StereoRig, borders: tuple[float, float], viewing: Viewing) -> ComfortReading:
    """Return how comfortable a stereo setting is for a picture.

    Parameters
    ----------
    rig : StereoRig
        Parallax and convergence.
    borders : tuple[float, float]
        ``border_depth`` of the picture.
    viewing : Viewing
        Size and distance of the screen.
    """
    return ComfortReading(
        max(rig.parallax / TOTAL_LIMIT, rig.crossed / CROSSED_LIMIT),
        rig.crossed,
        rig.uncrossed,
        viewing.arc_minutes(rig.parallax),
        window_violation(borders, rig.parallax, rig.convergence),
        rig.warnings(viewing),
    )


def window_violation(borders: tuple[float, float], parallax: float, convergence: float) -> tuple[float, float]:
    """Return how far what touches the left and the right edge stands before the screen, percent of the width.

    Parameters
    ----------
    borders : tuple[float, float]
        ``border_depth`` of the picture.
    parallax : float
        Difference between the disparities of the nearest and the farthest point, percent of the width.
    convergence : float
        Depth at the screen plane.
    """
    left, right = (max(0.0, (depth - convergence) * parallax) for depth in borders)
    return left, right


def window_warning(worst: float) -> str | None:
    """Return what the user is told about a window violation of new 3D; None if it is too small.

    Parameters
    ----------
    worst : float
        How far objects that the frame cuts off stand before the screen, percent of the width.
    """
    if worst <= _TOLD_WINDOW:
        return None
    told = f"window violation: objects at the edge are {worst:.1f} % in front of the screen"
    return f"{told}; `floating_window=True` avoids it"


def floating_window(pair: StereoPair, disparity: NDArray[np.float32]) -> StereoPair:
    """Mask window violations (floating window): black bars at the left of the left eye and the right of the right eye.

    Violations of 0.2 % of the width and less are left alone.

    Parameters
    ----------
    disparity : NDArray[np.float32]
        (H, W) float32 px, positive = in front of the screen.
    """
    at_left, at_right = border_disparity(disparity)
    percent = 100 / pair.size.width
    return with_window(pair, window_for((at_left * percent, at_right * percent)))


def window_for(violation: tuple[float, float]) -> tuple[float, float]:
    """Return the bars that a floating window needs at the left and the right, percent of the width.

    Parameters
    ----------
    violation : tuple[float, float]
        How far what touches the two edges stands before the screen, percent of the width; little is left alone.
    """
    left, right = (value if value > _LEAST_WINDOW else 0.0 for value in violation)
    return left, right


def with_window(pair: StereoPair, window: tuple[float, float]) -> StereoPair:
    """Return the pair with a black bar at the left of the left eye and one at the right of the right eye.

    Parameters
    ----------
    window : tuple[float, float]
        Widths of both, percent of the width; rounded up to whole pixels.
    """
    at_left, at_right = (math.ceil(share / 100 * pair.size.width - 1e-6) for share in window)
    return StereoPair(_barred(pair.left, at_left, 0), _barred(pair.right, 0, at_right), pair.notes)


def _barred(eye: Image, left: int, right: int) -> Image:
    if not left and not right:
        return eye
    pixels = eye.pixels.copy()
    pixels[:, :left] = 0
    pixels[:, pixels.shape[1] - right :] = 0
    return replace(eye, pixels=pixels)
