"""How strong the 3D may be and where the screen stands: subject, limits, window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.options import StereoOptions
from depth3d.stereopair import StereoPair, StereoRig, Viewing

__all__ = ["border_disparity", "floating_window", "rig_of", "subject_depth", "viewing_of"]


def viewing_of(options: StereoOptions, aspect: float) -> Viewing | None:
    """The screen and the seat of ``--screen`` and ``--distance``, or None if neither is given.

    Raises ``InvalidInput`` if only one is given, or arc-minutes without both.
    """
    if options.screen is None and options.distance is None:
        if options.arc_minutes is not None:
            raise InvalidInput("arc-minutes need to know where one sits: give --screen 55in and --distance 2.5m")
        return None
    if options.screen is None or options.distance is None:
        raise InvalidInput("--screen and --distance belong together, as --screen 55in --distance 2.5m")
    return Viewing.parse(options.screen, options.distance, aspect)


def rig_of(options: StereoOptions, aspect: float, depth: DepthMap | None = None) -> StereoRig:
    """The rig that the options mean for a picture of this aspect.

    Arc-minutes become percent; convergence "auto" becomes the depth of the subject (0.5 without ``depth``).
    """
    viewing = viewing_of(options, aspect)
    parallax = options.parallax
    if options.arc_minutes is not None and viewing is not None:
        parallax = viewing.percent(options.arc_minutes)
    convergence = options.convergence
    if not isinstance(convergence, int | float):
        convergence = 0.5 if depth is None else subject_depth(depth)
    return StereoRig(parallax, float(convergence), options.eyes)


def subject_depth(depth: DepthMap) -> float:
    """The depth at which the eye rests: of what stands out in front of the rest near the middle.

    The map is weighted towards its middle. If its depths fall into two clear groups (Otsu's threshold
    explains most of their spread), the subject is the median of the nearer group, else of all.
    """
    height, width = depth.values.shape
    step = max(1, min(height, width) // 200)
    values = depth.values[::step, ::step]
    y = (np.arange(values.shape[0]) + 0.5) / values.shape[0] - 0.5
    x = (np.arange(values.shape[1]) + 0.5) / values.shape[1] - 0.5
    weights = np.exp(-((x[None, :] / 0.25) ** 2 + (y[:, None] / 0.3) ** 2) / 2)
    counts, edges = np.histogram(values, bins=64, range=(0, 1), weights=weights)
    share = counts / counts.sum()
    middles = (edges[:-1] + edges[1:]) / 2
    below, mean = np.cumsum(share), np.cumsum(share * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean[-1] * below - mean) ** 2 / (below * (1 - below))
    between = np.where(np.isfinite(between), between, 0)
    spread = float(np.sum(share * (middles - mean[-1]) ** 2))
    cut = int(np.argmax(between))
    nearer = slice(cut + 1, None) if spread > 1e-4 and between[cut] > 0.65 * spread else slice(None)
    group = np.cumsum(share[nearer])
    place = int(np.searchsorted(group, group[-1] / 2))
    return float(np.clip(middles[nearer][min(place, len(group) - 1)], 0, 1))


def border_disparity(disparity: NDArray[np.float32]) -> tuple[float, float]:
    """How far things at the left and at the right edge stand in front of the screen, px, at least 0.

    The 95th percentile within the outermost 2 % of the columns; what is cut there by the frame although
    it stands in front of it breaks the illusion (a window violation).
    """
    width = disparity.shape[1]
    strip = max(1, width // 50)
    return tuple(max(0.0, float(np.percentile(part, 95))) for part in (disparity[:, :strip], disparity[:, -strip:]))  # type: ignore[return-value]


def floating_window(pair: StereoPair, disparity: NDArray[np.float32]) -> StereoPair:
    """Bring the frame forward where near things touch it: black at the left of the left eye, right of the right.

    Parameters
    ----------
    disparity : NDArray[np.float32]
        (H, W) float32 px, positive = in front of the screen.
    """
    at_left, at_right = (int(np.ceil(value)) for value in border_disparity(disparity))
    return StereoPair(_masked(pair.left, at_left, 0), _masked(pair.right, 0, at_right), pair.notes)


def _masked(eye: Image, left: int, right: int) -> Image:
    if not left and not right:
        return eye
    pixels = eye.pixels.copy()
    pixels[:, :left] = 0
    pixels[:, pixels.shape[1] - right :] = 0
    return Image(pixels, eye.alpha, eye.focal_35mm, eye.notes)
