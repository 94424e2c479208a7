"""Portable float maps (.pfm). Kept by hand: 20 lines, and no library of ours reads and writes them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.io.depth.interpret import read_numbers
from depth3d.io.depth.registry import DepthFormat, ReadDepth
from depth3d.io.image.photofile import LARGEST, PhotoFile
from depth3d.io.image.read import reading

__all__ = ["FORMAT", "encode_pfm", "read_pfm"]


def read_pfm(photo: PhotoFile) -> NDArray[np.float32]:
    """Return (H, W) float32, the first of three channels; row 0 = top. Raises ``ReadError``.

    Parameters
    ----------
    photo : PhotoFile
        The file.
    """
    with reading(photo.name, "PFM file"):
        file = io.BytesIO(photo.data)
        kind = file.readline(8).strip()
        size = file.readline(64).split()
        scale = float(file.readline(64))
        if kind not in (b"Pf", b"PF") or len(size) != 2:
            raise ReadError(photo.name, "unsupported or corrupt PFM file")
        width, height, channels = int(size[0]), int(size[1]), 3 if kind == b"PF" else 1
        if not 0 < width * height <= LARGEST or min(width, height) < 1:
            raise ReadError(photo.name, f"claims {width}x{height} pixels")
        data = file.read(width * height * channels * 4)
        values = np.frombuffer(data, "<f4" if scale < 0 else ">f4").reshape(height, width, channels)
        return values[::-1, :, 0].astype(np.float32)  # PFM stores the bottom row first


def encode_pfm(values: NDArray[np.float32]) -> bytes:
    """Return the bytes of a PFM file.

    Parameters
    ----------
    values : NDArray[np.float32]
        (H, W).
    """
    height, width = values.shape
    return b"Pf\n%d %d\n-1.0\n" % (width, height) + values[::-1].astype("<f4").tobytes()


def _read(photo: PhotoFile, invert: bool) -> ReadDepth:
    return read_numbers(read_pfm(photo), invert=invert)


def _write(depth: DepthMap, _suffix: str) -> bytes:
    return encode_pfm(depth.values)


FORMAT = DepthFormat("PFM", "float32", (".pfm",), lambda photo: photo.suffix == ".pfm", _read, _write, order=21)
