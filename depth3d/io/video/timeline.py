"""Make the times of decoded frames strictly increasing; missing and repeated times are filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["growing"]

_MOST_HELD = 8


def growing(frames: Iterable[Any], step: int, first: int) -> Iterator[tuple[int, Any]]:
    """Yield (time in ticks, frame) with strictly increasing times.

    A frame without a time is placed ``step`` after the previous one. Frames whose time does not increase are spread
    over the gap before the next valid time; after 8 of them in a row they are placed ``step`` apart.

    Parameters
    ----------
    step : int
        Ticks per frame at the average frame rate, at least 1.
    first : int
        Time of the first frame if it has none, ticks.
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
