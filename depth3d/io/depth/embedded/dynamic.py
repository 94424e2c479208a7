"""Dynamic Depth: pictures appended to the photo, listed in a directory in its XMP, as Android phones write it.

Source: the Dynamic Depth 1.0 specification (Google). Phones write the directory's items with Mime, Length, Padding
and DataURI or with a Semantic, as attributes or as elements; the camera's DepthMap names its item by DepthURI.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.depth.embedded.registry import EmbeddedDepth, EmbeddedFormat
from depth3d.io.image.jpeg import insert_segments, is_jpeg
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.read import encode_image
from depth3d.io.image.xmp import Xmp, as_number, xmp_segments

__all__ = ["FORMAT"]

_DD = "http://ns.google.com/photos/dd/1.0/"
_CONTAINERS = (f"{_DD}container/", "http://ns.google.com/photos/1.0/container/")
_ITEMS = (f"{_DD}item/", "http://ns.google.com/photos/1.0/container/item/")
_DEPTHMAP = f"{_DD}depthmap/"
_IMAGE = f"{_DD}image/"
_DEPTH_WORDS = ("depth", "depthmap", "android/depthmap", "depth_map")
_ORIGINAL_WORDS = ("original", "originalimage", "android/original_image", "original_image")
_PARTS = ("Device", "Profile", "Camera", "DepthMap", "Image", "Container", "Item")


class _Item:
    """An entry of the directory: its name (DataURI or Semantic), length and the padding behind it, in bytes."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.names = tuple(fields[key].strip().lower() for key in ("Semantic", "DataURI") if fields.get(key))
        self.length = max(0, int(as_number(fields.get("Length"))))
        self.padding = max(0, int(as_number(fields.get("Padding"))))
        self.mime = fields.get("Mime", "").lower()


def _items(xmp: Xmp) -> list[_Item]:
    found = []
    for node in xmp.nodes:
        is_item = node.name[0] in _CONTAINERS and node.name[1] == "Item"
        for space in _ITEMS:
            fields = node.fields(space)
            # Without a Container:Item element the properties lie directly on rdf:li.
            if fields and (is_item or "Mime" in fields):
                found.append(_Item(fields))
                break
    return found


def _find(photo: PhotoFile) -> EmbeddedDepth | None:
    if not photo.is_jpeg:
        return None
    xmp = photo.xmp
    if not any(xmp.has(space) for space in _CONTAINERS):
        return None
    items = _items(xmp)
    wanted = {*_DEPTH_WORDS, (xmp.value(_DEPTHMAP, "DepthURI") or "android/depthmap").lower()}
    index = _index(items, wanted)
    if index is None:
        if xmp.value(_DEPTHMAP, "DepthURI"):
            raise ReadError(photo.name, "Dynamic Depth is announced, but its directory lists no depth picture")
        return None
    picture = _part(photo, items, index)
    if picture is None:
        raise ReadError(photo.name, "the depth picture of its Dynamic Depth is missing; the file was cut or edited")
    originals = {*_ORIGINAL_WORDS, *_original_uris(xmp)}
    sharp = _index(items, originals)
    return EmbeddedDepth(
        picture,
        "Dynamic Depth",
        xmp.value(_DEPTHMAP, "Format") or "RangeInverse",
        xmp.number(_DEPTHMAP, "Near"),
        xmp.number(_DEPTHMAP, "Far"),
        xmp.value(_DEPTHMAP, "Units") or "",
        None if sharp is None else _part(photo, items, sharp),
    )


def _original_uris(xmp: Xmp) -> Iterator[str]:
    for node in xmp.nodes:
        fields = node.fields(_IMAGE)
        if fields.get("ItemSemantic", "").lower() == "original" and fields.get("ItemURI"):
            yield fields["ItemURI"].strip().lower()


def _index(items: list[_Item], names: set[str]) -> int | None:
    # The primary picture has no length; others may lack it, too.
    return next((i for i, item in enumerate(items) if (item.length > 0 or i > 0) and names & set(item.names)), None)


def _part(photo: PhotoFile, items: list[_Item], index: int) -> bytes | None:
    """Return the picture of an item: counted from the end of the first picture, or from the end of the file."""
    item = items[index]
    end = photo.pictures[0][1]
    # Items before this one, without the primary one, whose length is 0 or that of the picture itself.
    before = sum(one.length + one.padding for one in items[1:index]) + items[0].padding
    if item.length == 0:
        appended = photo.pictures[1:]
        if len(appended) == len(items) - 1:
            return photo.part(*appended[index - 1])
        return next((photo.part(start, stop) for start, stop in appended if start == end + before), None)
    after = sum(one.length + one.padding for one in items[index:])
    starts = [end + before, len(photo.data) - after]
    starts += [start for start, stop in photo.pictures[1:] if abs(stop - start - item.length) <= item.padding]
    for start in starts:
        picture = photo.part(start, start + item.length)
        if is_jpeg(picture) or picture[:4] == b"\x89PNG":
            return picture
    return None


def _write(jpeg: bytes, gray: NDArray[Any], near_far: tuple[float, float]) -> bytes:
    picture = encode_image(Image(np.repeat(gray[..., None], 3, axis=2)), ".jpg", quality=98)
    spaces = {name: f"{_DD}{name.lower()}/" for name in _PARTS}
    body = _body(len(picture), *(float(value) for value in near_far))
    return insert_segments(jpeg, xmp_segments(spaces, {}, body)) + picture


def _body(length: int, near: float, far: float) -> str:
    item = '<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:Length="{}"'
    item += ' Item:Padding="0" Item:Semantic="{}" Item:DataURI="{}"/></rdf:li>'
    return (
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
        "</rdf:Seq></Container:Directory></Device:Container>"
    )


FORMAT = EmbeddedFormat(
    "Dynamic Depth",
    "portrait photos of Android phones, also with GCamera's directory (only made files were tried)",
    _find,
    _write,
    key="dynamic",
    order=20,
)
