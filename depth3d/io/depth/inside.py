"""Photos with depth inside them as a depth format: whichever kind of ``embedded`` recognizes the file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.io.depth.embedded.registry import EmbeddedDepth, embedded_depth
from depth3d.io.depth.registry import DepthFormat, ReadDepth
from depth3d.io.image.exif import upright
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.read import open_image, reading

__all__ = ["FORMAT", "read_embedded"]


def read_embedded(photo: PhotoFile) -> ReadDepth | None:
    """Return the depth inside a photo, upright, or None if it has none.

    Raises ``ReadError`` if there is depth but it cannot be read.

    Parameters
    ----------
    photo : PhotoFile
        The opened file.
    """
    found = embedded_depth(photo)
    if found is None:
        return None
    with reading(photo.name, f"{found.kind} inside it"):
        stored = _gray(found)
        depth, how = _ranged(stored, found)
        # The map is stored as the sensor saw it, like the photo: the photo's EXIF orientation turns both.
        if not found.upright:
            depth = DepthMap(upright(depth.values, photo.orientation))
    return ReadDepth(depth, f"{found.kind}{found.details}, {how}", sure=True, original=found.original)


def _gray(found: EmbeddedDepth) -> NDArray[np.float32]:
    """Return (H, W) float32 in [0, 1]."""
    if isinstance(found.picture, bytes):
        try:
            pixels = open_image(found.picture, color_managed=False).pixels
        except ReadError as error:
            raise ReadError("", f"the {found.kind} inside it cannot be read: {error.reason}") from error
        values = pixels.mean(axis=2, dtype=np.float32)
        top = np.iinfo(pixels.dtype).max
    else:
        values = found.picture.astype(np.float32)
        top = 255 if found.picture.dtype == np.uint8 else 65535
    return np.asarray(np.clip(values / np.float32(top), 0, 1), np.float32)


def _ranged(stored: NDArray[np.float32], found: EmbeddedDepth) -> tuple[DepthMap, str]:
    if found.encoding == "Disparity":
        return DepthMap(stored), "white = near"
    known = 0 < found.near < found.far
    span = f" {found.near:g} to {found.far:g} {found.units or 'm'}" if known else ""
    if found.encoding == "RangeLinear" and known:
        distances = found.near + stored.astype(np.float64) * (found.far - found.near)
        return DepthMap.from_metric(distances, found.near, found.far), f"linear distance{span}"
    # RangeInverse: stored = far (d - near) / (d (far - near)), so 1 - stored is normalized 1/d whatever the range.
    return DepthMap(1 - stored), f"inverse distance{span}, black = near"


def _read(photo: PhotoFile, invert: bool) -> ReadDepth:
    found = read_embedded(photo)
    if found is None:
        raise ReadError(photo.name, "holds no depth")
    return ReadDepth(found.depth.inverted(), found.how, True, found.original) if invert else found


def _detect(photo: PhotoFile) -> bool:
    if not photo.is_jpeg and not photo.is_heif:
        return False
    return embedded_depth(photo) is not None


FORMAT = DepthFormat(
    "photo with depth inside",
    "HEIC and JPEG of phones: GDepth, Dynamic Depth, Apple, Samsung, Huawei",
    (),
    _detect,
    _read,
    None,
    order=40,
)
