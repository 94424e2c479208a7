"""NumPy files: one array (.npy) or several (.npz, the key ``depth`` first). Pickled objects are refused."""

from __future__ import annotations

import io
import zipfile
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.io.depth.interpret import read_numbers
from depth3d.io.depth.registry import DepthFormat, ReadDepth
from depth3d.io.image.photofile import LARGEST, PhotoFile
from depth3d.io.image.read import reading

__all__ = ["FORMAT", "checked_plane", "encode_npy", "read_npy"]

_KEYS = ("depth", "disparity", "disp", "depthmap", "pred", "inverse_depth", "arr_0")


def read_npy(photo: PhotoFile) -> tuple[NDArray[Any], str]:
    """Return (H, W) numbers and the key they had ("" for a plain array). Raises ``ReadError``.

    Parameters
    ----------
    photo : PhotoFile
        An NPY or NPZ file.
    """
    with reading(photo.name, "array"):
        if photo.data[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(photo.data)) as archive:
                names = {name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")}
                key = next((key for key in (*_KEYS, *names) if key in names), None)
                if key is None:
                    raise ReadError(photo.name, "holds no array")
                with archive.open(names[key]) as file:
                    return _array(photo, cast(BinaryIO, file)), key
        return _array(photo, io.BytesIO(photo.data)), ""


def _array(photo: PhotoFile, file: BinaryIO) -> NDArray[Any]:
    """Read the header first: a claim of a huge array costs nothing."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if count > LARGEST or dtype.kind not in "fiub" or min(shape, default=1) < 0:
        raise ReadError(photo.name, f"holds {dtype} of shape {shape}, expected numbers of shape (H, W)")
    data = file.read(count * dtype.itemsize)
    values = np.frombuffer(data, dtype, count)
    return checked_plane(photo, values.reshape(shape, order="F" if fortran else "C"))


def checked_plane(photo: PhotoFile, values: NDArray[Any]) -> NDArray[Any]:
    """Return (H, W) of an array with axes of length one or several channels; raises ``ReadError`` for other shapes.

    Parameters
    ----------
    photo : PhotoFile
        The file, for the error.
    values : NDArray[Any]
        What it holds.
    """
    values = np.squeeze(values)
    if values.ndim == 3 and values.shape[2] in (2, 3, 4):
        values = values[..., 0]
    if values.ndim != 2 or values.size == 0:
        raise ReadError(photo.name, f"holds an array of shape {values.shape}, expected (H, W)")
    return values


def encode_npy(values: NDArray[np.float32], *, archive: bool = False) -> bytes:
    """Return the bytes of an NPY file, or of an NPZ file with the key ``depth``.

    Parameters
    ----------
    values : NDArray[np.float32]
        (H, W).
    archive : bool
        Write NPZ.
    """
    buffer = io.BytesIO()
    if archive:
        np.savez_compressed(buffer, depth=values)
    else:
        np.save(buffer, values)
    return buffer.getvalue()


def _read(photo: PhotoFile, invert: bool) -> ReadDepth:
    values, key = read_npy(photo)
    found = read_numbers(values.astype(np.float32), invert=invert)
    return found if not key else ReadDepth(found.depth, f"array {key!r}, {found.how}")


def _write(depth: DepthMap, suffix: str) -> bytes:
    return encode_npy(depth.values, archive=suffix == ".npz")


FORMAT = DepthFormat(
    "NumPy",
    "float32; an .npz is read by its key depth",
    (".npy", ".npz"),
    lambda photo: photo.suffix in (".npy", ".npz") or photo.data.startswith(b"\x93NUMPY"),
    _read,
    _write,
    order=22,
)
