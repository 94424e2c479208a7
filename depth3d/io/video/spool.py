"""Depth of a clip between two passes: a file of half-precision maps with their frame numbers and times.

Not a format for exchange (``--save-depth`` writes one): it keeps exactly what the stabiliser says, before the
range of the scene is known. Each record is a fixed header and the compressed map; a file is complete when it
ends with the record that says so.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ReadError

__all__ = ["DepthRecord", "DepthSpoolWriter", "read_spool"]

_HEADER = struct.Struct("<qqiHHI")  # index, ticks, scene, height, width, bytes that follow
_END = -1


@dataclass(frozen=True, slots=True, eq=False)
class DepthRecord:
    """One frame: its number, its time in ticks of the clip's clock, its scene, (H, W) float16 inverse depth."""

    index: int
    ticks: int
    scene: int
    values: NDArray[np.float16]


class DepthSpoolWriter:
    """Writes records; a context manager. Leaving it normally completes the file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def __enter__(self) -> DepthSpoolWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.write(_HEADER.pack(_END, 0, 0, 0, 0, 0))
        self._file.close()

    def add(self, record: DepthRecord) -> None:
        """Append one frame."""
        height, width = record.values.shape
        raw = np.ascontiguousarray(record.values).view(np.uint8).reshape(-1, 2)
        # High bytes beside each other repeat a lot, low bytes are noise: apart they pack twice as well.
        packed = zlib.compress(raw.T.tobytes(), 1)
        self._file.write(_HEADER.pack(record.index, record.ticks, record.scene, height, width, len(packed)))
        self._file.write(packed)


def read_spool(path: Path) -> Iterator[DepthRecord]:
    """Give the records of a complete file, one at a time.

    Raises ``ReadError`` if it was cut off or damaged.
    """
    with path.open("rb") as file:
        while True:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size:
                raise ReadError(path, "is cut off; delete it and run the command again")
            index, ticks, scene, height, width, length = _HEADER.unpack(head)
            if index == _END:
                return
            try:
                raw = np.frombuffer(zlib.decompress(file.read(length)), np.uint8)
                values = np.ascontiguousarray(raw.reshape(2, -1).T).view(np.float16).reshape(height, width)
            except (zlib.error, ValueError) as error:
                raise ReadError(path, f"is damaged ({error}); delete it and run the command again") from error
            yield DepthRecord(index, ticks, scene, values)
