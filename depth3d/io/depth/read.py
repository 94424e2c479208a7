"""Depth maps from and to files, and depth that lies beside a photo or inside it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, ReadError
from depth3d.image import Image, Size
from depth3d.io.atomic import atomic_path
from depth3d.io.depth.colormaps import colorize
from depth3d.io.depth.embedded import read_embedded
from depth3d.io.depth.floats import FLOAT_SUFFIXES, encode_floats, has_distances, holds_floats, read_floats
from depth3d.io.depth.interpret import depth_from_numbers, depth_from_picture, polarity_hint
from depth3d.io.image.read import encode_image, flatten, open_image

__all__ = [
    "FoundDepth",
    "contact_picture",
    "find_depth",
    "gray_picture",
    "load_depth",
    "read_depth",
    "write_depth",
]

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr", ".npy", ".pfm")
# The first is Facebook's and ours; the rest are habits of other tools.
_ENDINGS = ("_depth", "-depth", ".depth", "_disparity", "-disparity", "_disp", "_depthmap", "-dpt")
_PHOTO_ENDINGS = ("-image", "_image", "-rgb", "_rgb", "-color", "_color", "_left")
ASPECT_TOLERANCE = 0.02  # a depth map may be rounded to whole pixels, not cropped differently


@dataclass(frozen=True, slots=True, eq=False)
class FoundDepth:
    """Depth from a file: the map and one line that tells what was found and how it was read."""

    depth: DepthMap
    how: str


def read_depth(path: str | Path, *, invert: bool = False, size: Size | None = None) -> DepthMap:
    """Read a depth map of any kind: normalised inverse depth at the file's own size, 1 = nearest.

    Raises ``ReadError`` if the file cannot be read, its colours follow no heat map, or its shape differs
    from the photo's by more than 2 %.

    Parameters
    ----------
    path : str | Path
        PNG, JPEG, WebP, TIFF and other pictures: grey of 8 or 16 bits, white = near, or a heat map (viridis, inferno,
        magma, plasma, turbo, jet, cividis, spectral; bright or red = near). NPY, PFM, EXR, float TIFF: numbers in [0,
        1] as they are; other ranges larger = nearer; an EXR channel called Z or depth holds distances. A photo with
        depth inside it (HEIC, JPEG) gives that.
    invert : bool
        The file has near and far exchanged.
    size : Size | None
        The photo's size, to check that both have the same shape.
    """
    return load_depth(path, invert=invert, size=size).depth


def load_depth(path: str | Path, *, invert: bool = False, size: Size | None = None) -> FoundDepth:
    """As ``read_depth``, with the line that tells how the file was read."""
    path = Path(path)
    try:
        if holds_floats(path):
            values = read_floats(path)
            depth, how = depth_from_numbers(values, distances=has_distances(path), invert=invert)
            embedded = None
        else:
            embedded = read_embedded(path)
            if embedded is not None:
                depth, how = (embedded[0].inverted() if invert else embedded[0]), embedded[1]
            else:
                depth, how = depth_from_picture(open_image(path, color_managed=False), invert=invert)
    except InvalidInput as error:
        raise ReadError(path, str(error)) from error
    if size is not None:
        _check_shape(path, depth.size, size)
    hint = "" if invert or embedded is not None else polarity_hint(depth)
    return FoundDepth(depth, f"depth from {path.name}: {how}, {depth.size}{hint}")


def find_depth(
    photo: str | Path, *, size: Size | None = None, invert: bool = False, ignore: Path | None = None
) -> FoundDepth | None:
    """The depth that belongs to ``photo``: a file beside it, or depth inside it, or None.

    Raises ``ReadError`` if there is a file beside it that cannot be read or has another shape than the photo.
    Damaged depth inside the photo is only warned about.

    Parameters
    ----------
    size : Size | None
        The size of the upright photo, if it is known already.
    invert : bool
        Near and far are exchanged.
    ignore : Path | None
        A file that is not taken, as it is about to be replaced.
    """
    photo = Path(photo)
    there = (candidate for candidate in _candidates(photo) if candidate not in (photo, ignore) and candidate.is_file())
    beside = next(there, None)
    if beside is not None:
        return load_depth(beside, invert=invert, size=size or open_image(photo).size)
    # The photo is good without it: what is wrong with depth that nobody asked for is told, not raised.
    log = logging.getLogger("depth3d")
    try:
        embedded = read_embedded(photo)
    except ReadError as error:
        log.warning("%s; it is not used", error)
        return None
    if embedded is None:
        return None
    depth, how = embedded
    size = size or open_image(photo).size
    if not _same_shape(depth.size, size):
        log.warning("%s: the depth inside it is %s, the photo %s: not used", photo, depth.size, size)
        return None
    if invert:
        depth, how = depth.inverted(), f"{how}, inverted"
    return FoundDepth(depth, f"depth inside {photo.name}: {how}, {depth.size}")


def _candidates(photo: Path) -> Iterator[Path]:
    """Where a depth file of ``photo`` may lie, most usual names first."""
    stems = [photo.stem]
    stems += [photo.stem[: -len(ending)] for ending in _PHOTO_ENDINGS if photo.stem.lower().endswith(ending)]
    for stem in stems:
        for ending in _ENDINGS:
            for suffix in _SUFFIXES:
                yield photo.with_name(stem + ending + suffix)
                yield photo.with_name(stem + ending + suffix.upper())
    for suffix in FLOAT_SUFFIXES:  # numbers under the photo's own name can hardly be anything else
        yield photo.with_name(photo.stem + suffix)


def _same_shape(depth: Size, photo: Size) -> bool:
    # One pixel of rounding is more than 2 % of a tiny map.
    off = min(abs(depth.width - photo.aspect * depth.height), abs(depth.height - depth.width / photo.aspect))
    return abs(depth.aspect / photo.aspect - 1) <= ASPECT_TOLERANCE or off <= 1


def _check_shape(path: Path, depth: Size, photo: Size) -> None:
    if _same_shape(depth, photo):
        return
    turned = _same_shape(Size(depth.height, depth.width), photo)
    advice = "turn the depth map by 90 degrees" if turned else "they do not belong together, or one is cropped"
    raise ReadError(
        path, f"the depth map is {depth} and the photo {photo}: their shapes differ by more than 2 %; {advice}"
    )


def write_depth(depth: DepthMap, path: str | Path, *, heatmap: str | None = None, force: bool = False) -> Path:
    """Write a depth map in the format of the suffix, white = near; returns the path.

    PNG and TIFF: 16-bit grey. JPEG, WebP and the rest: 8 bits. NPY, PFM and EXR: the float32 values.

    Raises ``ExistsError``, ``WriteError``, or ``InvalidInput`` for an unknown heat map.

    Parameters
    ----------
    heatmap : str | None
        Colours instead of grey, 8 bits: one of ``HEATMAPS``.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in FLOAT_SUFFIXES:
        if heatmap is not None:
            raise InvalidInput(f"{path.name} holds numbers, no colours: leave the heat map out, or write a .png")
        data = encode_floats(depth.values, suffix)
    elif heatmap is not None:
        data = encode_image(colorize(depth, heatmap), suffix, name=path)
    else:
        deep = suffix in (".png", ".tif", ".tiff")
        data = encode_image(gray_picture(depth, deep=deep), suffix, name=path)
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(data)
    return path


def gray_picture(depth: DepthMap, *, deep: bool = False) -> Image:
    """A depth map as a grey picture, white = near; 16 bits if ``deep``."""
    top, kind = (65535, np.uint16) if deep else (255, np.uint8)
    gray = np.round(depth.values * np.float32(top)).astype(kind)
    return Image(np.repeat(gray[..., None], 3, axis=2))


def contact_picture(image: Image, depth: DepthMap, *, heatmap: str = "inferno", height: int = 540) -> Image:
    """Photo, grey depth and heat map side by side, to judge a depth map at a glance."""
    size = image.size.fit(max(1, round(height * max(image.size) / image.size.height)))
    small = depth.resized(size)
    parts = [flatten(image.eight_bit()).resized(size), gray_picture(small), colorize(small, heatmap)]
    return replace(parts[0], pixels=np.hstack([part.pixels for part in parts]), notes=())
