"""Side by side with a mark inside: JPS (JPEG, VRex's specification) and PNS (PNG with the sTER chunk)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.atomic import atomic_path
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.image.xmp import jpeg_segments
from depth3d.stereoformats import StereoFormat
from depth3d.stereopair import StereoPair, unpack

__all__ = ["Mark", "jps_mark", "pns_mark", "read_jps", "read_pns", "write_jps", "write_pns"]

_JPS = b"_JPSJPS_"
_PNG = b"\x89PNG\r\n\x1a\n"
_HALF_HEIGHT, _HALF_WIDTH, _LEFT_FIRST = 1, 2, 4
_SIDE, _STACK = 2, 3


@dataclass(frozen=True, slots=True)
class Mark:
    """What a file says about its own layout: packing "side" or "stack", squeezed or not, who is first."""

    packing: str
    half: bool
    right_first: bool

    def unpack(self, image: Image) -> StereoPair:
        """Cut the picture as the mark says."""
        packing = "stack" if self.packing == "stack" else "side"
        return unpack(image, StereoFormat("marked", packing, "", "", "", self.half, self.right_first))  # type: ignore[arg-type]


def write_jps(packed: Image, path: str | Path, *, right_first: bool = True, force: bool = False) -> Path:
    """Write a side-by-side picture as JPS; by custom the right eye stands on the left (crossed eyes).

    Raises ``ExistsError`` or ``WriteError``.
    """
    data = encode_image(packed, ".jpg")
    descriptor = struct.pack(">BBBB", 0, 0 if right_first else _LEFT_FIRST, _SIDE, 1)
    comment = b"depth3d"
    payload = _JPS + struct.pack(">H", len(descriptor)) + descriptor + struct.pack(">H", len(comment)) + comment
    segment = struct.pack(">BBH", 0xFF, 0xE3, len(payload) + 2) + payload
    place = 2
    for found in jpeg_segments(data):
        if found.marker not in (0xE0, 0xE1):
            break
        place = found.start + 4 + len(found.payload)
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data[:place] + segment + data[place:])
    return Path(path)


def write_pns(packed: Image, path: str | Path, *, right_first: bool = True, force: bool = False) -> Path:
    """Write a side-by-side picture as PNG with the ``sTER`` chunk (0 = crossed eyes, 1 = parallel).

    Raises ``ExistsError`` or ``WriteError``.
    """
    data = encode_image(packed, ".png")
    body = b"sTER" + bytes([0 if right_first else 1])
    chunk = struct.pack(">I", 1) + body + struct.pack(">I", zlib.crc32(body))
    behind_header = len(_PNG) + 25  # the IHDR chunk comes first and is always this long
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data[:behind_header] + chunk + data[behind_header:])
    return Path(path)


def read_jps(path: str | Path) -> StereoPair:
    """Read a JPS as its mark says; without a mark for crossed eyes, which is the custom.

    Raises ``ReadError`` for damaged files and layouts that hold no two eyes.
    """
    data = Path(path).read_bytes()
    mark = jps_mark(data) or Mark("side", half=False, right_first=True)
    if mark.packing == "other":
        raise ReadError(path, "this JPS is interleaved or an anaglyph, which cannot be taken apart")
    return mark.unpack(open_image(path))


def read_pns(path: str | Path) -> StereoPair:
    """Read a PNS; without an ``sTER`` chunk for crossed eyes."""
    mark = pns_mark(Path(path).read_bytes()) or Mark("side", half=False, right_first=True)
    return mark.unpack(open_image(path))


def jps_mark(data: bytes) -> Mark | None:
    """What the APP3 segment of a JPEG says, or None if there is none; packing "other" = no two eyes."""
    for segment in jpeg_segments(data):
        if segment.marker == 0xE3 and segment.payload.startswith(_JPS) and len(segment.payload) >= 14:
            _, flags, layout, kind = struct.unpack_from(">BBBB", segment.payload, 10)
            packing = {_SIDE: "side", _STACK: "stack"}.get(layout, "other") if kind == 1 else "other"
            half = bool(flags & (_HALF_WIDTH if packing == "side" else _HALF_HEIGHT))
            return Mark(packing, half, not flags & _LEFT_FIRST)
    return None


def pns_mark(data: bytes) -> Mark | None:
    """What the ``sTER`` chunk of a PNG says, or None if there is none."""
    place = len(_PNG)
    while data.startswith(_PNG) and place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind = data[place + 4 : place + 8]
        if kind == b"sTER" and length == 1:
            return Mark("side", half=False, right_first=data[place + 8] == 0)
        if kind == b"IDAT":
            return None
        place += 12 + length
    return None
