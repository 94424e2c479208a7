"""Photo and depth map side by side or one above the other in one picture (RGBD), as several viewers take them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.image import Image
from depth3d.io.depth.fit import edge_agreement

__all__ = ["Rgbd", "split_rgbd"]

_GRAY_LEVELS, _COLOR_LEVELS = 3.0, 8.0  # mean difference of the channels of a gray and of a colored half
_AGREES = 0.2  # correlation of edges; measured: 0.2 and more for maps of the photo, at most 0.1 for others
_TAGGED = re.compile(r"(^|[^a-z0-9])(rgbd|rgb-d|2dz|2d-plus-depth)([^a-z0-9]|$)")


class Rgbd(NamedTuple):
    """The photo, its depth of the same size, and one line on the layout."""

    image: Image
    depth: DepthMap
    how: str


def split_rgbd(image: Image, path: Path | None = None) -> Rgbd | None:
    """Return photo and depth of a picture that holds both, or None.

    One half must be gray and the other colored (or the file be called so), and the edges of the gray half must agree
    with those of the other. White = near.

    Parameters
    ----------
    image : Image
        The whole picture.
    path : Path | None
        Its file, whose name may say ``_RGBD``.
    """
    tagged = path is not None and _TAGGED.search(path.stem.lower()) is not None
    width, height = image.size
    if min(width, height) < 64:
        return None
    halves = []
    if image.size.aspect > 1.0:
        halves.append(("side by side", image.pixels[:, : width // 2], image.pixels[:, width // 2 : width // 2 * 2]))
    if image.size.aspect < 1.6:
        halves.append(("one above the other", image.pixels[: height // 2], image.pixels[height // 2 : height // 2 * 2]))
    for words, first, second in halves:
        colors = _spread(first), _spread(second)
        for photo, gray, photo_colors, gray_colors, where in (
            (first, second, *colors, "second"),
            (second, first, *colors[::-1], "first"),
        ):
            told_apart = gray_colors < _GRAY_LEVELS and photo_colors > _COLOR_LEVELS
            if not told_apart and not (tagged and gray_colors < _GRAY_LEVELS and where == "second"):
                continue
            own = Image(photo.copy(), None, image.focal_35mm, image.notes)
            depth = DepthMap.from_gray(np.ascontiguousarray(gray[..., 1]))
            if edge_agreement(depth, own) > _AGREES:
                return Rgbd(own, depth, f"photo and depth {words} in one picture, depth {where}, white = near")
    return None


def _spread(pixels: NDArray[np.uint8]) -> float:
    """Return the mean difference between the largest and the smallest channel, in levels of 255."""
    sample = pixels[:: max(1, pixels.shape[0] // 200), :: max(1, pixels.shape[1] // 200)].astype(np.float32)
    scale = 255 / float(np.iinfo(pixels.dtype).max)
    return float((sample.max(axis=2) - sample.min(axis=2)).mean()) * scale
