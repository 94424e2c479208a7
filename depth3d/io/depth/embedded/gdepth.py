"""GDepth: a depth picture in extended XMP, as older Google cameras and many editors write it.

Source: Google's depth map metadata reference (GDepth and GImage namespaces).
"""

from __future__ import annotations

import base64
from typing import Any

from numpy.typing import NDArray

from depth3d.errors import InvalidInput, ReadError
from depth3d.io.depth.embedded.registry import EmbeddedDepth, EmbeddedFormat
from depth3d.io.image.jpeg import insert_segments
from depth3d.io.image.panorama import GPANO
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.xmp import decode_base64, xmp_segments

__all__ = ["FORMAT"]

_GDEPTH = "http://ns.google.com/photos/1.0/depthmap/"
_GIMAGE = "http://ns.google.com/photos/1.0/image/"


def _find(photo: PhotoFile) -> EmbeddedDepth | None:
    xmp = photo.xmp
    text = xmp.value(_GDEPTH, "Data")
    if not text:
        return None
    picture = decode_base64(text)
    if not picture:
        raise ReadError(photo.name, "GDepth data is damaged (not base64)")
    # In panoramas GImage holds a second eye, elsewhere the photo without its artificial blur.
    image = xmp.value(_GIMAGE, "Data") if not xmp.has(GPANO) else None
    return EmbeddedDepth(
        picture,
        "GDepth",
        xmp.value(_GDEPTH, "Format") or "RangeInverse",
        xmp.number(_GDEPTH, "Near"),
        xmp.number(_GDEPTH, "Far"),
        xmp.value(_GDEPTH, "Units") or "",
        decode_base64(image) if image else None,
    )


def _write(jpeg: bytes, gray: NDArray[Any], near_far: tuple[float, float]) -> bytes:
    import cv2

    done, png = cv2.imencode(".png", gray, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise InvalidInput(f"a depth map of shape {gray.shape} cannot be encoded as PNG")
    spaces = {"GDepth": _GDEPTH}
    values = {
        "Format": "RangeInverse",
        "Near": repr(float(near_far[0])),
        "Far": repr(float(near_far[1])),
        "Units": "m",
        "MeasureType": "OpticalAxis",
        "Mime": "image/png",
        "ImageWidth": str(gray.shape[1]),
        "ImageHeight": str(gray.shape[0]),
        "Software": "depth3d",
    }
    data = {"GDepth:Data": base64.b64encode(bytes(png)).decode()}
    attributes = {f"GDepth:{name}": value for name, value in values.items()}
    return insert_segments(jpeg, xmp_segments(spaces, attributes, extended=(spaces, data)))


FORMAT = EmbeddedFormat(
    "GDepth",
    "older Google cameras, editors; GImage too (only made files were tried)",
    _find,
    _write,
    key="gdepth",
    order=10,
)
