"""Stereo boxes of MP4 and MOV files: ``st3d``, ``sv3d`` and Apple's ``vexu``, inserted into the index.

FFmpeg cannot write them while encoding. They are inserted after the decoder configuration in the sample entry; the
sizes of all enclosing boxes are increased, and chunk offsets are shifted if the index precedes the data.
Sources: google/spatial-media (Spherical Video V2 RFC), ISO/IEC 14496-12, Apple's stereo video notes.

The H.264 frame-packing SEI is never written in addition: FFmpeg 9 cannot decode a stream whose layout is given
twice (error -17).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from depth3d.errors import WriteError

__all__ = ["Layout", "find_sample_box", "find_track_uuid", "insert_stereo_boxes", "stereo_boxes"]

Layout = Literal["side", "stack", "side-right-first"]
_ST3D = {"stack": 1, "side": 2, "side-right-first": 4}
_PACK = {"stack": b"over", "side": b"side", "side-right-first": b"side"}
_CONFIGURATIONS = (b"avcC", b"hvcC", b"av1C", b"vpcC")
_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta")
_LARGEST_INDEX = 1 << 30
_SAMPLE_ENTRY = 86  # bytes of a VisualSampleEntry before its child boxes, header included


@dataclass(slots=True)
class _Box:
    kind: bytes
    start: int  # offset of the header
    body: int  # offset of the content
    end: int


def stereo_boxes(layout: Layout, *, sphere: int = 0, source: str = "depth3d") -> bytes:
    """Return the boxes that describe how the two eyes are arranged in the picture.

    Parameters
    ----------
    layout : Layout
        "side" = left eye on the left, "stack" = left eye on top, "side-right-first" = right eye on the left.
    sphere : int
        Degrees that each eye covers as an equirectangular picture, 180 or 360; 0 = a flat picture.
    """
    boxes = _full(b"st3d", bytes([_ST3D[layout]]))
    if sphere:
        missing = 0 if sphere == 360 else 0x40000000  # VR180: a quarter of the sphere's width on each side
        boxes += _box(
            b"sv3d",
            _full(b"svhd", source.encode() + b"\0"),
            _box(
                b"proj",
                _full(b"prhd", struct.pack(">3i", 0, 0, 0)),
                _full(b"equi", struct.pack(">4I", 0, 0, missing, missing)),
            ),
        )
    if layout != "side-right-first":
        # Both eyes present, left eye first. Apple defines no value for the other order.
        eyes = _box(b"eyes", _full(b"stri", b"\x03"), _full(b"hero", b"\x01"))
        boxes += _box(b"vexu", eyes, _box(b"pack", _full(b"pkin", _PACK[layout])))
    return boxes


def insert_stereo_boxes(path: str | Path, layout: Layout, *, sphere: int = 0) -> None:
    """Insert the stereo boxes into the first video track of an MP4 or MOV file, in place.

    Video data may be moved but is not changed.

    Raises
    ------
    WriteError
        If the file has no video track with a known codec.
    """
    path = Path(path)
    with path.open("r+b") as file:
        top = list(_children(file, 0, os.fstat(file.fileno()).st_size))
        moov = next((box for box in top if box.kind == b"moov"), None)
        if moov is None or moov.end - moov.start > _LARGEST_INDEX:
            raise WriteError(path, "no index (moov box) to label as stereo; is it a finished MP4?")
        file.seek(moov.start)
        index = bytearray(file.read(moov.end - moov.start))
        where = _insertion(index)
        if where is None:
            raise WriteError(path, "no video track with a known codec to label as stereo")
        boxes = stereo_boxes(layout, sphere=sphere)
        parents, position = where
        for start in parents:
            size = struct.unpack_from(">I", index, start)[0]
            struct.pack_into(">I", index, start, size + len(boxes))
        index[position:position] = boxes
        if any(box.kind == b"mdat" and box.start > moov.start for box in top):
            _shift_chunks(index, len(boxes))
        _replace(file, moov, bytes(index))


def find_sample_box(path: str | Path, kind: bytes) -> bytes | None:
    """Return the content of a box in the sample entry of the first video track that has it, or None.

    Reads only moov, its tracks and their sample descriptions. Also None for a damaged file.
    """
    index = _read_index(path)
    for box, _ in _walk(index, 0, len(index), ()):
        if box.kind == b"stsd":
            for entry in _inside(index, box.body + 8, box.end):
                for child in _inside(index, entry.start + _SAMPLE_ENTRY, min(entry.end, len(index))):
                    if child.kind == kind:
                        return bytes(index[child.body : child.end])
    return None


def find_track_uuid(path: str | Path, identifier: bytes) -> bytes | None:
    """Return the content of the first ``uuid`` box of a track with this 16-byte identifier, or None."""
    index = _read_index(path)
    for box, above in _walk(index, 0, len(index), ()):
        if box.kind == b"uuid" and above and index[box.body : box.body + 16] == identifier:
            return bytes(index[box.body + 16 : box.end])
    return None


def _read_index(path: str | Path) -> bytes:
    """Return the moov box; empty for files without one, damaged ones and those of more than 1 GiB."""
    with Path(path).open("rb") as file:
        try:
            boxes = _children(file, 0, os.fstat(file.fileno()).st_size)
            moov = next((box for box in boxes if box.kind == b"moov"), None)
        except struct.error:
            return b""
        if moov is None or moov.end - moov.start > _LARGEST_INDEX:
            return b""
        file.seek(moov.start)
        return file.read(moov.end - moov.start)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, body: bytes) -> bytes:
    return _box(kind, b"\0\0\0\0", body)


def _children(file: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    while start + 8 <= end:
        file.seek(start)
        header = file.read(16)
        size, kind = struct.unpack_from(">I4s", header)
        body = start + 8
        if size == 1:
            size, body = struct.unpack_from(">Q", header, 8)[0], start + 16
        stop = end if size == 0 else start + size
        if stop <= start:
            return
        yield _Box(kind, start, body, stop)
        start = stop


def _inside(index: bytes | bytearray, start: int, end: int) -> Iterator[_Box]:
    end = min(end, len(index))
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", index, start)
        if size < 8:
            return
        yield _Box(kind, start, start + 8, start + size)
        start += size


def _walk(
    index: bytes | bytearray, start: int, end: int, above: tuple[int, ...]
) -> Iterator[tuple[_Box, tuple[int, ...]]]:
    for box in _inside(index, start, end):
        yield box, above
        if box.kind in _CONTAINERS:
            yield from _walk(index, box.body, box.end, (*above, box.start))


def _insertion(index: bytearray) -> tuple[tuple[int, ...], int] | None:
    """Return the offsets of the enclosing boxes and of the insertion point, in the first video track."""
    for box, above in _walk(index, 0, len(index), ()):
        if box.kind != b"stsd":
            continue
        for entry in _inside(index, box.body + 8, box.end):
            children = list(_inside(index, entry.start + _SAMPLE_ENTRY, entry.end))
            place = next((child.end for child in children if child.kind in _CONFIGURATIONS), None)
            if place is not None:
                return (*above, box.start, entry.start), place
    return None


def _shift_chunks(index: bytearray, by: int) -> None:
    for box, _ in list(_walk(index, 0, len(index), ())):
        if box.kind in (b"stco", b"co64"):
            code = ">I" if box.kind == b"stco" else ">Q"
            step = struct.calcsize(code)
            count = struct.unpack_from(">I", index, box.body + 4)[0]
            for place in range(box.body + 8, box.body + 8 + count * step, step):
                struct.pack_into(code, index, place, struct.unpack_from(code, index, place)[0] + by)


def _replace(file: BinaryIO, old: _Box, new: bytes) -> None:
    """Replace ``old`` by ``new`` and move all data after it, in blocks from the end."""
    by = len(new) - (old.end - old.start)
    end = file.seek(0, os.SEEK_END)
    piece = 1 << 22
    while end > old.end:
        begin = max(old.end, end - piece)
        file.seek(begin)
        data = file.read(end - begin)
        file.seek(begin + by)
        file.write(data)
        end = begin
    file.seek(old.start)
    file.write(new)
