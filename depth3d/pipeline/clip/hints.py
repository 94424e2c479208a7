"""Manual hints of a clip: strokes on some frames are tracked through their scenes and repair the depth of every frame.

Strokes hold from their frame to the next one with strokes or to the cut; those of a scene's first such frame also hold
back to the scene's beginning.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.hints import apply_hints
from depth3d.depth.temporal.strokes import move_strokes
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.frames import Frame
from depth3d.hints import Hints, Stroke
from depth3d.io.video.hints import KeyHints, clip_hints_beside, read_clip_hints
from depth3d.pipeline.clip.cuts import find_cuts
from depth3d.pipeline.clip.depth_pass import DepthSource, StoredDepth
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.threads import on_frame
from depth3d.pipeline.clip.workspace import Checkpoint

__all__ = ["HintedDepth", "hint_file", "hints_key", "track_hints"]

_SIDE = 384  # longer side at which motion is measured
_BACK = 3000  # most frames before a scene's first strokes that get them; bounds the memory
_NAME = "strokes.json"
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class HintedDepth:
    """Depth source: another source, repaired by the strokes tracked through the clip.

    Parameters
    ----------
    inner : DepthSource
        The depth without hints.
    strokes : Path
        What ``track_hints`` has written.
    """

    inner: DepthSource
    strokes: Path

    def read(self, first: int) -> Iterator[DepthMap]:
        """Yield the depth maps from number ``first`` without the hints, which need the pictures."""
        return self.inner.read(first)

    def follow(self, frames: Iterator[Frame], first: int) -> Iterator[tuple[Frame, DepthMap]]:
        """Yield each of ``frames``, which start at number ``first``, with its repaired depth map."""
        tracked = _read(self.strokes, self.strokes.stat().st_mtime_ns)
        for frame, depth in self.inner.follow(frames, first):
            with on_frame(frame.index, "repair depth"):
                repaired = apply_hints(depth, Hints(tracked.get(frame.index, ())), frame.guide)
            yield frame, repaired


def hint_file(job: ClipJob) -> Path | None:
    """Return the hint file of the job: the option ``hints``, or the file beside the clip."""
    wanted = job.depth.hints
    if wanted is None:
        return clip_hints_beside(job.source)
    return None if wanted == "none" else Path(wanted)


def hints_key(path: Path | None) -> dict[str, Any]:
    """Return what the rendered pictures depend on: a checksum of the hint file."""
    return {} if path is None else {"hints": hashlib.sha256(path.read_bytes()).hexdigest()}


def track_hints(job: ClipJob, depth: DepthSource, path: Path, checkpoint: Checkpoint) -> DepthSource:
    """Track the strokes of a hint file through the clip; return the depth repaired by them.

    Raises ``ReadError`` for a damaged hint file.
    """
    keys = read_clip_hints(path)
    if not any(key.hints for key in keys):
        return depth
    place = checkpoint.folder.absolute() / _NAME
    if not _is_whole(place):
        tracked = _tracked(job, keys, _scene_starts(job, depth))
        content = {str(index): [stroke.facts() for stroke in strokes] for index, strokes in tracked.items()}
        checkpoint.write_json(_NAME, content)
    return HintedDepth(depth, place)


def _scene_starts(job: ClipJob, depth: DepthSource) -> set[int]:
    """Return the numbers of the first frames of all scenes."""
    if isinstance(depth, StoredDepth):
        return {0, *accumulate(scene.frames for scene in depth.ranges)}
    times, cuts = find_cuts(job)
    if job.rate is not None and job.source.is_file():  # frame n is the one that the source shows at begin + n / rate
        return {0, *(ceil((cut - job.begin) * job.rate) for cut in cuts)}
    chosen = set(cuts)
    return {0, *(number for number, time in enumerate(times) if time in chosen)}


def _tracked(job: ClipJob, keys: tuple[KeyHints, ...], starts: set[int]) -> dict[int, tuple[Stroke, ...]]:
    size = job.info.size.fit(_SIDE)
    found: dict[int, tuple[Stroke, ...]] = {}
    waiting = [key for key in keys if key.time >= job.begin - _half(job)]
    strokes: tuple[Stroke, ...] | None = None  # None: this scene has none so far
    before: deque[tuple[int, Pixels]] = deque(maxlen=_BACK)
    last: Pixels | None = None
    for frame in job.frames(seen=True, quiet=True):
        picture = frame.guide.eight_bit().resized(size).pixels
        if frame.index in starts:
            strokes = None
            before.clear()
        key = None
        while waiting and waiting[0].time <= frame.time + job.begin + _half(job):
            key = waiting.pop(0)
        if key is not None:
            if strokes is None:
                found.update(_backwards(key.hints.strokes, picture, before))
            strokes = key.hints.strokes
            before.clear()
        elif strokes and last is not None:
            strokes = move_strokes(strokes, last, picture)
        elif strokes is None:
            before.append((frame.index, picture))
        if strokes:
            found[frame.index] = strokes
        last = picture
    return found


def _half(job: ClipJob) -> Fraction:
    return 1 / (2 * (job.rate or job.info.rate))


def _backwards(
    strokes: tuple[Stroke, ...], picture: Pixels, before: Sequence[tuple[int, Pixels]]
) -> dict[int, tuple[Stroke, ...]]:
    found = {}
    for index, earlier in reversed(before):
        strokes = move_strokes(strokes, picture, earlier)
        if not strokes:
            break
        found[index], picture = strokes, earlier
    return found


def _is_whole(path: Path) -> bool:
    """Return whether an earlier run has written the strokes of all frames, and they can be read."""
    try:
        _read(path, path.stat().st_mtime_ns)
    except (OSError, InvalidInput, AttributeError, TypeError, ValueError):
        return False
    return True


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> dict[int, tuple[Stroke, ...]]:
    content = Checkpoint.shared(path.parent).read_json(path.name)
    return {int(index): tuple(Stroke.of(facts) for facts in strokes) for index, strokes in content.items()}
