"""Store the depth of a clip between the two passes: float16 maps with frame numbers and times.

Not an exchange format (the option ``save_depth`` writes one): it keeps the exact output of the stabilizer, before the
range of the scene is known. Each record is a fixed header and the compressed map; a complete file ends with an end
record.
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

from depth3d.errors import ReadError, in_words

__all__ = ["DepthRecord", "DepthSpoolWriter", "read_spool"]

_HEADER = struct.Struct("<qqiHHI")  # index, ticks, scene, height, width, bytes that follow
_END = -1
_MOST_PIXELS = 1 << 26  # of one record; more than any frame that is read


@dataclass(frozen=True, slots=True, eq=False)
class DepthRecord:
    """One frame: number, time (ticks of the clip's time base), scene number, (H, W) float16 inverse depth."""

    index: int
    ticks: int
    scene: int
    values: NDArray[np.float16]


class DepthSpoolWriter:
    """Write records to a file; a context manager that completes the file unless an error occurred."""

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
        # High bytes are repetitive, low bytes are noise: separated they compress twice as well.
        packed = zlib.compress(raw.T.tobytes(), 1)
        self._file.write(_HEADER.pack(record.index, record.ticks, record.scene, height, width, len(packed)))
        self._file.write(packed)


def read_spool(path: Path) -> Iterator[DepthRecord]:
    """Yield the records of a complete file.

    Raises ``ReadError`` if the file is truncated or damaged.
    """
    with path.open("rb") as file:
        while True:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size:
                raise ReadError(path, "is truncated; delete it and run the command again")
            index, ticks, scene, height, width, length = _HEADER.unpack(head)
            if index == _END:
                return
            try:
                if height * width > _MOST_PIXELS:
                    raise ValueError(f"a record of {width}x{height} pixels")
                # No more than the header promises, or a made file could fill the memory.
                unpacked = zlib.decompressobj().decompress(file.read(length), 2 * height * width + 1)
                raw = np.frombuffer(unpacked, np.uint8)
                values = np.ascontiguousarray(raw.reshape(2, -1).T).view(np.float16).reshape(height, width)
            except (zlib.error, ValueError) as error:
                raise ReadError(path, f"is damaged ({in_words(error)}); delete it and run the command again") from error
            yield DepthRecord(index, ticks, scene, values)
