"""Recognize spherical clips: equirectangular pictures of 360 or 180 degrees, by their tags or by their frames."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from depth3d.depthmap import Disparity
from depth3d.errors import Depth3DError
from depth3d.image import Image
from depth3d.io.image.panorama import Sphere, is_half, is_whole_sphere
from depth3d.io.video.reader import probe
from depth3d.io.video.stereo_metadata import read_sphere_metadata, read_stereo_metadata
from depth3d.pipeline.clip.eyes import sample_frames
from depth3d.pipeline.sphere import continued, without_seam

__all__ = ["find_clip_sphere", "for_network", "from_network"]

_NEEDED = 3  # of five frames


def find_clip_sphere(path: Path) -> Sphere | None:
    """Return the part of the sphere that a clip of one eye covers, or None for flat clips and image sequences.

    Tags of the container decide where they exist. Without them, pictures twice as wide as high are spheres if in most
    of five frames the left and right border continue each other and the poles are one point each.

    Parameters
    ----------
    path : Path
        The clip.
    """
    return _found(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(16)
def _found(path: Path, _changed: int) -> Sphere | None:
    try:
        across = read_sphere_metadata(path)
        if read_stereo_metadata(path) is not None:
            return None
        if across is not None:
            sphere = Sphere(across, 90.0, -90.0, "its tags")
            return sphere if sphere.closed or is_half(across) else None
        info = probe(path)
        width, height = info.size
        if abs(width * float(info.pixel_aspect) - 2 * height) > 0.01 * width or height < 128:
            return None
        frames = sample_frames(path, info)
    except Depth3DError:  # reported by whoever opens the clip
        return None
    whole = sum(is_whole_sphere(frame) for frame in frames)
    return Sphere(360.0, 90.0, -90.0, "its shape, seam and poles") if whole >= min(_NEEDED, len(frames)) > 0 else None


def for_network(image: Image, sphere: Sphere | None) -> Image:
    """Continue the picture of a closed sphere over its seam by a quarter on each side; others are unchanged."""
    return continued(image, image.size.width // 4) if sphere is not None and sphere.closed else image


def from_network(disparity: Disparity, sphere: Sphere | None) -> Disparity:
    """Return the disparity of the picture itself from that of ``for_network``; both ends agree."""
    if sphere is None or not sphere.closed:
        return disparity
    return Disparity(np.ascontiguousarray(without_seam(disparity.values, round(disparity.values.shape[1] / 6))))
