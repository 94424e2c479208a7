"""Read clips of which only some bytes are present.

A sender cuts byte ranges out of a file (`depth3d.io.video.excerpts`); a receiver writes them to a sparse file of the
same size and registers it. Everything that opens a clip then reads it through `PartialFile`, which records every access
to absent bytes: the caller discards its result and asks for them.
"""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

__all__ = ["PartialFile", "Range", "merged", "partial_file", "register", "touched_holes", "unregister"]

Range = tuple[int, int]  # first byte, byte after the last one

_known: dict[str, _Present] = {}
_lock = Lock()


@dataclass(slots=True)
class _Present:
    """Byte ranges of a file that are present, and absent places that were read."""

    ranges: list[Range]
    holes: list[int]


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Return the union of byte ranges, in order, without overlaps and empty ones."""
    found: list[Range] = []
    for first, end in sorted(ranges):
        if end <= first:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found


def register(path: Path, ranges: Iterable[Range]) -> None:
    """Declare that only ``ranges`` of the file ``path`` are present."""
    with _lock:
        _known[os.path.abspath(path)] = _Present(merged(ranges), [])


def unregister(path: Path) -> None:
    """Forget a registered file."""
    with _lock:
        _known.pop(os.path.abspath(path), None)


def touched_holes(path: Path) -> list[int]:
    """Return the absent places of a registered file that were read."""
    with _lock:
        found = _known.get(os.path.abspath(path))
        return [] if found is None else sorted(set(found.holes))


def partial_file(path: str | Path) -> PartialFile | None:
    """Open a registered file; None for any other."""
    found = _known.get(os.path.abspath(path))
    return None if found is None else PartialFile(path, found)


class PartialFile(io.RawIOBase):
    """A file with absent bytes, opened for reading: ends, for the reader, at an absent byte, which is recorded."""

    def __init__(self, path: str | Path, present: _Present) -> None:
        super().__init__()
        self.name = str(path)
        self._file = Path(path).open("rb")  # noqa: SIM115 - closed by close()
        self._size = os.fstat(self._file.fileno()).st_size
        self._present = present

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place and return it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes that are present from here on."""
        place = self._file.tell()
        wanted = self._size - place if size < 0 else min(size, self._size - place)
        if wanted <= 0:
            return b""
        number = bisect_right(self._present.ranges, (place, self._size + 1)) - 1
        end = self._present.ranges[number][1] if number >= 0 else 0
        if end <= place:
            with _lock:
                self._present.holes.append(place)
            return b""
        return self._file.read(min(wanted, end - place))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
