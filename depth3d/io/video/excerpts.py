"""Which bytes of a clip a part of it needs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.io.video.demux import Demuxer
from depth3d.io.video.partial import Range, merged

__all__ = ["PacketIndex"]


class PacketIndex:
    """Where the packets of a clip's video stream are in the file; all of them are read once, none is decoded.

    Parameters
    ----------
    path : Path
        The clip.
    """

    _AHEAD = 48  # packets that decoders read before they return a frame: 16 of reordering, one for each of 16 threads
    _AHEAD_ALONE = 20  # the same in one thread
    _MARGIN = Fraction(1)  # seconds before a wanted time at which `VideoReader` starts
    _PLACES, _SAMPLED = 4, 14  # where `find_fields` looks for interlaced frames

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        rows: list[tuple[int, int, int, bool]] = []
        with Demuxer(path) as source:
            self._tick = Fraction(source.stream.time_base)
            self._sampled = source.stream.codec_context.height <= 1088
            whole = not source.can_seek  # read from its start for any time
            for packet in () if whole else source.container.demux(source.stream):
                stamp: Any = packet.pts if packet.pts is not None else packet.dts
                if not packet.size:
                    continue
                if stamp is None or packet.pos is None or packet.pos < 0:
                    whole = True
                    break
                rows.append((stamp, packet.pos, packet.pos + packet.size, packet.is_keyframe))
        self._rows: NDArray[np.int64] | None = None if whole or not rows else np.array(rows, np.int64)

    def common(self) -> list[Range]:
        """Return what every reader of the clip needs: all besides packets, and the frames it looks at first."""
        if self._rows is None:
            return [(0, self.size)]
        rows = self._rows
        found = [(0, int(rows[:, 1].min())), (int(rows[:, 2].max()), self.size), self._packets(0, self._AHEAD)]
        if self._sampled:
            first, last = int(rows[:, 0].min()), int(rows[:, 0].max())
            for place in range(1, self._PLACES):
                begin = self._key_before(first + (last - first) * place // self._PLACES)
                found.append(self._packets(begin, begin + self._SAMPLED + self._AHEAD_ALONE))
        return merged(found)

    def span(self, begin: Fraction | None, end: Fraction | None) -> list[Range]:
        """Return what decoding the frames with begin <= time <= end needs (container times, seconds)."""
        if self._rows is None:
            return [(0, self.size)]
        first = 0 if begin is None else self._key_before(int((begin - self._MARGIN) / self._tick))
        last = len(self._rows)
        if end is not None:
            within = np.flatnonzero(self._rows[:, 0] <= int(end / self._tick))
            last = int(within[-1]) + self._AHEAD if len(within) else first + self._AHEAD
        return merged([self._packets(first, last)])

    def _key_before(self, ticks: int) -> int:
        """Return the number of the last key packet at or before a time; 0 if there is none."""
        assert self._rows is not None
        keys = np.flatnonzero((self._rows[:, 3] != 0) & (self._rows[:, 0] <= ticks))
        return int(keys[-1]) if len(keys) else 0

    def _packets(self, first: int, last: int) -> Range:
        assert self._rows is not None
        rows = self._rows[first : max(first, last) + 1]
        return int(rows[:, 1].min()), int(rows[:, 2].max())
