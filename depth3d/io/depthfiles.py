"""Depth maps from and to files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import ReadError
from depth3d.image import Image, Size
from depth3d.io.atomic import atomic_path
from depth3d.io.floatfiles import FLOAT_SUFFIXES, encode_floats, read_floats
from depth3d.io.images import encode_image, open_image

__all__ = ["FoundDepth", "find_depth", "load_depth", "read_depth", "write_depth"]

SIDECAR_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr", ".npy", ".pfm")
SIDECAR_ENDINGS = ("_depth", "-depth", ".depth", "_disparity", "-disparity", "_depthmap")
ASPECT_TOLERANCE = 0.02  # a depth map may be rounded to whole pixels, not cropped differently


@dataclass(frozen=True, slots=True, eq=False)
class FoundDepth:
    """Depth from a file: the map and one line that tells what was found and how it was read."""

    depth: DepthMap
    how: str


def read_depth(path: str | Path, *, invert: bool = False, size: Size | None = None) -> DepthMap:
    """Any depth file -> DepthMap (see ``load_depth`` for the rules and the line that tells them)."""
    return load_depth(path, invert=invert, size=size).depth


def load_depth(path: str | Path, *, invert: bool = False, size: Size | None = None) -> FoundDepth:
    """As ``read_depth``, with the line that tells how the file was read."""
    path = Path(path)
    if path.suffix.lower() in FLOAT_SUFFIXES:
        values = read_floats(path)
        depth, how = _from_floats(path, values), "numbers, larger = nearer"
    else:
        image = open_image(path)
        depth, how = (
            DepthMap.from_gray(image.pixels[..., 0]),
            f"{image.pixels.dtype.itemsize * 8} bit grey, white = near",
        )
    if invert:
        depth, how = depth.inverted(), f"{how}, inverted"
    if size is not None:
        check_aspect(path, depth.size, size)
    return FoundDepth(depth, f"depth from {path.name}: {how}, {depth.size}")


def find_depth(photo: str | Path, *, size: Size | None = None, invert: bool = False) -> FoundDepth | None:
    """The depth that belongs to ``photo``: a file beside it, or None.

    Parameters
    ----------
    size: the size of the upright photo if it is known already.
    """
    photo = Path(photo)
    for ending in SIDECAR_ENDINGS:
        for suffix in SIDECAR_SUFFIXES:
            candidate = photo.with_name(photo.stem + ending + suffix)
            if candidate.is_file():
                return load_depth(candidate, size=size or open_image(photo).size, invert=invert)
    return None


def check_aspect(path: Path, depth: Size, photo: Size) -> None:
    """Raise ``ReadError`` unless the two have the same shape within 2 %."""
    if abs(depth.aspect / photo.aspect - 1) > ASPECT_TOLERANCE:
        raise ReadError(
            path,
            f"the depth map is {depth} and the photo {photo}: their shapes differ by more than 2 %, so they do not"
            " belong together (crop one of them)",
        )


def _from_floats(path: Path, values: NDArray[Any]) -> DepthMap:
    good = np.isfinite(values)
    if not good.any():
        raise ReadError(path, "holds no number")
    values = np.where(good, values, values[good].min()).astype(np.float32)
    return DepthMap.from_disparity(Disparity(values))


def write_depth(depth: DepthMap, path: str | Path, *, force: bool = False) -> Path:
    """Write a depth map, white = near, in the format of the suffix; returns the path.

    PNG and TIFF: 16 bit grey. JPEG, WebP and the rest: 8 bit. NPY, PFM and EXR: the float32 values themselves.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    with atomic_path(path, force=force) as temporary:
        if suffix in FLOAT_SUFFIXES:
            data = encode_floats(depth.values, suffix)
        else:
            top, kind = (65535, np.uint16) if suffix in (".png", ".tif", ".tiff") else (255, np.uint8)
            gray = np.round(depth.values * top).astype(kind)
            data = encode_image(Image(np.repeat(gray[..., None], 3, axis=2)), suffix, name=path)
        temporary.write_bytes(data)
    return path
