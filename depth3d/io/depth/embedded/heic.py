"""Apple's portrait disparity in HEIC: an auxiliary picture of the container."""

from __future__ import annotations

from typing import Any

import numpy as np

from depth3d.errors import ReadError
from depth3d.io.depth.embedded.registry import EmbeddedDepth, EmbeddedFormat
from depth3d.io.image.photofile import PhotoFile

__all__ = ["FORMAT"]

_UNIFORM_DISTANCE = 2  # representation type of the HEVC depth information message


def _find(photo: PhotoFile) -> EmbeddedDepth | None:
    if not photo.is_heif:
        return None
    try:
        pictures = photo.heif.info.get("depth_images") or []
    except ReadError:
        return None  # opening the photo itself says what is wrong
    if not pictures:
        return None
    facts: dict[str, Any] = pictures[0].info.get("metadata") or {}
    values = np.asarray(pictures[0].to_pillow())
    gray = values.reshape(values.shape[0], values.shape[1], -1)[..., 0]
    near, far = float(facts.get("z_near") or 0), float(facts.get("z_far") or 0)
    if facts.get("representation_type") == _UNIFORM_DISTANCE and 0 < near < far < np.inf:
        return EmbeddedDepth(gray, "HEIC depth", "RangeLinear", near, far, "m", upright=True)
    span = f" {facts['d_min']:.3g} to {facts['d_max']:.3g} 1/m" if "d_min" in facts and "d_max" in facts else ""
    return EmbeddedDepth(gray, "HEIC portrait disparity", "Disparity", details=span, upright=True)


FORMAT = EmbeddedFormat("HEIC depth", "iPhone portraits (a real file was read)", _find, order=5)
