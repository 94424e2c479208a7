"""Where each pixel of a frame was in the frame before: dense flow, and where it can be trusted.

Flow of a pair is measured both ways. A pixel's flow is trusted when going there and back returns to the
pixel (the forward-backward test of Lai et al., "Learning Blind Video Temporal Consistency", 2018), when it
stays inside the picture, and when the two pixels look alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput

__all__ = ["FlowFunction", "Motion", "MotionEstimator", "pixel_grid", "warp"]

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]
FlowFunction = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]
"""``flow(a, b)`` of two (H, W, 3) uint8 pictures: (H, W, 2) float32, x and y; a[p] looks like b[p + flow[p]]."""

GREY_TOLERANCE = 20.0
"""Grey levels (0..255, after a 3x3 mean) by which a pixel and its partner may differ."""

SMALLEST_SIDE = 24
"""Below this many pixels there is no room for the pyramids of a flow method: motion counts as none."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Flow between two neighbouring frames, both ways.

    ``backward`` (H, W, 2) float32 leads from the later frame's pixels to the earlier frame, ``forward`` from the
    earlier's to the later; ``backward_valid`` and ``forward_valid`` (H, W) say where that can be trusted.
    """

    backward: Floats
    forward: Floats
    backward_valid: Mask
    forward_valid: Mask


def pixel_grid(height: int, width: int) -> Floats:
    """(H, W, 2) float32: the x and y of every pixel."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack([x, y], axis=-1)


def warp(values: NDArray[Any], places: Floats, *, sharp: bool = False) -> Floats:
    """``values`` (H, W) or (H, W, C) read at ``places`` (H, W, 2; x and y in pixels).

    Bilinear; with ``sharp`` the mean of bilinear and bicubic, for what is warped again and again: the one alone
    blurs a little each time, the other rings. Outside of the picture the nearest pixel answers.
    """
    result = _read(values, places, cv2.INTER_LINEAR)
    return (result + _read(values, places, cv2.INTER_CUBIC)) * np.float32(0.5) if sharp else result


def _read(values: NDArray[Any], places: Floats, how: int) -> Floats:
    result = cv2.remap(values, places, None, how, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return cast(Floats, result)


class MotionEstimator:
    """Measures the motion between neighbouring frames of one size.

    Parameters
    ----------
    height, width : int
        The size of the frames in pixels.
    flow : FlowFunction | None
        A function of two colour pictures to use instead of OpenCV's DIS (Kroeger et al., "Fast Optical Flow using
        Dense Inverse Search", 2016).
    """

    def __init__(self, height: int, width: int, flow: FlowFunction | None = None) -> None:
        self._grid = pixel_grid(height, width)
        self._flow = flow
        self._tiny = min(height, width) < SMALLEST_SIDE
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def __getstate__(self) -> dict[str, Any]:
        # OpenCV's object cannot be pickled and remembers nothing: a resumed job makes a new one.
        return {name: value for name, value in self.__dict__.items() if name != "_dis"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(self, earlier: NDArray[np.uint8], later: NDArray[np.uint8]) -> Motion:
        """The motion from ``earlier`` to ``later``, both (H, W, 3) uint8."""
        grey_a, grey_b = _grey(earlier), _grey(later)
        backward = self._measure(later, earlier, grey_b, grey_a)
        forward = self._measure(earlier, later, grey_a, grey_b)
        smooth_a, smooth_b = (cast(Grey, cv2.blur(grey, (3, 3))) for grey in (grey_a, grey_b))
        return Motion(
            backward,
            forward,
            self._valid(backward, forward, smooth_b, smooth_a),
            self._valid(forward, backward, smooth_a, smooth_b),
        )

    def _measure(self, a: NDArray[np.uint8], b: NDArray[np.uint8], grey_a: Grey, grey_b: Grey) -> Floats:
        if self._tiny:
            return np.zeros((*grey_a.shape, 2), np.float32)
        if self._flow is None:
            return cast(Floats, self._dis.calc(grey_a, grey_b, None))  # type: ignore[call-overload]
        flow = np.asarray(self._flow(a, b))
        if flow.shape != self._grid.shape or not np.isfinite(flow).all():
            raise InvalidInput(f"flow: got shape {flow.shape}, expected finite values of shape {self._grid.shape}")
        return np.ascontiguousarray(flow, dtype=np.float32)

    def _valid(self, there: Floats, back: Floats, here: Grey, partner: Grey) -> Mask:
        height, width = here.shape
        places = self._grid + there
        returned = warp(back, places)
        missed = np.square(there + returned).sum(axis=-1)
        length = np.square(there).sum(axis=-1) + np.square(returned).sum(axis=-1)
        x, y = places[..., 0], places[..., 1]
        inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        alike = cv2.absdiff(warp(partner, places), here) < GREY_TOLERANCE
        valid: Mask = (missed < 0.01 * length + 0.5) & inside & alike
        return valid


def _grey(pixels: NDArray[np.uint8]) -> Grey:
    return cast(Grey, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
