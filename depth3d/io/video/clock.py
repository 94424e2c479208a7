"""Continuous timestamps for all streams of a file, even if its own clock jumps, wraps or restarts.

MPEG transport and program streams, and Ogg, may be concatenated; 33-bit clocks wrap after 26.5 hours. Timestamps of
packets are shifted so that they continue from the previous part. Video and audio share every shift, so that they stay
in sync.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

__all__ = ["ContinuousClock", "has_discontinuities"]

_TS_DISCONT = 0x0200  # AVFMT_TS_DISCONT: the format allows its clock to jump
# Limits of ffmpeg's own rule: a jump of 10 s forward or 0.1 s back starts a new part; smaller steps are gaps.
_FORWARD, _BACK = Fraction(10), Fraction(1, 10)
_OVERLAP = Fraction(1)  # allowed overlap of audio at a join with the same shift
_TOGETHER = Fraction(2)  # seconds; streams whose ends differ by more do not end at the same join


def has_discontinuities(container: Any) -> bool:
    """Return True if the clock of this container format may jump."""
    return bool(int(container.format.flags) & _TS_DISCONT)


class ContinuousClock:
    """Shifts the times of packets, given in file order from the start of the file or from any seek point.

    Parameters
    ----------
    container : Any
        An open ``av`` container; only its format matters.
    """

    def __init__(self, container: Any) -> None:
        self._active = has_discontinuities(container)
        self._shifts: list[Fraction] = [Fraction(0)]
        self._own: dict[int, Fraction] = {}  # stream -> its current shift
        self._next: dict[int, Fraction] = {}  # stream -> decoding time at which its next packet is expected
        self._ends: dict[int, Fraction] = {}  # stream -> end time of its last packet

    def apply(self, packet: Any) -> None:
        """Shift ``packet.pts`` and ``packet.dts`` in place."""
        if not self._active or packet.time_base is None:
            return
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None:
            return
        base = Fraction(packet.time_base)
        ticks = round(self._shift(packet, stamp * base, base) / base)
        if ticks:
            pts, dts = packet.pts, packet.dts
            packet.pts = None if pts is None else pts + ticks
            packet.dts = None if dts is None else dts + ticks

    def _shift(self, packet: Any, time: Fraction, base: Fraction) -> Fraction:
        stream, kind = packet.stream.index, packet.stream.type
        if kind not in ("video", "audio"):
            return self._shifts[-1]  # subtitles are sparse: a gap is not a discontinuity
        shown = time if packet.pts is None else packet.pts * base
        shift = self._own.get(stream, self._shifts[-1])
        expected = self._next.get(stream)
        if expected is not None and not _continues(time + shift - expected, _BACK):
            back = _OVERLAP if kind == "audio" else _BACK
            known = (old for old in reversed(self._shifts[-4:]) if _continues(time + old - expected, back))
            found = next(known, None)
            shift = self._join(stream, expected, time, shown) if found is None else found
        self._own[stream] = shift
        duration = (packet.duration or 0) * base
        self._next[stream] = time + shift + duration
        self._ends[stream] = max(self._ends.get(stream, shown + shift), shown + shift + duration)
        return shift

    def _join(self, stream: int, expected: Fraction, time: Fraction, shown: Fraction) -> Fraction:
        """Return a new shift, seconds: the new part starts at the end of the longest stream of the previous part."""
        ends = [end for one, end in self._ends.items() if one != stream and abs(end - expected) <= _TOGETHER]
        shift = max([expected - time, *(end - shown for end in ends)])
        self._shifts.append(shift)
        return shift


def _continues(step: Fraction, back: Fraction) -> bool:
    return -back <= step <= _FORWARD
