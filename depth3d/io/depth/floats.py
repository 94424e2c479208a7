"""Numbers in files: NPY, PFM and OpenEXR, one channel, 32-bit floats."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from depth3d.errors import ReadError
from depth3d.image import Size
from depth3d.io.image.read import LARGEST

__all__ = ["FLOAT_SUFFIXES", "encode_floats", "has_distances", "holds_floats", "read_floats"]

FLOAT_SUFFIXES = (".npy", ".pfm", ".exr")


def read_floats(path: Path) -> NDArray[np.float32]:
    """(H, W) float32, row 0 = top, NaN and infinity as they stand in the file.

    Several channels (RGB of a grey map) give the first. Raises ``ReadError``.
    """
    reader = {".npy": _read_npy, ".pfm": _read_pfm, ".exr": _read_exr}.get(path.suffix.lower(), _read_tiff)
    try:
        values = np.squeeze(np.asarray(reader(path)))
    except ReadError:
        raise
    except FileNotFoundError:
        raise ReadError(path, "there is no such file") from None
    except MemoryError:
        raise ReadError(path, "does not fit into memory; make it smaller first") from None
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise ReadError(
            path, f"the numbers are damaged or incomplete ({' '.join(str(error).split())[:120]})"
        ) from error
    if values.ndim == 3 and values.shape[2] in (2, 3, 4):
        values = values[..., 0]
    if values.ndim != 2 or values.size == 0:
        raise ReadError(path, f"holds an array of shape {values.shape}, expected (H, W)")
    return values.astype(np.float32)


def holds_floats(path: Path) -> bool:
    """Whether ``read_floats`` is for this file: by its suffix, or a TIFF of 32-bit numbers."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        return path.suffix.lower() in FLOAT_SUFFIXES
    try:
        with Pillow.open(path, formats=("TIFF",)) as picture:
            return picture.mode in ("F", "I")
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError):
        return False  # opening it as a picture says what is wrong


def has_distances(path: Path) -> bool:
    """Whether the names inside the file say that its numbers are distances: an EXR channel called Z or depth."""
    if path.suffix.lower() != ".exr":
        return False
    with path.open("rb") as file:
        data = file.read(65536)
    place = _exr_attributes(data).get("channels")
    name = None if place is None else _depth_channel(_exr_channels(data, place))
    return name is not None and "dispar" not in name.lower()


def encode_floats(values: NDArray[np.float32], suffix: str) -> bytes:
    """The bytes of an NPY, PFM or EXR file with the (H, W) ``values``."""
    values = np.ascontiguousarray(values, dtype=np.float32)
    if suffix == ".pfm":
        height, width = values.shape
        return b"Pf\n%d %d\n-1.0\n" % (width, height) + values[::-1].astype("<f4").tobytes()
    if suffix == ".exr":
        return _encode_exr(values)
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def _read_npy(path: Path) -> NDArray[Any]:
    # Mapped first: a header that claims a huge array costs nothing, and pickled objects are refused.
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    if mapped.size > LARGEST or mapped.dtype.kind not in "fiub":
        raise ReadError(path, f"holds {mapped.dtype} of shape {mapped.shape}, expected numbers of shape (H, W)")
    return np.array(mapped)


def _read_pfm(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        kind = file.readline(8).strip()
        size = file.readline(64).split()
        scale = float(file.readline(64))
        if kind not in (b"Pf", b"PF") or len(size) != 2:
            raise ReadError(path, "is no PFM file")
        width, height, channels = int(size[0]), int(size[1]), 3 if kind == b"PF" else 1
        if not 0 < width * height * channels <= LARGEST * 3 or min(width, height) < 1:
            raise ReadError(path, f"claims {width}x{height} pixels")
        data = file.read(width * height * channels * 4)
    values = np.frombuffer(data, "<f4" if scale < 0 else ">f4").reshape(height, width, channels)
    return values[::-1]  # PFM stores the bottom row first


def _read_tiff(path: Path) -> NDArray[Any]:
    with Pillow.open(path, formats=("TIFF",)) as picture:
        if picture.width * picture.height > LARGEST:
            raise ReadError(path, f"has {picture.width}x{picture.height} pixels, more than {LARGEST >> 20} megapixels")
        return np.asarray(picture)


def _encode_exr(values: NDArray[np.float32]) -> bytes:
    import av

    buffer = io.BytesIO()
    height, width = values.shape
    codec: Any = av.CodecContext.create("exr", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, "grayf32le", Fraction(1)
    codec.options = {"compression": "zip16", "format": "float"}
    for packet in [*codec.encode(av.VideoFrame.from_ndarray(values, "grayf32le")), *codec.encode(None)]:
        buffer.write(bytes(packet))
    return buffer.getvalue()


def _read_exr(path: Path) -> NDArray[Any]:
    import av

    data, layer, size = _with_one_gray_channel(path, path.read_bytes())
    if not 0 < size.pixels <= LARGEST or min(size) < 1:
        raise ReadError(path, f"claims {size} pixels, expected 1 to {LARGEST / 2**20:.0f} million")
    codec: Any = av.CodecContext.create("exr", "r")
    codec.options = {"layer": layer} if layer else {}
    frames = [*codec.decode(av.Packet(data)), *codec.decode(None)]
    if not frames:
        raise ReadError(path, "the EXR picture is damaged or of a kind that cannot be read")
    # The first plane is Y, or G of a grey map in colours; half floats are none that PyAV hands out itself.
    frame, kind = frames[0], np.dtype("<f2" if "16" in frames[0].format.name else "<f4")
    lines = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)
    return lines[: frame.height, : frame.width * kind.itemsize].copy().view(kind)


def _with_one_gray_channel(path: Path, data: bytes) -> tuple[bytes, str, Size]:
    """Rename channels so that the decoder, which knows only R, G, B, A and Y, gives the depth as grey.

    Depth is called Z, V, depth, disparity or ViewLayer.Depth.Z in the wild. A new name has to be as long as
    the old one, or every offset in the file would change: "Depth.V" becomes "Depth.Y" and "depth" "ddd.Y".
    """
    if data[:4] != b"v/1\x01":
        raise ReadError(path, "is no EXR file")
    attributes = _exr_attributes(data)
    if "channels" not in attributes or "dataWindow" not in attributes:
        raise ReadError(path, "is an EXR file of several parts or without channels, which cannot be read")
    x0, y0, x1, y1 = struct.unpack_from("<4i", data, attributes["dataWindow"])
    size = Size(x1 - x0 + 1, y1 - y0 + 1)
    _refuse_truncated(path, data, attributes, size.height)
    names = _exr_channels(data, attributes["channels"])
    if {"R", "G", "B"} <= names.keys() and not _depth_channel(names):
        return data, "", size
    chosen = _depth_channel(names) or ("Y" if "Y" in names else min(names))
    layer, changed = "", bytearray(data)
    for name, place in names.items():
        if name == chosen:
            new = "Y" if len(name) == 1 else (name[:-1] + "Y" if name[-2:-1] == "." else "d" * (len(name) - 2) + ".Y")
            layer = new[:-2]
        else:
            new = "q" * len(name)  # no name that the decoder knows
        changed[place : place + len(name)] = new.encode("latin-1")
    return bytes(changed), layer, size


def _refuse_truncated(path: Path, data: bytes, attributes: dict[str, int], height: int) -> None:
    """The decoder would leave missing lines black; the table of line blocks tells whether all are there."""
    compression = data[attributes["compression"]]
    lines = {3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}.get(compression, 1)
    if data[5] & 2 or not 0 < height < 1 << 20:  # tiles
        return
    start = max(place for place in attributes.values())
    start += struct.unpack_from("<i", data, start - 4)[0] + 1
    blocks = struct.unpack_from(f"<{-(-height // lines)}Q", data, start)
    last = max(blocks)
    if last + 8 > len(data) or last + 8 + struct.unpack_from("<i", data, last + 4)[0] > len(data):
        raise ReadError(path, "the EXR file is incomplete")


def _depth_channel(names: dict[str, int]) -> str | None:
    """The channel that is depth by its name: the last part is Z or V, or any part says depth or disparity."""
    for name in names:
        parts = name.lower().split(".")
        if parts[-1] in ("z", "v") or any(word in part for part in parts for word in ("depth", "dispar")):
            return name
    return None


def _exr_attributes(data: bytes) -> dict[str, int]:
    """Name -> where the value begins, of a single-part file's header."""
    place, found = 8, {}
    while place < len(data) and data[place] != 0:
        end = data.index(0, place)
        kind_end = data.index(0, end + 1)
        (length,) = struct.unpack_from("<i", data, kind_end + 1)
        found[data[place:end].decode("latin-1")] = kind_end + 5
        place = kind_end + 5 + max(length, 0)
    return found


def _exr_channels(data: bytes, place: int) -> dict[str, int]:
    """Channel name -> where it begins."""
    found = {}
    while data[place] != 0:
        end = data.index(0, place)
        found[data[place:end].decode("latin-1")] = place
        place = end + 17  # the zero, then type, flags and two sampling numbers
    return found
