"""Builders of photos with depth inside, for the tests of io (no tests here)."""

from __future__ import annotations

import base64
import hashlib
import io
import struct

import numpy as np
from PIL import Image as Pillow

from depth3d.image import Image

_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"


def gdepth_photo(photo: Image, stored: np.ndarray, encoding: str, near: float, far: float, orientation: int) -> bytes:
    """A JPEG with GDepth in extended XMP; ``stored`` is (H, W) in [0, 1] as the format encodes it."""
    buffer = io.BytesIO()
    Pillow.fromarray(np.round(stored * 65535).astype(np.uint16)).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"'
        f' GDepth:Format="{encoding}" GDepth:Near="{near}" GDepth:Far="{far}" GDepth:Mime="image/png"'
        f' GDepth:Data="{data}"/></x:xmpmeta>'
    ).encode()
    exif = Pillow.Exif()
    exif[274] = orientation
    plain = io.BytesIO()
    Pillow.fromarray(photo.pixels).save(plain, "JPEG", exif=exif.tobytes())
    segments = b""
    for start in range(0, len(packet), 60000):
        body = _EXTENDED + hashlib.md5(packet).hexdigest().upper().encode()
        body += struct.pack(">II", len(packet), start) + packet[start : start + 60000]
        segments += b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return plain.getvalue()[:2] + segments + plain.getvalue()[2:]
