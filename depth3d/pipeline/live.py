"""Live 3D: capture, predict and draw in parallel, always with the newest picture.

A picture is steadied against the one before it only; a live view cannot look ahead as the conversion of a clip does.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import ModelError, VideoError
from depth3d.frames import Frame
from depth3d.image import Image, Size
from depth3d.io.video.capture import Capture, Captured
from depth3d.options import LiveOptions, StereoOptions
from depth3d.pipeline.clip.renderers import StereoRenderer, StereoStrength, moving_format
from depth3d.pipeline.clip.threads import prefetch

__all__ = ["LiveDepth", "LiveReport", "run_live"]

log = logging.getLogger("depth3d.video")

_RECENT = 2.0  # seconds over which rate and latency are averaged
_KEPT = 0.6  # share of the earlier depth where the picture does not change
_CHANGE = 12.0  # difference of 8-bit colors at which the earlier depth counts a third of that
_RANGE_SPEED = 0.15  # share of a new picture in the depth range
_CUT = 45.0  # mean difference of thumbnails, of 255
_THUMBNAIL = Size(32, 18)


@dataclass(frozen=True, slots=True)
class LiveReport:
    """How a live view runs.

    Parameters
    ----------
    frames, dropped : int
        Pictures shown, and received but not shown.
    rate : float
        Pictures per second in the last seconds.
    latency : float
        Mean time from the arrival of a picture to its 3D picture in the last seconds, seconds.
    """

    frames: int
    dropped: int
    rate: float
    latency: float

    def line(self) -> str:
        """Describe it in one line."""
        return f"{self.rate:.1f} frames/s, latency {1000 * self.latency:.0f} ms, {self.dropped} dropped"

    def facts(self) -> dict[str, Any]:
        """Return the values; for JSON."""
        return asdict(self)


class LiveDepth:
    """Turns the disparities of a live source into depth maps without flicker; starts again at cuts."""

    def __init__(self) -> None:
        self._values: NDArray[np.float32] | None = None
        self._small: NDArray[np.uint8] | None = None
        self._thumbnail: NDArray[np.uint8] | None = None
        self._low = self._high = 0.0

    def push(self, image: Image, disparity: Disparity) -> DepthMap:
        """Return the depth map of the next picture."""
        values = disparity.values
        small = image.resized(disparity.size).eight_bit().pixels
        thumbnail = image.resized(_THUMBNAIL).eight_bit().pixels
        low, high = (float(value) for value in np.percentile(values[::4, ::4], (1, 99)))
        if self._is_cut(thumbnail, values):
            self._low, self._high = low, high
        else:
            assert self._values is not None
            assert self._small is not None
            self._low += _RANGE_SPEED * (low - self._low)
            self._high += _RANGE_SPEED * (high - self._high)
            change = cv2.absdiff(small, self._small).max(axis=2).astype(np.float32)
            share = _KEPT * np.exp(-cv2.GaussianBlur(change, (0, 0), 2) / _CHANGE)
            values = values + share * (self._values - values)
        self._values, self._small, self._thumbnail = values, small, thumbnail
        return DepthMap.from_disparity(Disparity(values), self._low, max(self._high, self._low + 1e-6))

    def _is_cut(self, thumbnail: NDArray[np.uint8], values: NDArray[np.float32]) -> bool:
        if self._values is None or self._thumbnail is None or self._values.shape != values.shape:
            return True
        return float(cv2.absdiff(thumbnail, self._thumbnail).mean()) > _CUT


def run_live(
    source: str,
    options: LiveOptions,
    show: Callable[[Image, LiveReport], bool],
) -> LiveReport:
    """Show a source in 3D until it ends, its time is over or ``show`` returns False; return the last report.

    Uses OpenGL in the calling thread.

    Raises ``ReadError`` if the source cannot be opened, ``VideoError`` if it breaks off or has no picture.

    Parameters
    ----------
    source : str
        "camera", "camera:1", "screen", the address of a stream, or a clip; see `Capture`.
    options : LiveOptions
        Format, size, network.
    show : Callable[[Image, LiveReport], bool]
        Called with each 3D picture; whether to go on.
    """
    layout = moving_format(options.format)
    estimator = _open_network(options)
    strength = StereoStrength(options.parallax, options.convergence)
    stereo = StereoOptions(
        format=layout.name, parallax=options.parallax, convergence=options.convergence, quality="draft"
    )
    meter = _Meter()
    renderer: StereoRenderer | None = None
    with Capture(source) as capture, prefetch(_predicted(capture, estimator, options), 1, "predict") as pictures:
        began = time.monotonic()
        try:
            for number, (taken, depth) in enumerate(pictures):
                if renderer is None:
                    renderer = StereoRenderer(taken.image.size, stereo, layout).__enter__()
                frame = Frame(number, Fraction(number), taken.image)
                drawn = renderer.draw(renderer.prepare(frame, depth, strength))
                report = meter.report(taken.received, capture)
                over = options.seconds is not None and time.monotonic() - began >= options.seconds
                if not show(drawn, report) or over:
                    break
        finally:
            if renderer is not None:
                renderer.__exit__(None, None, None)
    if not meter.frames:
        raise VideoError(f"{source}: no picture came")
    return meter.last


def _open_network(options: LiveOptions) -> Any:
    """Open the network; with the engine "auto" on OpenVINO if that is installed, the fastest one for single frames."""
    from depth3d.depth.estimator import open_estimator

    if options.engine == "auto" and find_spec("openvino") is not None:
        try:
            quick = open_estimator(options.model, engine="openvino", quiet=True)
            quick.predict([Image(np.zeros((360, 640, 3), np.uint8))])  # converts it, on its first run
        except ModelError as error:
            log.debug("not with OpenVINO: %s", error)
        else:
            return quick
    return open_estimator(options.model, engine=options.engine, quiet=True, many=True)


def _predicted(capture: Capture, estimator: Any, options: LiveOptions) -> Iterator[tuple[Captured, DepthMap]]:
    steady = LiveDepth()
    size: Size | None = None
    while (taken := capture.take()) is not None:
        if size is None:
            size = taken.image.size.fit(options.width)
        image = taken.image if taken.image.size == size else taken.image.resized(size)
        (disparity,) = estimator.predict([image])
        yield Captured(image, taken.received), steady.push(image, disparity)


class _Meter:
    """Rate and latency of the pictures of the last seconds."""

    def __init__(self) -> None:
        self.frames = 0
        self.last = LiveReport(0, 0, 0.0, 0.0)
        self._shown: deque[tuple[float, float]] = deque()  # time, latency

    def report(self, received: float, capture: Capture) -> LiveReport:
        """Count a picture that is ready now."""
        now = time.monotonic()
        self.frames += 1
        self._shown.append((now, now - received))
        while self._shown[0][0] < now - _RECENT and len(self._shown) > 2:
            self._shown.popleft()
        span = self._shown[-1][0] - self._shown[0][0]
        rate = (len(self._shown) - 1) / span if span > 0 else 0.0
        latency = sum(late for _, late in self._shown) / len(self._shown)
        self.last = LiveReport(self.frames, capture.dropped, rate, latency)
        return self.last
