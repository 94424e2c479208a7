"""Depth of Xiaomi phones is only recognized: where it lies is described in public, its coding is not."""

from __future__ import annotations

from depth3d.errors import ReadError
from depth3d.io.depth.embedded.registry import EmbeddedDepth, EmbeddedFormat
from depth3d.io.image.photofile import PhotoFile

__all__ = ["FORMAT"]

_CAMERA = "http://ns.xiaomi.com/photos/1.0/camera/"


def _find(photo: PhotoFile) -> EmbeddedDepth | None:
    meta = photo.xmp.value(_CAMERA, "XMPMeta") if photo.is_jpeg else None
    if meta is not None and "<depthmap" in meta:
        raise ReadError(photo.name, "depth of a Xiaomi phone is inside, whose coding is not published")
    return None


FORMAT = EmbeddedFormat("Xiaomi depth", "recognized and told, not read", _find, order=60)
