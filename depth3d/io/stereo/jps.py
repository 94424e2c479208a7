"""JPS: a side-by-side or top-bottom JPEG with its layout in an APP3 segment (VRex's specification).

Kept by hand: no library reads or writes the segment.
"""

from __future__ import annotations

import struct
from pathlib import Path

from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.atomic import atomic_path
from depth3d.io.image.jpeg import APP3, insert_segments
from depth3d.io.image.photofile import PhotoFile, Source, open_photo
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.stereo.layouts import EyeLayout, side_by_side
from depth3d.io.stereo.registry import StereoFile
from depth3d.stereopair import StereoPair

__all__ = ["FORMAT", "jps_layout", "read_jps", "write_jps"]

_JPS = b"_JPSJPS_"
_HALF_HEIGHT, _HALF_WIDTH, _LEFT_FIRST = 1, 2, 4
_SIDE, _STACK = 2, 3
_CUSTOM = EyeLayout("side", half=False, right_first=True)  # without a segment: crossed eyes, full width


def write_jps(packed: Image, path: str | Path, *, right_first: bool = True, force: bool = False) -> Path:
    """Write a side-by-side picture as JPS; by custom the right eye is on the left (crossed eyes).

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
    descriptor = struct.pack(">BBBB", 0, 0 if right_first else _LEFT_FIRST, _SIDE, 1)
    comment = b"depth3d"
    payload = _JPS + struct.pack(">H", len(descriptor)) + descriptor + struct.pack(">H", len(comment)) + comment
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(insert_segments(encode_image(packed, ".jpg"), [(APP3, payload)]))
    return Path(path)


def read_jps(source: Source) -> StereoPair:
    """Read a JPS as its segment says; without one for crossed eyes, which is the custom.

    Raises ``ReadError`` for damaged files and layouts without two separate eyes.

    Parameters
    ----------
    source : Source
        The file.
    """
    photo = open_photo(source)
    layout = jps_layout(photo) or _CUSTOM
    if layout.packing == "other":
        raise ReadError(photo.name, "this JPS is interleaved or an anaglyph, which cannot be separated")
    return layout.unpack(open_image(photo))


def jps_layout(source: Source) -> EyeLayout | None:
    """Return the layout in the APP3 segment of a JPEG, or None; packing "other" = no two separate eyes.

    Parameters
    ----------
    source : Source
        The file.
    """
    for segment in open_photo(source).segments:
        if segment.marker == APP3 and segment.payload.startswith(_JPS) and len(segment.payload) >= 14:
            _, flags, arrangement, kind = struct.unpack_from(">BBBB", segment.payload, 10)
            packing = {_SIDE: "side", _STACK: "stack"}.get(arrangement, "other") if kind == 1 else "other"
            half = bool(flags & (_HALF_WIDTH if packing == "side" else _HALF_HEIGHT))
            return EyeLayout(packing, half, not flags & _LEFT_FIRST)
    return None


def _detect(photo: PhotoFile) -> bool | None:
    if not photo.is_jpeg:
        if photo.suffix == ".jps":
            raise ReadError(photo.name, "unsupported or corrupt JPS file: it does not begin with a JPEG")
        return None
    return photo.suffix == ".jps" or jps_layout(photo) is not None or None


def _write(pair: StereoPair, path: Path, force: bool) -> Path:
    return write_jps(side_by_side(pair, right_first=True), path, force=force)


FORMAT = StereoFile(
    "jps",
    "side-by-side JPEG with its layout inside, crossed eyes",
    (".jps",),
    _detect,
    lambda photo, _: read_jps(photo),
    _write,
    order=20,
)
