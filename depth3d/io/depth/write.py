"""Write depth maps, and the picture that shows photo, depth and heat map side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.atomic import atomic_path
from depth3d.io.depth.colormaps import colorize
from depth3d.io.depth.picture import FORMAT as PICTURE
from depth3d.io.depth.picture import gray_picture
from depth3d.io.depth.registry import writing_format
from depth3d.io.image.read import encode_image, flatten

__all__ = ["contact_picture", "write_depth"]


def write_depth(depth: DepthMap, path: str | Path, *, heatmap: str | None = None, force: bool = False) -> Path:
    """Write a depth map in the format of the suffix, white = near; return the path.

    PNG and TIFF: 16-bit gray. JPEG, WebP and the rest: 8 bits. NPY, NPZ, PFM and EXR: the float32 values.

    Raises ``ExistsError``, ``WriteError``, or ``InvalidInput`` for an unknown heat map.

    Parameters
    ----------
    depth : DepthMap
        The map.
    path : str | Path
        The file to write.
    heatmap : str | None
        Colors instead of gray, 8 bits: one of ``HEATMAPS``.
    force : bool
        Replace an existing file.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    chosen = writing_format(suffix) or PICTURE
    if heatmap is not None and chosen is not PICTURE:
        raise InvalidInput(f"{path.name} holds numbers, not colors: omit the heat map, or write a .png")
    if heatmap is not None:
        data = encode_image(colorize(depth, heatmap), suffix, name=path)
    elif chosen is PICTURE and suffix not in PICTURE.suffixes:
        data = encode_image(gray_picture(depth), suffix, name=path)
    else:
        assert chosen.write is not None
        data = chosen.write(depth, suffix)
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data)
    return path


def contact_picture(image: Image, depth: DepthMap, *, heatmap: str = "inferno", height: int = 540) -> Image:
    """Return photo, gray depth and heat map side by side, to judge a depth map at a glance.

    Parameters
    ----------
    image : Image
        The photo.
    depth : DepthMap
        Its depth, of any size.
    heatmap : str
        Colors of the third picture.
    height : int
        Height of the row in pixels.
    """
    size = image.size.fit(max(1, round(height * max(image.size) / image.size.height)))
    small = depth.resized(size)
    parts = [flatten(image.eight_bit()).resized(size), gray_picture(small), colorize(small, heatmap)]
    return replace(parts[0], pixels=np.hstack([part.pixels for part in parts]), notes=())
