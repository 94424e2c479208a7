"""Deinterlace frames with FFmpeg's bwdif; one output frame per input frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import av

from depth3d.io.video.fields import Fields, is_combed, luma

__all__ = ["Deinterlacer"]


class Deinterlacer:
    """Deinterlace decoded frames, each from itself and its two neighbors; progressive frames pass unchanged.

    The result for a frame depends only on that frame, the previous and the next one, so that reading may start
    anywhere. Frames before the first interlaced one are returned immediately.

    Parameters
    ----------
    fields : Fields
        Which frames are deinterlaced, and the order of their fields.
    """

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._rows: Any = None  # brightness of the previous frame
        self._graph: Any = None
        self._shape: tuple[Any, ...] = ()
        self._previous: Any = None
        # Key and, if it passes unchanged, the frame itself; pushed into the graph but not yet pulled.
        self._waiting: deque[tuple[Any, Any]] = deque()
        self._pushed = 0
        self._skip = 0

    def push(self, key: Any, frame: Any) -> Iterator[tuple[Any, Any]]:
        """Push one frame; yield finished frames as (key, frame)."""
        shape = (frame.width, frame.height, frame.format.name)
        if self._graph is not None and shape != self._shape:
            yield from self.flush()
        if self._graph is None:
            if self._fields.which == "flagged" and not frame.interlaced_frame:
                self._previous = frame
                yield key, frame
                return
            self._start(frame, shape)
        self._feed(key, frame, self._clean(frame))
        yield from self._ready()

    def flush(self) -> Iterator[tuple[Any, Any]]:
        """Yield the remaining frames as (key, frame)."""
        if self._graph is None:
            return
        self._graph.push(None)
        yield from self._ready()
        self._graph, self._previous = None, None
        self._waiting.clear()

    def _start(self, frame: Any, shape: tuple[Any, ...]) -> None:
        graph: Any = av.filter.Graph()
        source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format.name, time_base=1)
        parity = {None: "auto", True: "tff", False: "bff"}[self._fields.top_first]
        which = "interlaced" if self._fields.which == "flagged" else "all"
        filter = graph.add("bwdif", f"mode=send_frame:parity={parity}:deint={which}")
        sink = graph.add("buffersink")
        source.link_to(filter)
        filter.link_to(sink)
        graph.configure()
        self._graph, self._shape, self._pushed, self._skip = graph, shape, 0, 0
        before = self._previous
        if before is not None and (before.width, before.height, before.format.name) == shape:
            self._skip = 1
            self._feed(None, before)

    def _clean(self, frame: Any) -> Any:
        """Return the frame itself if only combed frames are deinterlaced and it has no combs, else None."""
        if self._fields.which != "combed":
            return None
        before, self._rows = self._rows, luma(frame)
        return None if before is not None and is_combed(before, self._rows) else frame

    def _feed(self, key: Any, frame: Any, clean: Any = None) -> None:
        self._waiting.append((key, clean))
        frame.pts, frame.time_base = self._pushed, 1
        self._pushed += 1
        self._graph.push(frame)

    def _ready(self) -> Iterator[tuple[Any, Any]]:
        while self._waiting:
            try:
                picture = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            key, clean = self._waiting.popleft()
            if self._skip:
                self._skip -= 1
                continue
            yield key, picture if clean is None else clean
