"""Spatial photos (HEIC with a ``ster`` entity group), as iPhones and Vision Pro write them.

Reading is exact. Writing is experimental: pillow-heif writes no entity groups, so the group is put into
its file afterwards; whether visionOS wants camera properties too could not be tried.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np

from depth3d.errors import ReadError, WriteError
from depth3d.image import Image
from depth3d.io.atomic import atomic_path
from depth3d.io.image.photofile import PhotoFile, Source, open_photo
from depth3d.io.image.read import flatten, open_image, reading
from depth3d.io.stereo.registry import StereoFile
from depth3d.stereopair import StereoPair

__all__ = ["FORMAT", "is_spatial_heic", "read_spatial_heic", "write_spatial_heic"]


def is_spatial_heic(source: Source) -> bool:
    """Return True if two pictures of a HEIC file are marked as a stereo pair.

    Parameters
    ----------
    source : Source
        The file.
    """
    try:
        return _stereo_group(open_photo(source)) is not None
    except ReadError:
        return False


def read_spatial_heic(source: Source) -> StereoPair:
    """Read both eyes of a spatial photo.

    Raises ``ReadError`` if the file is damaged or holds no stereo group.

    Parameters
    ----------
    source : Source
        The file.
    """
    photo = open_photo(source)
    group = _stereo_group(photo)
    if group is None:
        raise ReadError(photo.name, "is a HEIC picture without a second eye")
    with reading(photo.name, "spatial photo"):
        left, right = (open_image(photo.heif[index].to_pillow()) for index in group)
    if left.size != right.size:
        raise ReadError(photo.name, f"its eyes have different sizes ({left.size} and {right.size})")
    return StereoPair(left, right)


def _stereo_group(photo: PhotoFile) -> tuple[int, int] | None:
    """Return the indices of the left and right picture, or None."""
    if not photo.is_heif:
        raise ReadError(photo.name, "unsupported or corrupt HEIC file")
    groups: Any = photo.heif.info.get("entity_groups") or ()
    for group in groups:
        images: Any = group.get("images") or ()
        if group.get("type") == "ster" and len(images) >= 2:
            if not all(isinstance(index, int) for index in images[:2]):
                raise ReadError(photo.name, "its stereo group names pictures that are not in the file")
            return int(images[0]), int(images[1])
    return None


def write_spatial_heic(pair: StereoPair, path: str | Path, *, quality: int = 90, force: bool = False) -> Path:
    """Write both eyes as one HEIC with a ``ster`` group (experimental); returns the path.

    Raises ``ExistsError`` or ``WriteError``.
    """
    import pillow_heif

    heif: Any = pillow_heif.from_bytes("RGB", pair.size, _rgb(pair.left))
    heif.add_frombytes("RGB", pair.size, _rgb(pair.right))
    buffer = io.BytesIO()
    try:
        heif.save(buffer, quality=quality, format="HEIF")
        data = _with_group(buffer.getvalue())
    except (ValueError, RuntimeError, OSError, struct.error) as error:
        raise WriteError(path, f"cannot be written as HEIC: {error}") from error
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data)
    return Path(path)


def _rgb(eye: Image) -> bytes:
    return np.ascontiguousarray(flatten(eye.eight_bit()).pixels).tobytes()


def _with_group(data: bytes) -> bytes:
    """The HEIC file with its first two coded pictures grouped as a stereo pair."""
    start, end = _find(data, b"meta", 0, len(data))
    inside = start + 12  # box header and version
    pictures = _coded_items(data, *_find(data, b"iinf", inside, end))
    group = _box(b"grpl", _box(b"ster", struct.pack(">IIIII", 0, 0x7FFF, 2, *pictures[:2])))
    table = bytearray(data)
    _shift_items(table, *_find(data, b"iloc", inside, end), by=len(group))
    struct.pack_into(">I", table, start, end - start + len(group))
    return bytes(table[:end]) + group + bytes(table[end:])


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def _find(data: bytes, kind: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the first box of this kind starts and ends; raises ValueError if there is none."""
    while start + 8 <= end:
        size, found = struct.unpack_from(">I4s", data, start)
        if size < 8:
            break
        if found == kind:
            return start, start + size
        start += size
    raise ValueError(f"no {kind.decode()} box")


def _coded_items(data: bytes, start: int, end: int) -> list[int]:
    """Item numbers of the coded pictures (hvc1, or grids of them) in the order of the file."""
    place = start + 12 + (2 if data[start + 8] == 0 else 4)
    items: list[tuple[int, bytes]] = []
    while place + 20 <= end:
        (size,) = struct.unpack_from(">I", data, place)
        wide = data[place + 8] >= 3
        number, _, kind = struct.unpack_from(">IH4s" if wide else ">HH4s", data, place + 12)
        items.append((number, kind))
        place += size
    grids = [number for number, kind in items if kind == b"grid"]
    found = grids or [number for number, kind in items if kind == b"hvc1"]
    if len(found) < 2:
        raise ValueError(f"{len(found)} coded pictures, expected two")
    return found


def _shift_items(table: bytearray, start: int, end: int, *, by: int) -> None:
    """Add ``by`` to every offset from the start of the file: the bytes behind the index move."""
    version = table[start + 8]
    offset_size, length_size = table[start + 12] >> 4, table[start + 12] & 15
    base_size, index_size = table[start + 13] >> 4, table[start + 13] & 15 if version else 0
    wide = version == 2
    count = int.from_bytes(table[start + 14 : start + (18 if wide else 16)], "big")
    place = start + (18 if wide else 16)
    for _ in range(count):
        place += 4 if wide else 2
        method = 0
        if version:
            method = table[place + 1] & 15
            place += 2
        place += 2  # data reference
        base_place = place
        place += base_size
        (extents,) = struct.unpack_from(">H", table, place)
        place += 2
        in_file = method == 0  # 1 counts from the idat box, which stays inside the index
        if in_file and base_size and int.from_bytes(table[base_place : base_place + base_size], "big"):
            _add(table, base_place, base_size, by)
            in_file = False
        for _ in range(extents):
            place += index_size
            if in_file:
                _add(table, place, offset_size, by)
            place += offset_size + length_size
    if place > end:
        raise ValueError("the iloc box is damaged")


def _add(table: bytearray, place: int, size: int, by: int) -> None:
    value = int.from_bytes(table[place : place + size], "big") + by
    table[place : place + size] = value.to_bytes(size, "big")


FORMAT = StereoFile(
    "heic",
    "spatial photo of iPhones and Vision Pro",
    (".heic", ".heif"),
    lambda photo: (photo.is_heif and is_spatial_heic(photo)) or None,
    lambda photo, _: read_spatial_heic(photo),
    lambda pair, path, force: write_spatial_heic(pair, path, force=force),
    order=50,
)
