"""OpenEXR depth files: any compression, any channel name, several parts; read and written by the OpenEXR package.

Kept by hand: the check for truncated files, since the package prints its own warning and drops the part.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.image import Size
from depth3d.io.depth.interpret import read_numbers
from depth3d.io.depth.registry import DepthFormat, ReadDepth
from depth3d.io.image.photofile import LARGEST, PhotoFile
from depth3d.io.image.read import reading

__all__ = ["FORMAT", "encode_exr", "read_exr"]

_MAGIC = b"v/1\x01"
# Rows in one block of a file, by compression number (OpenEXR file layout).
_ROWS = {3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}


def read_exr(photo: PhotoFile) -> tuple[NDArray[np.float32], bool]:
    """Return (H, W) float32 of the depth channel, and True if its name says that it holds distances.

    Depth is called Z, V, depth, disparity, ViewLayer.Depth.Z and the like; a file without such a name gives Y, or its
    first channel. Raises ``ReadError``.

    Parameters
    ----------
    photo : PhotoFile
        The file.
    """
    with reading(photo.name, "EXR file"):
        if not photo.data.startswith(_MAGIC):
            raise ReadError(photo.name, "unsupported or corrupt EXR file")
        _refuse_truncated(photo)
        import OpenEXR

        with OpenEXR.File(io.BytesIO(photo.data), header_only=True) as header:
            for part in header.parts:
                _refuse_large(photo, part.header["dataWindow"])
            count = len(header.parts)
        with OpenEXR.File(io.BytesIO(photo.data), separate_channels=True) as file:
            if len(file.parts) < count:
                raise ReadError(photo.name, "the EXR file is incomplete")
            channels = {
                f"{part.name()}.{name}" if part.name() else name: channel.pixels
                for part in file.parts
                for name, channel in part.channels.items()
            }
        usable = {name: pixels for name, pixels in channels.items() if pixels.ndim == 2 and pixels.dtype.kind in "fiu"}
        if not usable:
            raise ReadError(photo.name, "the EXR file holds no channel of plain numbers")
        named = _depth_channel(usable)
        chosen = named or _plain_channel(usable)
        return np.asarray(usable[chosen], np.float32), named is not None and "dispar" not in named.lower()


def encode_exr(values: NDArray[np.float32]) -> bytes:
    """Return the bytes of an EXR file with one channel Y of 32-bit floats, ZIP-compressed.

    Parameters
    ----------
    values : NDArray[np.float32]
        (H, W).
    """
    import tempfile
    from pathlib import Path

    import OpenEXR

    header: dict[str, Any] = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with tempfile.TemporaryDirectory() as folder:  # the package writes to named files only
        path = Path(folder) / "depth.exr"
        with OpenEXR.File(header, {"Y": np.ascontiguousarray(values, np.float32)}) as file:
            file.write(str(path))
        return path.read_bytes()


def _depth_channel(channels: dict[str, Any]) -> str | None:
    """Return the channel that is depth by its name: the last part is Z or V, or any part says depth or disparity."""
    for name in sorted(channels):
        parts = name.lower().split(".")
        if parts[-1] in ("z", "v") or any(word in part for part in parts for word in ("depth", "dispar")):
            return name
    return None


def _plain_channel(channels: dict[str, Any]) -> str:
    """Return Y, or G of a gray map stored in colors, or the first name."""
    last = {name.rpartition(".")[2]: name for name in sorted(channels, reverse=True)}
    return last.get("Y") or last.get("G") or min(channels)


def _refuse_large(photo: PhotoFile, window: Any) -> None:
    (x0, y0), (x1, y1) = (tuple(int(value) for value in corner) for corner in window)
    size = Size(x1 - x0 + 1, y1 - y0 + 1)
    if not 0 < size.pixels <= LARGEST or min(size) < 1:
        raise ReadError(photo.name, f"claims {size} pixels, expected 1 to {LARGEST >> 20} million")


def _refuse_truncated(photo: PhotoFile) -> None:
    """Compare the table of blocks of a single-part file with the file's length."""
    data = photo.data
    if len(data) < 8 or data[5] & 0x1A:  # tiles, deep data, several parts: the package's own error suffices
        return
    attributes = _attributes(data)
    if "dataWindow" not in attributes or "compression" not in attributes:
        return
    _, top, _, bottom = struct.unpack_from("<4i", data, attributes["dataWindow"])
    height = bottom - top + 1
    if data[5] & 2 or not 0 < height < 1 << 20:
        return
    lines = _ROWS.get(data[attributes["compression"]], 1)
    start = max(attributes.values())
    start += struct.unpack_from("<i", data, start - 4)[0] + 1
    blocks = struct.unpack_from(f"<{-(-height // lines)}Q", data, start)
    last = max(blocks)
    if last + 8 > len(data) or last + 8 + struct.unpack_from("<i", data, last + 4)[0] > len(data):
        raise ReadError(photo.name, "the EXR file is incomplete")


def _attributes(data: bytes) -> dict[str, int]:
    """Return name -> offset of the value in a single-part header."""
    place, found = 8, {}
    while place < len(data) and data[place] != 0:
        end = data.index(0, place)
        kind_end = data.index(0, end + 1)
        (length,) = struct.unpack_from("<i", data, kind_end + 1)
        found[data[place:end].decode("latin-1")] = kind_end + 5
        place = kind_end + 5 + max(length, 0)
    return found


def _read(photo: PhotoFile, invert: bool) -> ReadDepth:
    values, distances = read_exr(photo)
    return read_numbers(values, distances=distances, invert=invert)


def _write(depth: DepthMap, _suffix: str) -> bytes:
    return encode_exr(depth.values)


FORMAT = DepthFormat(
    "OpenEXR",
    "float32; a channel called Z or depth holds distances",
    (".exr",),
    lambda photo: photo.suffix == ".exr" or photo.data.startswith(_MAGIC),
    _read,
    _write,
    order=20,
)
