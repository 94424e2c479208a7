from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import struct

import numpy as np
import pytest
from PIL import Image as Pillow

from depth3d.errors import ReadError
from depth3d.io.depth.embedded.registry import EmbeddedDepth
from depth3d.io.depth.embedded.registry import embedded_depth as embedded_depth_of
from depth3d.io.image.jpeg import jpeg_end, jpeg_segments
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.xmp import read_xmp

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"


def embedded_depth(data: bytes) -> EmbeddedDepth | None:
    return embedded_depth_of(PhotoFile(data))


def jpeg(value: int = 128, size: tuple[int, int] = (64, 48), **settings: object) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(value).integers(0, 255, (size[1], size[0]), dtype=np.uint8)
    Pillow.fromarray(noise).save(buffer, "JPEG", quality=95, **settings)
    return buffer.getvalue()


def segment(payload: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload


def with_segments(photo: bytes, *payloads: bytes) -> bytes:
    return photo[:2] + b"".join(segment(payload) for payload in payloads) + photo[2:]


def extended(packet: bytes, piece: int = 3000) -> list[bytes]:
    head = EXTENDED_XMP + hashlib.md5(packet).hexdigest().upper().encode() + struct.pack(">I", len(packet))
    starts = range(0, len(packet), piece)
    return [head + struct.pack(">I", start) + packet[start : start + piece] for start in starts]


def gdepth(depth: bytes, *, encoding: str = "RangeInverse", as_elements: bool = False) -> bytes:
    fields = {"Format": encoding, "Near": "0.5", "Far": "12", "Mime": "image/jpeg", "Units": "m"}
    fields["Data"] = base64.b64encode(depth).decode()
    name = 'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"'
    if as_elements:
        body = f"<rdf:Description {name}>" + "".join(f"<GDepth:{k}>{v}</GDepth:{k}>" for k, v in fields.items())
    else:
        body = f"<rdf:Description {name} " + " ".join(f'GDepth:{k}="{v}"' for k, v in fields.items()) + ">"
    return f"<x:xmpmeta>{body}</rdf:Description></x:xmpmeta>".encode()


@pytest.mark.parametrize("as_elements", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
def test_gdepth_in_extended_xmp(as_elements: bool, shuffled: bool) -> None:
    depth = jpeg(7)
    pieces = extended(gdepth(depth, as_elements=as_elements))
    assert len(pieces) > 1
    photo = with_segments(jpeg(), XMP + b"<x:xmpmeta/>", *(reversed(pieces) if shuffled else pieces))
    found = embedded_depth(photo)
    assert found is not None
    assert found.picture == depth
    assert (found.kind, found.encoding, found.near, found.far) == ("GDepth", "RangeInverse", 0.5, 12.0)


def dynamic(depth: bytes, padding: int = 0, more: bytes = b"") -> bytes:
    base = "http://ns.google.com/photos/dd/1.0/"
    items = f'<Container:Item Item:Mime="image/jpeg" Item:Length="0" Item:Semantic="Primary" Item:Padding="{padding}"/>'
    items += f'<Container:Item Item:Mime="image/jpeg" Item:Length="{len(depth)}" Item:Semantic="Depth"/>'
    if more:
        items += f'<Container:Item Item:Mime="x" Item:Length="{len(more)}" Item:Semantic="Other"/>'
    packet = (
        f'<x:xmpmeta><rdf:Description xmlns:Container="{base}container/" xmlns:Item="{base}item/"'
        f' xmlns:DepthMap="{base}depthmap/" DepthMap:Format="RangeLinear" DepthMap:Near="1" DepthMap:Far="9">{items}'
        "</rdf:Description></x:xmpmeta>"
    )
    return with_segments(jpeg(), XMP + packet.encode()) + b"\0" * padding + depth + more


@pytest.mark.parametrize("padding", [0, 10])
@pytest.mark.parametrize("trailer", [b"", b"something a phone appended"])
@pytest.mark.parametrize("more", [b"", b"a third item"])
def test_dynamic_depth_behind_the_photo(padding: int, trailer: bytes, more: bytes) -> None:
    depth = jpeg(9)
    found = embedded_depth(dynamic(depth, padding, more) + trailer)
    assert found is not None
    assert found.picture == depth
    assert (found.kind, found.encoding, found.near, found.far) == ("Dynamic Depth", "RangeLinear", 1.0, 9.0)


def test_apples_auxiliary_picture() -> None:
    packet = b'<x:xmpmeta xmlns:depthData="http://ns.apple.com/depthData/1.0/" depthData:Accuracy="relative"/>'
    depth = with_segments(jpeg(3), XMP + packet)
    found = embedded_depth(jpeg() + jpeg(5) + depth + b"tail")
    assert found is not None
    assert found.picture == depth
    assert found.encoding == "Disparity"


def test_the_end_of_a_jpeg_is_found_behind_thumbnails_and_progressive_scans() -> None:
    for photo in (jpeg(), jpeg(progressive=True), with_segments(jpeg(), b"Exif\0\0" + jpeg(2, (8, 8)))):
        assert jpeg_end(photo + b"\xff\xd8\xff\xe0more") == len(photo)
    assert jpeg_end(jpeg()[:500]) == 500


def test_photos_without_depth_and_damaged_ones() -> None:
    assert embedded_depth(jpeg()) is None
    assert embedded_depth(b"") is None
    assert embedded_depth(b"\x89PNG\r\n") is None
    assert read_xmp(jpeg()).nodes == []
    whole = dynamic(jpeg(9))
    for cut in range(3, len(whole), 97):
        with contextlib.suppress(ReadError):
            embedded_depth(whole[:cut])
    assert list(jpeg_segments(b"\xff\xd8\xff\xe1\x00\x01")) == []
