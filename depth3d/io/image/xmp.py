"""Depth inside a JPEG: GDepth (in extended XMP), Dynamic Depth (a picture appended), Apple's auxiliary picture.

Sources: Google's depth map metadata reference, the Dynamic Depth 1.0 specification, Adobe's XMP
specification part 3 (extended XMP), CIPA DC-007 (several pictures in one JPEG).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "EXTENDED_XMP",
    "XMP",
    "EmbeddedDepth",
    "JpegSegment",
    "embedded_depth",
    "jpeg_end",
    "jpeg_segments",
    "read_xmp",
]

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_GDEPTH = "http://ns.google.com/photos/1.0/depthmap/"
_DYNAMIC = "http://ns.google.com/photos/dd/1.0/"


@dataclass(frozen=True, slots=True)
class JpegSegment:
    """One marker segment: marker (0xE1 = APP1), where it starts (at its 0xFF), and its payload."""

    marker: int
    start: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class EmbeddedDepth:
    """A depth picture inside a photo, not decoded yet.

    Parameters
    ----------
    picture : bytes
        The bytes of a JPEG or PNG file.
    kind : str
        "GDepth", "Dynamic Depth" or "Apple disparity".
    encoding : str
        "RangeInverse" (0 = near, linear in 1/distance), "RangeLinear" (0 = near, linear in distance) or "Disparity"
        (white = near).
    near, far : float
        The distances that 0 and 1 mean, in ``units``, or 0 where not told.
    """

    picture: bytes
    kind: str
    encoding: str
    near: float
    far: float
    units: str


def jpeg_segments(data: bytes) -> Iterator[JpegSegment]:
    """The marker segments of a JPEG before its pixels; stops silently where the file is damaged."""
    place = 2 if data[:2] == b"\xff\xd8" else len(data)
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in (0xD8, 0xD9, 0xDA):
            return
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        if length < 2:
            return
        yield JpegSegment(marker, place, data[place + 4 : place + 2 + length])
        place += 2 + length


def read_xmp(data: bytes) -> str:
    """The XMP of a JPEG, main packet and extended packet one after the other; "" if there is none."""
    main, parts = b"", dict[int, bytes]()
    for segment in jpeg_segments(data):
        if segment.marker != 0xE1:
            continue
        if segment.payload.startswith(XMP):
            main = main or segment.payload[len(XMP) :]
        elif segment.payload.startswith(EXTENDED_XMP) and len(segment.payload) > len(EXTENDED_XMP) + 40:
            body = segment.payload[len(EXTENDED_XMP) :]
            (offset,) = struct.unpack_from(">I", body, 36)  # after 32 of GUID and 4 of full length
            parts[offset] = body[40:]
    extended = b"".join(parts[offset] for offset in sorted(parts))
    return (main + extended).decode("utf-8", errors="replace")


def embedded_depth(data: bytes) -> EmbeddedDepth | None:
    """The depth picture inside a JPEG file, or None."""
    if data[:3] != b"\xff\xd8\xff":
        return None
    xmp = read_xmp(data)
    return _gdepth(xmp) or _dynamic_depth(xmp, data) or _apple(data)


def _gdepth(xmp: str) -> EmbeddedDepth | None:
    encoded = _value(xmp, _GDEPTH, "Data")
    if not encoded:
        return None
    try:
        picture = base64.b64decode("".join(encoded.split()) + "==")
    except binascii.Error:
        return None
    return _range(picture, "GDepth", xmp, _GDEPTH)


def _dynamic_depth(xmp: str, data: bytes) -> EmbeddedDepth | None:
    """The item with the meaning "Depth" in the directory of pictures appended to the primary one."""
    if _DYNAMIC not in xmp:
        return None
    items = re.findall(r"<[\w-]+:Item\b[^>]*?>", xmp, re.DOTALL)
    lengths = [_number(_attribute(item, "Length")) for item in items]
    padding = [_number(_attribute(item, "Padding")) for item in items]
    for index, item in enumerate(items):
        if (_attribute(item, "Semantic") or "").lower() not in ("depth", "depthmap") or lengths[index] <= 0:
            continue
        before = int(sum(lengths[1:index]) + sum(padding[:index]))
        after = int(sum(lengths[index:]) + sum(padding[index:]))
        for start in (jpeg_end(data) + before, len(data) - after):
            picture = data[max(start, 0) : start + int(lengths[index])]
            if picture[:3] == b"\xff\xd8\xff" or picture[:4] == b"\x89PNG":
                return _range(picture, "Dynamic Depth", xmp, f"{_DYNAMIC}depthmap/")
    return None


def _apple(data: bytes) -> EmbeddedDepth | None:
    """The auxiliary picture of an iPhone portrait saved as JPEG, which says "disparity" in an XMP of its own."""
    start = jpeg_end(data)
    while data[start : start + 3] == b"\xff\xd8\xff":
        part = data[start:]
        xmp = read_xmp(part)
        if "http://ns.apple.com/depthData/1.0/" in xmp or re.search(r"AuxiliaryImageType[^\w]{1,3}disparity", xmp):
            return EmbeddedDepth(part[: jpeg_end(part)], "Apple disparity", "Disparity", 0.0, 0.0, "")
        start += jpeg_end(part)
    return None


def jpeg_end(data: bytes) -> int:
    """Where the first JPEG in ``data`` ends (after its end marker), or ``len(data)``.

    Embedded thumbnails lie inside segments, which are stepped over; in the pixels a marker is 0xFF and then
    neither 0 nor a restart marker.
    """
    place = 2
    for segment in jpeg_segments(data):
        place = segment.start + 4 + len(segment.payload)
    marker = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
    while found := marker.search(data, place):
        if data[found.start() + 1] == 0xD9:
            return found.end()
        if found.end() + 2 > len(data):
            break
        place = found.end() + max(2, struct.unpack_from(">H", data, found.end())[0])
    return len(data)


def _range(picture: bytes, kind: str, xmp: str, namespace: str) -> EmbeddedDepth:
    encoding = _value(xmp, namespace, "Format") or "RangeInverse"
    near, far = (_number(_value(xmp, namespace, name)) for name in ("Near", "Far"))
    return EmbeddedDepth(picture, kind, encoding, near, far, _value(xmp, namespace, "Units") or "")


def _value(xmp: str, namespace: str, name: str) -> str | None:
    """A property of a namespace, written as an attribute or as an element."""
    for prefix in dict.fromkeys(re.findall(rf"""xmlns:([\w.-]+)\s*=\s*["']{re.escape(namespace)}["']""", xmp)):
        found = re.search(rf"""\b{re.escape(prefix)}:{name}\s*=\s*(["'])(.*?)\1""", xmp, re.DOTALL)
        found = found or re.search(rf"<{re.escape(prefix)}:{name}\b[^>]*()>([^<]*)<", xmp)
        if found:
            return found[2].strip()
    return None


def _attribute(element: str, name: str) -> str | None:
    found = re.search(rf"""[\w-]+:{name}\s*=\s*["']([^"']*)["']""", element)
    return found[1] if found else None


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
