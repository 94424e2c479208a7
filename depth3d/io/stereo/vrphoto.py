"""Google VR photos (``.vr.jpg``): the left eye is the JPEG, the right eye stands in its extended XMP.

Sources: Google's VR photo format (GPano and GImage namespaces), Adobe's XMP specification part 3.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from depth3d.errors import ReadError
from depth3d.image import Size
from depth3d.io.atomic import atomic_path
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.image.xmp import EXTENDED_XMP, XMP, jpeg_segments, read_xmp
from depth3d.stereopair import StereoPair

__all__ = ["has_right_eye", "read_vr_photo", "write_vr_photo"]

_GPANO = "http://ns.google.com/photos/1.0/panorama/"
_GIMAGE = "http://ns.google.com/photos/1.0/image/"
_NOTE = "http://ns.adobe.com/xmp/note/"
_CHUNK = 65000  # payload of an extended segment; the limit is 65535 less its header


def write_vr_photo(pair: StereoPair, path: str | Path, *, degrees: float, force: bool = False) -> Path:
    """Write equirectangular eyes as a VR photo; returns the path.

    Raises ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    pair : StereoPair
        Both eyes in equirectangular projection, the horizon in the middle row.
    degrees : float
        Horizontal angle that the pictures span, at most 360.
    """
    left, right = (encode_image(eye, ".jpg", quality=92) for eye in (pair.left, pair.right))
    extended = _packet({_GIMAGE: {"Data": base64.b64encode(right).decode("ascii")}})
    guid = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()
    main = _packet(
        {_GPANO: _crop(pair.size, degrees), _GIMAGE: {"Mime": "image/jpeg"}, _NOTE: {"HasExtendedXMP": guid}}
    )
    segments = [XMP + main]
    for start in range(0, len(extended), _CHUNK):
        header = EXTENDED_XMP + guid.encode("ascii") + struct.pack(">II", len(extended), start)
        segments.append(header + extended[start : start + _CHUNK])
    place = 2
    for found in jpeg_segments(left):
        if found.marker == 0xE0:
            place = found.start + 4 + len(found.payload)
    inserted = b"".join(struct.pack(">BBH", 0xFF, 0xE1, len(body) + 2) + body for body in segments)
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(left[:place] + inserted + left[place:])
    return Path(path)


def read_vr_photo(path: str | Path) -> StereoPair:
    """Read both eyes of a VR photo.

    Raises ``ReadError`` if there is no right eye inside or it is damaged.
    """
    data = Path(path).read_bytes()
    encoded = _right_eye(data)
    if encoded is None:
        raise ReadError(path, "has no second eye in its XMP (GImage:Data)")
    try:
        right = open_image(base64.b64decode(encoded))
    except (binascii.Error, ReadError) as error:
        raise ReadError(path, "the second eye in its XMP is damaged") from error
    left = open_image(path)
    if left.size != right.size:
        raise ReadError(path, f"its eyes have different sizes ({left.size} and {right.size})")
    return StereoPair(left, right)


def has_right_eye(data: bytes) -> bool:
    """Whether the XMP of a JPEG holds a second eye."""
    return _right_eye(data) is not None


def _right_eye(data: bytes) -> str | None:
    xmp = read_xmp(data)
    if _GIMAGE not in xmp:
        return None
    found = re.search(r"""GImage:Data\s*(?:=\s*["']|>)([A-Za-z0-9+/=\s]+)""", xmp)
    mime = re.search(r"""GImage:Mime\s*(?:=\s*["']|>)([\w/]+)""", xmp)
    # Motorola and Google camera also keep a JPEG of other things there; a VR photo is a panorama, too.
    return found[1] if found and mime and _GPANO in xmp else None


def _crop(size: Size, degrees: float) -> dict[str, str]:
    """Where the picture lies on the whole sphere."""
    full = Size(round(size.width * 360 / degrees), round(size.width * 180 / degrees))
    return {
        "ProjectionType": "equirectangular",
        "CroppedAreaLeftPixels": str((full.width - size.width) // 2),
        "CroppedAreaTopPixels": str((full.height - size.height) // 2),
        "CroppedAreaImageWidthPixels": str(size.width),
        "CroppedAreaImageHeightPixels": str(size.height),
        "FullPanoWidthPixels": str(full.width),
        "FullPanoHeightPixels": str(full.height),
        "InitialViewHeadingDegrees": "180",
    }


_PREFIXES = {_GPANO: "GPano", _GIMAGE: "GImage", _NOTE: "xmpNote"}


def _packet(values: dict[str, dict[str, str]]) -> bytes:
    names = "".join(f' xmlns:{_PREFIXES[space]}="{space}"' for space in values)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{names} {" ".join(_attributes(values))}/></rdf:RDF></x:xmpmeta>'
    ).encode()


def _attributes(values: dict[str, dict[str, str]]) -> Iterator[str]:
    for space, fields in values.items():
        for name, value in fields.items():
            yield f"{_PREFIXES[space]}:{name}={quoteattr(value)}"
