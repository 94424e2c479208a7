"""Depth inside a photo, decoded: Apple's portrait disparity in HEIC, GDepth, Dynamic Depth and Apple's in JPEG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.io.image.exif import orientation_of, upright
from depth3d.io.image.read import is_heif, open_image
from depth3d.io.image.xmp import EmbeddedDepth, embedded_depth

__all__ = ["read_embedded"]


def read_embedded(photo: Path) -> tuple[DepthMap, str] | None:
    """The depth inside a HEIC or JPEG photo, upright, and the words that tell how it was read; or None.

    Raises ``ReadError`` if there is depth but it is damaged.
    """
    try:
        with photo.open("rb") as file:
            start = file.read(16)
            if is_heif(start):
                return _from_heif(photo)
            if start[:3] != b"\xff\xd8\xff":
                return None
            data = start + file.read()
    except OSError:
        return None  # opening the photo itself says what is wrong
    found = embedded_depth(data)
    if found is None:
        return None
    try:
        stored = open_image(found.picture, color_managed=False)
    except ReadError as error:
        raise ReadError(photo, f"the {found.kind} inside it cannot be read: {error.reason}") from error
    values = stored.pixels.mean(axis=2, dtype=np.float32) / np.float32(np.iinfo(stored.pixels.dtype).max)
    depth, how = _ranged(np.clip(values, 0, 1), found)
    # The depth picture is stored as the sensor saw it, like the photo: the photo's EXIF turns both.
    return DepthMap(upright(depth, orientation_of(data))), f"{found.kind}, {how}"


def _ranged(stored: NDArray[np.float32], found: EmbeddedDepth) -> tuple[NDArray[np.float32], str]:
    if found.encoding == "Disparity":
        return stored, "white = near"
    span = f" {found.near:g} to {found.far:g} {found.units or 'm'}" if 0 < found.near < found.far else ""
    if found.encoding == "RangeLinear" and 0 < found.near < found.far:
        distances = found.near + stored.astype(np.float64) * (found.far - found.near)
        return DepthMap.from_metric(distances, found.near, found.far).values, f"linear distance{span}"
    # RangeInverse: stored = far (d - near) / (d (far - near)), so 1 - stored is normalised 1/d whatever the range.
    return 1 - stored, f"inverse distance{span}, black = near"


def _from_heif(photo: Path) -> tuple[DepthMap, str] | None:
    import pillow_heif

    try:
        file = pillow_heif.open_heif(photo, convert_hdr_to_8bit=False)
        pictures = file.info.get("depth_images") or []
        if not pictures:
            return None
        facts = pictures[0].info.get("metadata") or {}
        values = np.asarray(pictures[0].to_pillow())
    except Exception as error:  # libheif's errors have no common parent
        if isinstance(error, MemoryError):
            raise
        return None  # opening the photo itself says what is wrong
    gray = values.reshape(values.shape[0], values.shape[1], -1)[..., 0]
    top = 255 if gray.dtype == np.uint8 else 65535
    stored = np.clip(gray.astype(np.float32) / np.float32(top), 0, 1)
    near, far = float(facts.get("z_near") or 0), float(facts.get("z_far") or 0)
    if facts.get("representation_type") == 2 and 0 < near < far:  # uniform distance
        distances = near + stored.astype(np.float64) * (far - near)
        return DepthMap.from_metric(distances, near, far), f"HEIC depth, linear distance {near:g} to {far:g} m"
    span = f" {facts['d_min']:.3g} to {facts['d_max']:.3g} 1/m" if "d_min" in facts and "d_max" in facts else ""
    return DepthMap(stored), f"HEIC portrait disparity{span}, white = near"
