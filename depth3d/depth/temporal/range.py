"""Depth range of each scene, known when the scene ends, and temporary storage of its frames until then."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import TracebackType

import numpy as np

from depth3d.depth.temporal.flow import Floats
from depth3d.depth.temporal.state import State, array_of
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput

__all__ = ["SceneRange", "SceneRanges", "Spool", "Stable"]

BINS = 8192
SPAN = 64.0
"""The histogram covers +-64 mean deviations of inverse depth; values beyond are counted in the outermost bins."""
TAIL_PERCENT = 0.5
LONG_TAIL, TAIL_ROOM = 0.15, 0.1
"""A tail longer than ``LONG_TAIL`` times the body is compressed into ``TAIL_ROOM`` of the output range."""


@dataclass(frozen=True, slots=True, eq=False)
class Stable:
    """One temporally stabilized frame: index in the clip, scene (0, 1, ...) and (H, W) float32 inverse depth.

    Larger = nearer. Values are in the units of the scene (median about 0, mean deviation about 1, so that float16 is
    precise enough); ``SceneRange.normalize`` converts them to a ``DepthMap``.
    """

    index: int
    scene: int
    values: Floats


@dataclass(frozen=True, slots=True)
class SceneRange:
    """The depth range of one scene.

    ``low`` and ``high`` are the extremes; 99 % of the values lie between ``low_knee`` and ``high_knee``, where inverse
    depth stays linear. A long tail beyond a knee is compressed: otherwise a few extreme pixels (an insect near the
    lens) would take most of the range. It is not clipped, so that the order of depths is kept.
    """

    low: float
    low_knee: float
    high_knee: float
    high: float
    frames: int = 0

    def normalize(self, values: Floats) -> DepthMap:
        """Convert (H, W) stabilized inverse depth of this scene to a ``DepthMap``; a flat scene becomes 0."""
        body = self.high_knee - self.low_knee
        if not self.high > self.low:
            return DepthMap(np.zeros(values.shape, np.float32))
        if body < 1e-3 * (self.high - self.low):  # nearly all pixels have one depth
            return SceneRange(self.low, self.low, self.high, self.high).normalize(values)
        inner = (np.clip(values, self.low, self.high) - np.float32(self.low_knee)) / np.float32(body)
        top, bottom = (self.high - self.high_knee) / body, (self.low_knee - self.low) / body
        above, room_above = _tail(inner - 1, top)
        below, room_below = _tail(-inner, bottom)
        bent = np.clip(inner, 0, 1) + above - below
        scaled = (bent + np.float32(room_below)) / np.float32(1 + room_above + room_below)
        return DepthMap(np.clip(scaled, 0, 1).astype(np.float32))


def _tail(beyond: Floats, length: float) -> tuple[Floats, float]:
    """Compress the values beyond a knee (in units of the body); return them and the output range of the whole tail."""
    beyond = np.maximum(beyond, 0)
    room = TAIL_ROOM / (1 - TAIL_ROOM)
    if length <= LONG_TAIL:
        return beyond, length
    # x / (1 + x / c) has slope 1 at 0; c is chosen so that the end of the tail maps to the end of the room.
    room = max(room, LONG_TAIL)
    bend = length * room / (length - room)
    return beyond / (1 + beyond / np.float32(bend)), room


class SceneRanges:
    """Depth ranges of the scenes of a clip, from histograms updated frame by frame.

    ``ranges[scene]`` is the ``SceneRange`` of all frames added so far; read it when the scene has ended. Scenes are
    consecutive: only the histogram of the current one is kept.
    """

    def __init__(self) -> None:
        self._ended: list[SceneRange] = []
        self._bins = np.zeros(BINS, np.int64)
        self._low, self._high, self._frames = np.inf, -np.inf, 0

    def add(self, stable: Stable) -> None:
        """Add one frame: of the current scene, or the first frame of the next scene."""
        if stable.scene == len(self._ended) + 1:
            self._ended.append(self._running())
            self._bins = np.zeros(BINS, np.int64)
            self._low, self._high, self._frames = np.inf, -np.inf, 0
        elif stable.scene != len(self._ended):
            raise InvalidInput(
                f"SceneRanges: frame {stable.index} belongs to scene {stable.scene}, expected scenes in order"
            )
        places = np.clip((stable.values + np.float32(SPAN)) * np.float32(BINS / (2 * SPAN)), 0, BINS - 1)
        self._bins += np.bincount(places.astype(np.int32).ravel(), minlength=BINS)
        self._low = min(self._low, float(stable.values.min()))
        self._high = max(self._high, float(stable.values.max()))
        self._frames += 1

    def __getitem__(self, scene: int) -> SceneRange:
        if not 0 <= scene < len(self):
            raise IndexError(f"scene {scene} of {len(self)}")
        return self._ended[scene] if scene < len(self._ended) else self._running()

    def __len__(self) -> int:
        return len(self._ended) + (self._frames > 0)

    def to_state(self) -> State:
        """Return plain values and arrays from which ``from_state`` restores these ranges."""
        return {
            "ended": [asdict(one) for one in self._ended],
            "bins": self._bins,
            "low": self._low,
            "high": self._high,
            "frames": self._frames,
        }

    @classmethod
    def from_state(cls, state: State) -> SceneRanges:
        """Restore saved ranges. Raises ``ValueError``, ``TypeError`` or ``KeyError`` if the state does not fit."""
        made = cls()
        made._ended = [SceneRange(**one) for one in state["ended"]]
        made._bins = array_of(state["bins"], np.int64, (BINS,))
        made._low, made._high, made._frames = float(state["low"]), float(state["high"]), int(state["frames"])
        return made

    def _running(self) -> SceneRange:
        shares = np.cumsum(self._bins) / max(1, int(self._bins.sum()))
        edges = np.searchsorted(shares, [TAIL_PERCENT / 100, 1 - TAIL_PERCENT / 100])
        knees = (edges + 0.5) * (2 * SPAN / BINS) - SPAN
        low_knee, high_knee = (float(np.clip(knee, self._low, self._high)) for knee in knees)
        return SceneRange(self._low, low_knee, high_knee, self._high, self._frames)


class Spool:
    """Temporary file that holds the stabilized frames of one scene (float16) until the scene's range is known."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="depth3d-")  # noqa: SIM115 (closed in __exit__)
        self._count = 0
        self._shape: tuple[int, int] = (0, 0)
        self.scene: int | None = None

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, stable: Stable) -> None:
        """Append one frame."""
        height, width = stable.values.shape
        self._shape = (height, width)
        self.scene = stable.scene
        self._file.write(stable.values.astype(np.float16).tobytes())
        self._count += 1

    def drain(self, ranges: SceneRanges) -> Iterator[DepthMap]:
        """Yield all frames normalized by the scene's range, then empty the file."""
        if self.scene is None:
            return
        scene_range = ranges[self.scene]
        self._file.seek(0)
        for _ in range(self._count):
            raw = self._file.read(2 * self._shape[0] * self._shape[1])
            yield scene_range.normalize(np.frombuffer(raw, np.float16).reshape(self._shape).astype(np.float32))
        self._file.seek(0)
        self._file.truncate()
        self._count, self.scene = 0, None
