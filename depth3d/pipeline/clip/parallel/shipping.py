"""Send parts together with the bytes that they need, to workers that see neither the clip nor the work folder.

A part gets the packets of its frames, cut out of the file, and the stored depth of its frames; it returns the files
that it wrote. All this passes through the scheduler. At most ``2 * width + 2`` parts are under way. A worker that reads
bytes which it does not have says so, and gets the part again with more of them: its frames are those of the whole file.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from depth3d.errors import VideoError
from depth3d.io.video.excerpts import PacketIndex
from depth3d.io.video.partial import Range, merged
from depth3d.pipeline.clip.parallel.received import Chunk, Excerpt, Reply, Shipment, run_shipment
from depth3d.pipeline.clip.parallel.runner import Part, Runner
from depth3d.pipeline.clip.workspace import whole

__all__ = ["Needs", "Parts", "Times", "parts_for"]

_BLOCK = 1 << 16  # ranges are rounded to so many bytes: FFmpeg reads on instead of seeking over less than 32 kB
_MORE = 1 << 20  # bytes that are sent in addition where some were missing; doubled each time
Times = tuple[Fraction | None, Fraction | None]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a part reads and writes besides its arguments.

    Parameters
    ----------
    clips : tuple[tuple[Path, Times], ...]
        Clips, and the first and last time that is read, seconds of the container; None = its start or end.
    files : tuple[Path, ...]
        Small files.
    results : Path | None
        Folder that the part writes to.
    """

    clips: tuple[tuple[Path, Times], ...] = ()
    files: tuple[Path, ...] = ()
    results: Path | None = None


class Parts(Protocol):
    """Protocol: where parts are handed to."""

    @property
    def width(self) -> int:
        """Number of parts that run at once."""
        ...

    @property
    def ships(self) -> bool:
        """Whether the files that parts need are sent with them."""
        ...

    def submit(self, function: Callable[..., Any], *arguments: Any, needs: Needs) -> Part:
        """Start or queue a part."""
        ...

    def completed(self, parts: dict[Any, int]) -> Iterator[tuple[Any, int]]:
        """Yield (result, number) of all parts."""
        ...


def parts_for(runner: Runner) -> Parts:
    """Return where the parts of a conversion are handed to."""
    return Shipping(runner) if runner.ships else _Shared(runner)


class _Shared:
    """Hands parts to workers that see all files."""

    ships = False

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    @property
    def width(self) -> int:
        return self._runner.width

    def submit(self, function: Callable[..., Any], *arguments: Any, needs: Needs) -> Part:
        return self._runner.submit(function, *arguments)

    def completed(self, parts: dict[Any, int]) -> Iterator[tuple[Any, int]]:
        return self._runner.completed(parts)


class Shipping:
    """Hands parts with their files to a runner and stores their results.

    Parameters
    ----------
    runner : Runner
        Runs the parts.
    """

    ships = True

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._clips: dict[Path, _Clip] = {}
        self._queue: deque[_ShippedPart] = deque()
        self._flying = 0

    @property
    def width(self) -> int:
        """Number of parts that run at once."""
        return self._runner.width

    def submit(self, function: Callable[..., Any], *arguments: Any, needs: Needs) -> _ShippedPart:
        """Queue a part; it is started when fewer than ``2 * width + 2`` are under way."""
        part = _ShippedPart(self, function, arguments, needs)
        self._queue.append(part)
        self._top_up()
        return part

    def completed(self, parts: dict[Any, int]) -> Iterator[tuple[Any, int]]:
        """Yield (result, number) of all parts, in the order of ``parts``."""
        for part, number in parts.items():
            yield part.result(), number

    def start(self, shipment: Shipment) -> Part:
        """Hand a shipment to the runner."""
        return self._runner.submit(run_shipment, shipment)

    def clip(self, path: Path) -> _Clip:
        """Return the index of a clip, made once."""
        if path not in self._clips:
            self._clips[path] = _Clip(path)
        return self._clips[path]

    def begin(self, part: _ShippedPart) -> None:
        """Count a part as started."""
        self._flying += 1
        if part in self._queue:
            self._queue.remove(part)

    def finished(self) -> None:
        """Count a part as finished and start the next ones."""
        self._flying -= 1
        self._top_up()

    def _top_up(self) -> None:
        while self._queue and self._flying < 2 * self.width + 2:
            self._queue.popleft().start()


class _ShippedPart:
    """A part that waits or is under way."""

    def __init__(self, shipping: Shipping, function: Callable[..., Any], arguments: tuple[Any, ...], needs: Needs):
        self._shipping, self._function, self._arguments, self._needs = shipping, function, arguments, needs
        self._sent: Part | None = None
        self._more: dict[str, list[Range]] = {}
        self._with_common: set[str] = set()

    def start(self) -> None:
        """Read the bytes of the part and send it."""
        self._shipping.begin(self)
        self._send()

    def result(self) -> Any:
        """Wait for the part, store the files that it wrote, return its value; raises its error."""
        if self._sent is None:
            self.start()
        growth = _MORE
        try:
            while True:
                assert self._sent is not None
                reply: Reply = self._sent.result()
                if reply.complete:
                    break
                self._with_common.update(reply.without_common, (token for token, _ in reply.holes))
                for token, place in reply.holes:
                    self._more.setdefault(token, []).append((place - place % _BLOCK, place + growth))
                growth *= 2 if reply.holes else 1
                self._send()
        finally:
            self._shipping.finished()
        self._store(reply)
        return reply.value

    def _send(self) -> None:
        clips = [self._shipping.clip(path) for path, _ in self._needs.clips]
        excerpts = [
            clip.excerpt(times, self._more.get(clip.token, ()), clip.token in self._with_common)
            for clip, (_, times) in zip(clips, self._needs.clips, strict=True)
        ]
        files = tuple((path, path.read_bytes()) for path in self._needs.files)
        shipment = Shipment(self._function, self._arguments, tuple(excerpts), files, self._needs.results)
        self._sent = self._shipping.start(shipment)

    def _store(self, reply: Reply) -> None:
        for name, content in reply.files:
            if self._needs.results is None or Path(name).name != name:
                raise VideoError(f"a worker returned the unexpected file {name}")
            with whole(self._needs.results / name) as temporary:
                temporary.write_bytes(content)


class _Clip:
    """A clip out of which excerpts are cut."""

    def __init__(self, path: Path) -> None:
        self.token = uuid.uuid4().hex
        self._path, self._index = path, PacketIndex(path)
        stat = path.stat()
        self._excerpt = Excerpt(path, self.token, stat.st_size, stat.st_mtime_ns, ())
        self._common_ranges = self._rounded(self._index.common())
        self._common = self._read(self._common_ranges)

    def excerpt(self, times: Times, more: Sequence[Range], with_common: bool) -> Excerpt:
        """Return the bytes of a part that every part does not have."""
        ranges = self._rounded([*self._index.span(*times), *more])
        chunks = self._read(_without(ranges, self._common_ranges))
        return replace(self._excerpt, chunks=chunks, common=self._common if with_common else None)

    def _rounded(self, ranges: Iterable[Range]) -> list[Range]:
        size = self._index.size
        return merged((first - first % _BLOCK, min(size, end - end % -_BLOCK)) for first, end in ranges)

    def _read(self, ranges: Iterable[Range]) -> tuple[Chunk, ...]:
        found = []
        with self._path.open("rb") as file:
            for first, end in ranges:
                file.seek(first)
                found.append((first, file.read(end - first)))
        return tuple(found)


def _without(ranges: list[Range], taken: list[Range]) -> list[Range]:
    """Return the parts of ``ranges`` that are in none of ``taken``; both are sorted and without overlaps."""
    left = []
    for first, end in ranges:
        place = first
        for begin, stop in taken:
            if stop <= place or begin >= end:
                continue
            if begin > place:
                left.append((place, begin))
            place = stop
        if place < end:
            left.append((place, end))
    return left
