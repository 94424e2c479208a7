"""Find interlaced material: from the flags of the stream, and measured by the combs of moving edges.

A comb is a moving place where brightness alternates over five rows. Fine horizontal patterns alternate too, but then
each field alone does as well. The order of the fields follows from which neighboring frame a field is nearer to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from depth3d.io.video.demux import Demuxer

__all__ = ["Fields", "find_fields", "is_combed", "luma"]

_PLACES, _FRAMES = 4, 14  # measured: so many places of the clip, frames each
_TALLEST = 1088  # rows; larger pictures are never interlaced
_STEP = 10  # smallest difference of 8-bit brightness that counts
_COLUMNS = 240
_CLEAR, _FAINT = 2, 1.3  # times as many combs in a frame as in its fields
_ENOUGH = 5  # combed frames
# FFmpeg's AVFieldOrder: TT and BB. Of TB and BT programs disagree which field is shown first.
_TOP_FIRST, _BOTTOM_FIRST = 2, 3

Luma = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Fields:
    """How a clip is deinterlaced.

    Parameters
    ----------
    which : str
        "flagged": frames that the stream flags as interlaced; "every"; "combed": frames with combs (telecine).
    top_first : bool | None
        Order of the fields; None = as each frame says.
    interlaced : bool
        Whether any frame is interlaced.
    notes : tuple[str, ...]
        One line for the user if the clip is interlaced.
    """

    which: str = "flagged"
    top_first: bool | None = None
    interlaced: bool = False
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Measured:
    """Counts over the measured frames; ``runs`` tells which frames of each place are combed."""

    flagged: int = 0
    top: int = 0
    bottom: int = 0
    moving: int = 0
    order: int = 0
    runs: list[list[bool]] = field(default_factory=list)


def find_fields(path: Path) -> Fields:
    """Return how the clip ``path`` has to be deinterlaced; decodes a few frames at four places, once per file."""
    if not path.is_file():
        return Fields()
    stat = path.stat()
    try:
        found = _measured(path, stat.st_mtime_ns, stat.st_size)
    except (av.error.FFmpegError, ValueError, OSError):
        return Fields()
    return _decide(found)


def _decide(found: _Measured) -> Fields:
    most, least = max(found.top, found.bottom), min(found.top, found.bottom)
    combed = most >= max(_ENOUGH, 5 * least) and most * 6 >= found.moving
    measured = found.top > found.bottom if combed else None
    stream = True if found.order == _TOP_FIRST else False if found.order == _BOTTOM_FIRST else None
    if found.flagged:
        if measured is not None and stream is not None and measured != stream:
            line = f"flagged {_name(stream)}, but it moves {_name(measured)}: deinterlaced as {_name(measured)}"
            return Fields("flagged", measured, True, (f"interlaced, {line}",))
        order = measured if stream is None else stream
        known = "" if order is None else f", {_name(order)}"
        source = "as the stream says" if measured is None else "as the stream says and its motion shows"
        return Fields(
            "flagged", order if stream is None else None, True, (f"interlaced{known} ({source}): deinterlaced",)
        )
    if measured is None:
        return Fields()
    if _is_telecine(found.runs):
        line = (
            f"3:2 pulldown (telecine), {_name(measured)}, is not flagged in the stream: combed frames are deinterlaced,"
            " repeated ones stay"
        )
        return Fields("combed", measured, True, (line,))
    line = f"interlaced, {_name(measured)}, though not flagged in the stream (combs were found): deinterlaced"
    return Fields("every", measured, True, (line,))


def _name(top_first: bool) -> str:
    return f"{'top' if top_first else 'bottom'} field first"


def _is_telecine(runs: Sequence[Sequence[bool]]) -> bool:
    """Return whether, of every five frames, only the same two neighbors are combed."""
    inside = total = 0
    for run in runs:
        counts = [sum(run[place::5]) for place in range(5)]
        total += sum(counts)
        inside += max(counts[place] + counts[place - 1] for place in range(5))
    measured = sum(map(len, runs))
    return inside >= 0.9 * total and 0.25 * measured <= total <= 0.5 * measured


@lru_cache(maxsize=32)
def _measured(path: Path, changed: int, size: int) -> _Measured:
    found = _Measured()
    with Demuxer(path, careful=True) as source:
        context = source.stream.codec_context
        if context.height > _TALLEST or context.name in ("gif", "vp8", "vp9", "av1", "libdav1d", "png", "apng"):
            return found
        found.order = int(context.field_order)
        for frames in source.samples(_PLACES, _FRAMES):
            _look(list(frames), found)
        found.order = int(context.field_order) or found.order
    return found


def _look(frames: list[Any], found: _Measured) -> None:
    found.flagged += sum(bool(frame.interlaced_frame) for frame in frames)
    rows = [luma(frame) for frame in frames]
    rows = [one for one in rows if one.shape == rows[0].shape]
    run = []
    for place, (before, shown) in enumerate(pairwise(rows), 1):
        found.moving += _moving(before, shown).mean() > 0.002
        excess = _excess(before, shown)
        run.append(excess > _CLEAR)
        if place + 1 < len(rows) and excess > _FAINT:
            order = _order(before, shown, rows[place + 1])
            # Fine patterns hide combs: then the order of the fields must be clear.
            clear = 1.1 if run[-1] else 1.4
            found.top += order > clear
            found.bottom += order < 1 / clear
    found.runs.append(run)


def luma(frame: Any) -> Luma:
    """Return the brightness of a decoded frame, all rows, about 240 columns, 0..255."""
    if frame.format.name in ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "nv12", "yuv444p", "yuv411p", "gray"):
        plane = frame.planes[0]
        pixels = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    else:
        pixels = frame.to_ndarray(format="gray")
    return pixels[:, :: max(1, frame.width // _COLUMNS)].astype(np.int16)


def is_combed(before: Luma, shown: Luma) -> bool:
    """Return whether moving places of a frame show more combs than its single fields do."""
    return _excess(before, shown) > _CLEAR


def _excess(before: Luma, shown: Luma) -> float:
    """Return how many times as many combs as its single fields the moving places of a frame show; 0 if few are."""
    if before.shape != shown.shape or len(shown) < 16 or _moving(before, shown).mean() <= 0.002:
        return 0.0
    combs = _combs(before, shown)
    if combs <= 0.02:
        return 0.0
    return combs / max(1e-9, *(_combs(before[k::2], shown[k::2]) for k in (0, 1)))


def _moving(before: Luma, shown: Luma) -> NDArray[np.bool_]:
    return np.asarray(np.abs(shown - before) > _STEP)


def _combs(before: Luma, shown: Luma) -> float:
    """Return the share of moving pixels where brightness alternates over five rows."""
    step = np.diff(shown, axis=0)
    up, down = step > _STEP, step < -_STEP
    turns = (up[:-1] & down[1:]) | (down[:-1] & up[1:])
    alternates = turns[:-2] & turns[1:-1] & turns[2:]
    moving = _moving(before, shown)[2:-2][: len(alternates)]
    return float((alternates & moving).sum() / max(1, moving.sum()))


def _order(before: Luma, shown: Luma, after: Luma) -> float:
    """Return how much nearer the fields are in time if the top field is first: > 1 if it is, < 1 if it is not."""

    def apart(other: Luma, first: int) -> float:
        rows = shown[first:-1:2].astype(np.int32)
        count = len(rows)
        return float(np.abs(other[first - 1 :: 2][:count] + other[first + 1 :: 2][:count] - 2 * rows).sum())

    wrong, right = apart(before, 1) + apart(after, 2), apart(after, 1) + apart(before, 2)
    return (wrong + 1) / (right + 1)
