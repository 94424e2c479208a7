"""Read depth maps from files, from beside a photo and from inside it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, ReadError
from depth3d.image import Size
from depth3d.io.depth.inside import read_embedded
from depth3d.io.depth.interpret import polarity_hint
from depth3d.io.depth.names import depth_files
from depth3d.io.depth.registry import depth_format
from depth3d.io.image.photofile import Source, open_photo
from depth3d.io.image.read import open_image

__all__ = ["FoundDepth", "find_depth", "load_depth", "read_depth"]

ASPECT_TOLERANCE = 0.02  # a depth map may be rounded to whole pixels, not cropped differently

log = logging.getLogger("depth3d")


@dataclass(frozen=True, slots=True, eq=False)
class FoundDepth:
    """Depth from a file.

    Parameters
    ----------
    depth : DepthMap
        The map.
    how : str
        One line: what was found and how it was read.
    original : bytes | None
        The sharp photo stored beside the depth, which replaces the blurred main picture; or None.
    """

    depth: DepthMap
    how: str
    original: bytes | None = None


def read_depth(path: str | Path, *, invert: bool = False, size: Size | None = None) -> DepthMap:
    """Read a depth map of any kind: normalized inverse depth at the file's own size, 1 = nearest.

    Raises ``ReadError`` if the file cannot be read, its colors follow no heat map, or its shape differs from the
    photo's by more than 2 %.

    Parameters
    ----------
    path : str | Path
        PNG, JPEG, WebP, TIFF and other pictures: gray of 8 or 16 bits, white = near, or a heat map (viridis, inferno,
        magma, plasma, turbo, jet, cividis, spectral; bright or red = near). NPY, NPZ, PFM, EXR, float TIFF: numbers in
        [0, 1] as they are; other ranges larger = nearer; an EXR channel called Z or depth holds distances. A photo
        with depth inside it (HEIC, JPEG) gives that.
    invert : bool
        The file has near and far exchanged.
    size : Size | None
        The photo's size, to check that both have the same shape.
    """
    return load_depth(path, invert=invert, size=size).depth


def load_depth(source: Source, *, invert: bool = False, size: Size | None = None) -> FoundDepth:
    """Read a depth map as ``read_depth`` does, with a line on how the file was read.

    Parameters
    ----------
    source : Source
        The file.
    invert : bool
        The file has near and far exchanged.
    size : Size | None
        The photo's size, to check that both have the same shape.
    """
    photo = open_photo(source)
    try:
        found = depth_format(photo).read(photo, invert)
    except InvalidInput as error:
        raise ReadError(photo.name, str(error)) from error
    if size is not None:
        _check_shape(photo.name, found.depth.size, size)
    hint = "" if invert or found.sure else polarity_hint(found.depth)
    return FoundDepth(found.depth, f"depth from {photo.title}: {found.how}, {found.depth.size}{hint}", found.original)


def find_depth(
    source: Source, *, size: Size | None = None, invert: bool = False, ignore: Path | None = None
) -> FoundDepth | None:
    """Return the depth that belongs to a photo: a file beside it, or depth inside it, or None.

    Raises ``ReadError`` if a file beside it cannot be read or has another shape than the photo. Damaged depth inside
    the photo is only warned about.

    Parameters
    ----------
    source : Source
        The photo.
    size : Size | None
        The size of the upright photo, if it is known already.
    invert : bool
        Near and far are exchanged.
    ignore : Path | None
        A file that is not taken, as it is about to be replaced.
    """
    photo = open_photo(source)
    if photo.path is not None:
        for beside in depth_files(photo.path):
            if beside not in (photo.path, ignore) and beside.is_file():
                return load_depth(beside, invert=invert, size=size or open_image(photo).size)
    # The photo is good without it: a fault of depth that nobody asked for is a warning, not an error.
    try:
        embedded = read_embedded(photo)
    except ReadError as error:
        log.warning("%s; it is not used", error)
        return None
    if embedded is None:
        return None
    depth, how = embedded.depth, embedded.how
    size = size or open_image(photo).size
    if not same_shape(depth.size, size):
        log.warning("%s: the depth inside it is %s, the photo %s: not used", photo.name, depth.size, size)
        return None
    if invert:
        depth, how = depth.inverted(), f"{how}, inverted"
    return FoundDepth(depth, f"depth inside {photo.title}: {how}, {depth.size}", embedded.original)


def same_shape(depth: Size, photo: Size) -> bool:
    """Return True if two sizes have the same aspect to 2 %, or to one pixel of rounding.

    Parameters
    ----------
    depth, photo : Size
        The two sizes.
    """
    # One pixel of rounding is more than 2 % of a tiny map.
    off = min(abs(depth.width - photo.aspect * depth.height), abs(depth.height - depth.width / photo.aspect))
    return abs(depth.aspect / photo.aspect - 1) <= ASPECT_TOLERANCE or off <= 1


def _check_shape(path: str | Path, depth: Size, photo: Size) -> None:
    if same_shape(depth, photo):
        return
    turned = same_shape(Size(depth.height, depth.width), photo)
    advice = "turn the depth map by 90 degrees" if turned else "they do not belong together, or one is cropped"
    raise ReadError(
        path, f"the depth map is {depth} and the photo {photo}: their shapes differ by more than 2 %; {advice}"
    )
