"""Temporal stabilization: turn the frames and disparities of a clip into depth maps that do not flicker.

First pass, ``Stabilizer``: it takes frames one by one and returns stabilized inverse depth of unknown range a few
frames later. Second pass, ``SceneRanges``: when a scene has ended, its range is known, and all its frames are
normalized by that one range. (Normalizing each frame by itself would make the depth flicker again.) ``stabilize`` does
both and keeps the results of the first pass in a temporary file.

For callers that store the results of the first pass themselves (a conversion that can be resumed)::

    stabilizer, ranges = Stabilizer(options), SceneRanges()
    for frame, disparity in stream:
        for stable in stabilizer.push(frame, disparity):
            ranges.add(stable); store(stable.index, stable.scene, stable.values)
    for stable in stabilizer.flush():
        ranges.add(stable); store(...)
    for index, scene, values in stored:
        depth = ranges[scene].normalize(values)          # DepthMap
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.flow_networks import NamedFlow
from depth3d.depth.temporal.filter import Estimate, SceneFilter, look_back
from depth3d.depth.temporal.flow import Floats, FlowFunction, MotionEstimator
from depth3d.depth.temporal.protocol import open_filter
from depth3d.depth.temporal.range import SceneRanges, Spool, Stable
from depth3d.depth.temporal.scene_cuts import CutDetector, Verdict
from depth3d.depth.temporal.state import State, array_of
from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size
from depth3d.options import StabilizeOptions

__all__ = ["SceneRanges", "Stabilizer", "Stable", "stabilize", "state_bytes"]

LEAST_MEMORY = 1.01  # frames: with less, each frame is alone, and the filter would divide by zero


def stabilize(
    frames: Iterable[Image],
    disparities: Iterable[Disparity | None],
    *,
    options: StabilizeOptions | None = None,
    flow: FlowFunction | None = None,
    look_ahead: int | None = None,
) -> Iterator[DepthMap]:
    """Stabilize the depth of a clip: one ``DepthMap`` per frame, in order, at the size of the disparities.

    The depth maps of a scene are yielded when the scene has ended, because only then is its range known. Until then
    they are kept in a temporary file (2 bytes per pixel), so that memory does not grow with the clip.

    Raises ``InvalidInput`` if the numbers of frames and disparities differ, a disparity has another size, or the first
    one is missing (any, with the filter "none").

    Parameters
    ----------
    frames : Iterable[Image]
        The clip's pictures, of any size; they are shrunk to the size of the disparities.
    disparities : Iterable[Disparity]
        The network's output for each frame, all of one size; None for a frame, not the first one, whose depth follows
        the flow from the frames before and after it.
    options : StabilizeOptions | None
        Filter, flow, memory and look-ahead; None = the defaults.
    flow : FlowFunction | None
        Optical flow to use instead of ``options.flow``: ``flow(a, b)`` of two (H, W, 3) uint8 pictures returns (H, W,
        2) float32 px, where a[p] corresponds to b[p + flow[p]].
    look_ahead : int | None
        Frames to look ahead, in place of ``options.look_ahead``.
    """
    settings = options or StabilizeOptions()
    if flow is not None and not callable(flow):
        raise InvalidInput(f"stabilize: flow is {type(flow).__name__}, expected a function")
    stabilizer = open_filter(settings, flow=flow, look_ahead=look_ahead)
    ranges = SceneRanges()
    with Spool() as spool:
        for frame, disparity in _pairs(frames, disparities):
            for stable in stabilizer.push(frame, disparity):
                if spool.scene not in (None, stable.scene):
                    yield from spool.drain(ranges)
                ranges.add(stable)
                spool.add(stable)
        for stable in stabilizer.flush():
            if spool.scene not in (None, stable.scene):
                yield from spool.drain(ranges)
            ranges.add(stable)
            spool.add(stable)
        yield from spool.drain(ranges)


def state_bytes(pixels: int, look_ahead: int, frames: int) -> int:
    """Return the size of the saved state of a stabilizer of maps of so many pixels, after ``frames`` frames, bytes.

    States are saved when a block of frames is finished: then ``look_ahead`` frames are left.
    """
    waiting = min(frames, CutDetector.delay)  # picture and disparity
    estimated = min(frames - waiting, look_ahead + 1)  # state, age, flow and its validity
    return pixels * (waiting * (3 + 4) + estimated * (4 + 4 + 8 + 1) + 4 + 4 + 3)


class Stabilizer:
    """First pass over a clip: takes frames in order and returns the same number of frames, in order, with a delay.

    Holds at most ``held_frames`` frames at any time.

    Parameters
    ----------
    options, flow, look_ahead : StabilizeOptions | None, FlowFunction | None, int | None
        As in ``stabilize``.
    """

    needs_all = False

    def __init__(
        self,
        options: StabilizeOptions | None = None,
        *,
        flow: FlowFunction | None = None,
        look_ahead: int | None = None,
    ) -> None:
        settings = options or StabilizeOptions()
        self._look_ahead = settings.look_ahead if look_ahead is None else look_ahead
        if self._look_ahead < 0:
            raise InvalidInput(f"stabilize: look_ahead is {self._look_ahead}, expected 0 or more frames")
        self._block = max(1, self._look_ahead)
        self._memory = max(settings.memory, LEAST_MEMORY)
        self._flow = flow if flow is not None or settings.flow == "dis" else NamedFlow(settings.flow)
        self._cuts = CutDetector()
        self._motion: MotionEstimator | None = None
        self._waiting: deque[tuple[int, NDArray[np.uint8], Floats | None]] = deque()
        self._estimates: list[Estimate] = []
        self._filter: SceneFilter | None = None
        self._earlier: NDArray[np.uint8] | None = None
        self._pushed = 0
        self._scene = -1
        self._shape: tuple[int, int] | None = None

    @property
    def held_frames(self) -> int:
        """Return the largest number of frames held in memory at any time."""
        return self._cuts.delay + self._look_ahead + self._block + 1

    def push(self, frame: Image, disparity: Disparity | None) -> list[Stable]:
        """Add the next frame; return the frames that are finished now: often none, sometimes several.

        A frame without disparity (not the first one) gets its depth along the flow from those before and after it.

        Raises ``InvalidInput`` if the disparity has another size than the ones before, or the first one is missing.
        """
        shape = self._shape if disparity is None else disparity.values.shape
        if shape is None:
            raise InvalidInput("stabilize: the first frame has no disparity")
        if self._shape is None:
            self._shape = (int(shape[0]), int(shape[1]))
            self._motion = MotionEstimator(*self._shape, flow=self._flow)
        if shape != self._shape:
            raise InvalidInput(
                f"stabilize: the disparity of frame {self._pushed} is {shape[1]}x{shape[0]}, expected"
                f" {self._shape[1]}x{self._shape[0]} as before"
            )
        small = frame.resized(Size(shape[1], shape[0])).eight_bit().pixels
        self._waiting.append((self._pushed, small, None if disparity is None else disparity.values))
        self._pushed += 1
        finished: list[Stable] = []
        for verdict in self._cuts.push(small):
            finished += self._take(verdict)
        return finished

    def flush(self) -> list[Stable]:
        """End the clip and return all remaining frames."""
        finished: list[Stable] = []
        for verdict in self._cuts.flush():
            finished += self._take(verdict)
        return finished + self._finish_scene()

    def to_state(self) -> State:
        """Return plain values and arrays from which ``restore`` continues as if there had been no interruption."""
        return {
            "cuts": self._cuts.to_state(),
            "waiting": [list(one) for one in self._waiting],
            "estimates": [one.to_state() for one in self._estimates],
            "filter": None if self._filter is None else self._filter.to_state(),
            "earlier": self._earlier,
            "pushed": self._pushed,
            "scene": self._scene,
            "shape": self._shape,
        }

    def restore(self, state: State) -> None:
        """Continue from the saved state of a stabilizer with the same options.

        Raises ``ValueError``, ``TypeError`` or ``KeyError`` if the state does not fit.
        """
        self._cuts = CutDetector.from_state(state["cuts"])
        self._pushed, self._scene = int(state["pushed"]), int(state["scene"])
        if state["shape"] is None:
            return
        height, width = (int(side) for side in state["shape"])
        shape = self._shape = (height, width)
        self._motion = MotionEstimator(height, width, flow=self._flow)
        for index, pixels, disparity in state["waiting"]:
            picture = array_of(pixels, np.uint8, (*shape, 3))
            values = None if disparity is None else array_of(disparity, np.float32, shape)
            self._waiting.append((int(index), picture, values))
        self._estimates = [Estimate.from_state(one, shape) for one in state["estimates"]]
        if state["filter"] is not None:
            self._filter = SceneFilter.from_state(state["filter"], shape, self._memory)
        if state["earlier"] is not None:
            self._earlier = array_of(state["earlier"], np.uint8, (*shape, 3))

    def _take(self, verdict: Verdict) -> list[Stable]:
        index, pixels, disparity = self._waiting.popleft()
        finished: list[Stable] = []
        if self._filter is None or self._motion is None or self._earlier is None or verdict.starts_scene:
            finished = self._finish_scene()
            self._scene += 1
            self._filter = SceneFilter(self._nearest(disparity), self._memory)
        else:
            motion = self._motion.between(self._earlier, pixels)
            zoom = self._filter.advance(disparity, motion, fading=verdict.fading)
            if self._estimates:  # without look-ahead, the previous frame has been returned already
                before = self._estimates[-1]
                before.forward, before.forward_valid, before.zoom = motion.forward, motion.forward_valid, zoom
        self._earlier = pixels
        now = self._filter
        self._estimates.append(Estimate(index, self._scene, now.state, now.age, now.noise))
        if len(self._estimates) >= self._look_ahead + self._block:
            finished += self._emit(self._block)
        return finished

    def _nearest(self, disparity: Floats | None) -> Floats:
        """Return the disparity of a scene's first frame, or of the first of the waiting frames that has one."""
        later = (values for _, _, values in self._waiting if values is not None)
        found = next(later, None) if disparity is None else disparity
        if found is None and self._filter is not None:
            return self._filter.state
        if found is None:
            raise InvalidInput("stabilize: a scene without disparity")
        return found

    def _finish_scene(self) -> list[Stable]:
        return self._emit(len(self._estimates))

    def _emit(self, count: int) -> list[Stable]:
        if not count:
            return []
        smooth = look_back(self._estimates, self._memory)[:count]
        done, self._estimates = self._estimates[:count], self._estimates[count:]
        return [Stable(one.index, one.scene, values) for one, values in zip(done, smooth, strict=True)]


def _pairs(
    frames: Iterable[Image], disparities: Iterable[Disparity | None]
) -> Iterator[tuple[Image, Disparity | None]]:
    count = 0
    try:
        for pair in zip(frames, disparities, strict=True):
            yield pair
            count += 1
    except ValueError as error:
        if "zip()" not in str(error):
            raise
        raise InvalidInput(
            f"stabilize: frames and disparities differ in number after {count} of each; give one disparity per frame"
            " (or None)"
        ) from error
