"""Times of decoded frames in ticks: strictly growing, with those filled in that a file leaves out or repeats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["growing"]

_MOST_HELD = 8


def growing(frames: Iterable[Any], step: int, first: int) -> Iterator[tuple[int, Any]]:
    """Give every frame with its time in ticks.

    A frame without a time follows the one before by ``step``. Frames whose time does not grow are spread over the gap
    before the next frame with a good time; a run of more than a few of them goes on by ``step``.

    Parameters
    ----------
    step : int
        Ticks of one frame at the clip's average rate, at least 1.
    first : int
        Time of a first frame that has none.
    """
    last: int | None = None
    held: list[Any] = []
    for frame in frames:
        stamp = frame.pts if frame.pts is not None else frame.dts
        if stamp is None:
            stamp = first if last is None else last + (len(held) + 1) * step
        follows = last is None or stamp > last
        if not follows:
            held.append(frame)
            if len(held) < _MOST_HELD:
                continue
        if held and last is not None:
            gap = (stamp - last) // (len(held) + 1) if follows else step
            for one in held:
                last += max(1, min(step, gap))
                yield last, one
            held.clear()
        if follows:
            last = stamp if last is None else max(stamp, last + 1)
            yield last, frame
    for one in held:
        last = (last or 0) + step
        yield last, one
