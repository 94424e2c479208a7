"""Depth into a photo's JPEG file: GDepth (in extended XMP) or Dynamic Depth (a picture appended).

Sources: Google's depth map metadata reference, the Dynamic Depth 1.0 specification, Adobe's XMP
specification part 3. The reader is ``depthxmp``.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.atomic import atomic_path
from depth3d.io.image.jpeg import insert_segments, own_jpeg, remove_segments
from depth3d.io.image.read import encode_image, flatten
from depth3d.io.image.xmp import EXTENDED_XMP, XMP, jpeg_end, jpeg_segments

__all__ = ["Embedding", "embed_depth", "write_embedded"]

Embedding = Literal["gdepth", "dynamic"]

# Without true distances: nominal ones, whose ratio is that of our meshes.
_NOMINAL = (1.0, 10.0)
_LONG_SIDE = 2048
_APP1 = 0xE1
_PIECE = 65400  # of extended XMP in one segment; header, GUID and two numbers come on top, 65533 is the limit
_GOOGLE = "http://ns.google.com/photos"
_DYNAMIC_PARTS = ("device", "profile", "camera", "depthmap", "image", "container", "item")


def write_embedded(
    image: Image,
    depth: DepthMap,
    path: str | Path,
    kind: Embedding,
    *,
    source: bytes | None = None,
    near_far: tuple[float, float] | None = None,
    force: bool = False,
) -> Path:
    """Write a photo as JPEG with its depth inside; return the path.

    Raises ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    source : bytes | None
        The photo's own file. A JPEG that is upright and sRGB is kept as it is, EXIF and all, but for its XMP, in
        whose place the new one comes; anything else is encoded anew at quality 95.
    near_far : tuple[float, float] | None
        Distances of the nearest and farthest point in metres; None = nominal 1 and 10.
    """
    path = Path(path)
    jpeg = own_jpeg(source, image) if source else None
    if jpeg is None:
        jpeg = encode_image(flatten(image.eight_bit()), ".jpg", quality=95)
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(embed_depth(jpeg, depth, kind, near_far=near_far))
    return path


def embed_depth(jpeg: bytes, depth: DepthMap, kind: Embedding, *, near_far: tuple[float, float] | None = None) -> bytes:
    """The JPEG file with ``depth`` inside, as RangeInverse: 8 bits, linear in inverse distance, 0 = near.

    Raises ``InvalidInput`` if ``jpeg`` is none, the kind is unknown, or not 0 < near < far.
    """
    if jpeg[:3] != b"\xff\xd8\xff":
        raise InvalidInput("embed_depth: the photo is no JPEG")
    near, far = near_far or _NOMINAL
    if not 0 < near < far:
        raise InvalidInput(f"embed_depth: near {near}, far {far}; expected 0 < near < far")
    # Old XMP goes (two main packets are not allowed), and the list of further pictures, which are left off.
    stale = [s for s in jpeg_segments(jpeg) if _is_xmp(s.payload, s.marker) or s.payload.startswith(b"MPF\0")]
    jpeg = remove_segments(jpeg[: jpeg_end(jpeg)], stale)
    depth = depth.resized(depth.size.fit(_LONG_SIDE))
    gray = np.rint((1 - depth.values) * 255).astype(np.uint8)
    picture = Image(np.repeat(gray[..., None], 3, axis=2))
    if kind == "gdepth":
        return insert_segments(jpeg, _gdepth_segments(_gray_png(gray), near, far, depth))
    if kind == "dynamic":
        appended = encode_image(picture, ".jpg", quality=98)
        packet = _dynamic_packet(len(appended), near, far)
        return insert_segments(jpeg, [(_APP1, XMP + packet)]) + appended
    raise InvalidInput(f"embed_depth: kind {kind!r}, expected 'gdepth' or 'dynamic'")


def _is_xmp(payload: bytes, marker: int) -> bool:
    return marker == _APP1 and payload.startswith((XMP, EXTENDED_XMP))


def _gray_png(gray: NDArray[np.uint8]) -> bytes:
    import cv2

    done, data = cv2.imencode(".png", gray, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise InvalidInput(f"a depth map of shape {gray.shape} cannot be encoded as PNG")
    return bytes(data)


def _gdepth_segments(png: bytes, near: float, far: float, depth: DepthMap) -> Iterator[tuple[int, bytes]]:
    space = f"{_GOOGLE}/1.0/depthmap/"
    data = base64.b64encode(png).decode()
    extended = _body(f'<rdf:Description rdf:about="" xmlns:GDepth="{space}" GDepth:Data="{data}"/>').encode()
    name = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()
    main = _packet(
        f'<rdf:Description rdf:about="" xmlns:GDepth="{space}" xmlns:xmpNote="http://ns.adobe.com/xmp/note/"'
        f' GDepth:Format="RangeInverse" GDepth:Near="{near!r}" GDepth:Far="{far!r}" GDepth:Units="m"'
        f' GDepth:MeasureType="OpticalAxis" GDepth:Mime="image/png" GDepth:ImageWidth="{depth.size.width}"'
        f' GDepth:ImageHeight="{depth.size.height}" GDepth:Software="depth3d" xmpNote:HasExtendedXMP="{name}"/>'
    )
    yield _APP1, XMP + main
    for offset in range(0, len(extended), _PIECE):
        head = name.encode() + struct.pack(">II", len(extended), offset)
        yield _APP1, EXTENDED_XMP + head + extended[offset : offset + _PIECE]


def _dynamic_packet(length: int, near: float, far: float) -> bytes:
    names = ("Device", "Profile", "Camera", "DepthMap", "Image", "Container", "Item")
    spaces = " ".join(f'xmlns:{n}="{_GOOGLE}/dd/1.0/{p}/"' for n, p in zip(names, _DYNAMIC_PARTS, strict=True))
    item = '<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Length="{}"'
    item += ' Item:Padding="0" Item:Semantic="{}" Item:DataURI="{}"/></rdf:li>'
    return _packet(
        f'<rdf:Description rdf:about="" {spaces}>'
        '<Device:Profiles><rdf:Seq><rdf:li rdf:parseType="Resource"><Device:Profile Profile:Type="DepthPhoto">'
        "<Profile:CameraIndices><rdf:Seq><rdf:li>0</rdf:li></rdf:Seq></Profile:CameraIndices></Device:Profile>"
        "</rdf:li></rdf:Seq></Device:Profiles>"
        '<Device:Cameras><rdf:Seq><rdf:li rdf:parseType="Resource"><Device:Camera rdf:parseType="Resource">'
        f'<Camera:DepthMap DepthMap:Format="RangeInverse" DepthMap:Near="{near!r}" DepthMap:Far="{far!r}"'
        ' DepthMap:Units="Meters" DepthMap:MeasureType="OpticalAxis" DepthMap:DepthURI="android/depthmap"'
        ' DepthMap:ItemSemantic="Depth" DepthMap:Software="depth3d"/>'
        '<Camera:Image Image:ItemSemantic="Primary" Image:ItemURI="primary_image"/>'
        "</Device:Camera></rdf:li></rdf:Seq></Device:Cameras>"
        '<Device:Container rdf:parseType="Resource"><Container:Directory><rdf:Seq>'
        f"{item.format(0, 'Primary', 'primary_image')}{item.format(length, 'Depth', 'android/depthmap')}"
        "</rdf:Seq></Container:Directory></Device:Container></rdf:Description>"
    )


def _packet(description: str) -> bytes:
    """An XMP packet; the wrapper is for programs that look for XMP without knowing the file's format."""
    return (f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{_body(description)}<?xpacket end="w"?>').encode()


def _body(description: str) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"{description}</rdf:RDF></x:xmpmeta>"
    )
