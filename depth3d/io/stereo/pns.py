"""PNS: a side-by-side PNG with the ``sTER`` chunk (W3C PNG extensions).

Kept by hand: Pillow drops chunks of this name when writing.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from depth3d.image import Image
from depth3d.io.atomic import atomic_path
from depth3d.io.image.photofile import PNG_SIGNATURE, PhotoFile, Source, open_photo
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.stereo.layouts import EyeLayout, side_by_side
from depth3d.io.stereo.registry import StereoFile
from depth3d.stereopair import StereoPair

__all__ = ["FORMAT", "pns_layout", "read_pns", "write_pns"]

_CUSTOM = EyeLayout("side", half=False, right_first=True)  # without a chunk: crossed eyes


def write_pns(packed: Image, path: str | Path, *, right_first: bool = True, force: bool = False) -> Path:
    """Write a side-by-side picture as PNG with the ``sTER`` chunk (0 = crossed eyes, 1 = parallel).

    Raises ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    packed : Image
        Both eyes side by side.
    path : str | Path
        The file to write.
    right_first : bool
        The right eye is on the left.
    force : bool
        Replace an existing file.
    """
    data = encode_image(packed, ".png")
    body = b"sTER" + bytes([0 if right_first else 1])
    chunk = struct.pack(">I", 1) + body + struct.pack(">I", zlib.crc32(body))
    behind_header = len(PNG_SIGNATURE) + 25  # the IHDR chunk comes first and is always this long
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data[:behind_header] + chunk + data[behind_header:])
    return Path(path)


def read_pns(source: Source) -> StereoPair:
    """Read a PNS; without an ``sTER`` chunk for crossed eyes.

    Parameters
    ----------
    source : Source
        The file.
    """
    photo = open_photo(source)
    return (pns_layout(photo) or _CUSTOM).unpack(open_image(photo))


def pns_layout(source: Source) -> EyeLayout | None:
    """Return the layout in the ``sTER`` chunk of a PNG, or None if it has none.

    Parameters
    ----------
    source : Source
        The file.
    """
    data = open_photo(source).data
    place = len(PNG_SIGNATURE)
    while data.startswith(PNG_SIGNATURE) and place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind = data[place + 4 : place + 8]
        if kind == b"sTER" and length == 1:
            return EyeLayout("side", half=False, right_first=data[place + 8] == 0)
        if kind == b"IDAT":
            return None
        place += 12 + length
    return None


def _detect(photo: PhotoFile) -> bool | None:
    return (not photo.is_jpeg and (photo.suffix == ".pns" or pns_layout(photo) is not None)) or None


def _write(pair: StereoPair, path: Path, force: bool) -> Path:
    return write_pns(side_by_side(pair, right_first=True), path, force=force)


FORMAT = StereoFile(
    "pns",
    "side-by-side PNG with its layout inside, crossed eyes",
    (".pns",),
    _detect,
    lambda photo, _: read_pns(photo),
    _write,
    order=40,
)
