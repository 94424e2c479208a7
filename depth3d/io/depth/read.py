"""Read depth maps from files, from beside a photo and from inside it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, ReadError
from depth3d.image import Image, Size
from depth3d.io.depth.fit import fit_depth, same_shape
from depth3d.io.depth.inside import read_embedded
from depth3d.io.depth.interpret import polarity_hint
from depth3d.io.depth.names import depth_files
from depth3d.io.depth.registry import depth_format
from depth3d.io.image.photofile import PhotoFile, Source, open_photo
from depth3d.io.image.read import open_image

__all__ = ["FoundDepth", "depth_beside", "depth_inside", "find_depth", "load_depth", "read_depth"]

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


def load_depth(
    source: Source, *, invert: bool = False, size: Size | None = None, image: Image | None = None
) -> FoundDepth:
    """Read a depth map as ``read_depth`` does, with a line on how the file was read.

    Parameters
    ----------
    source : Source
        The file.
    invert : bool
        The file has near and far exchanged.
    size : Size | None
        The photo's size, to check that both have the same shape.
    image : Image | None
        The photo itself: a map that is turned, mirrored, squeezed or padded is then fitted to it by its edges.
    """
    photo = open_photo(source)
    try:
        found = depth_format(photo).read(photo, invert)
        depth, how = found.depth, found.how
        if image is not None:
            depth, done = fit_depth(depth, image)
            how += f", {done}" if done else ""
    except InvalidInput as error:
        raise ReadError(photo.name, str(error)) from error
    if size is not None:
        _check_shape(photo.name, depth.size, size)
    hint = "" if invert or found.sure else polarity_hint(depth, how)
    return FoundDepth(depth, f"depth from {photo.title}: {how}, {depth.size}{hint}", found.original)


def find_depth(
    source: Source, *, image: Image | None = None, invert: bool = False, ignore: Path | None = None
) -> FoundDepth | None:
    """Return the depth that belongs to a photo: a file beside it, or depth inside it, or None.

    Raises ``ReadError`` if a file beside it cannot be read or does not fit the photo. Damaged depth inside the photo is
    only warned about.

    Parameters
    ----------
    source : Source
        The photo.
    image : Image | None
        The upright photo, if it is open already.
    invert : bool
        Near and far are exchanged.
    ignore : Path | None
        A file that is not taken, as it is about to be replaced.
    """
    photo = open_photo(source)
    beside = depth_beside(photo, ignore=ignore)
    if beside is not None:
        return load_depth(beside, invert=invert, image=image or open_image(photo))
    return depth_inside(photo, image=image, invert=invert)


def depth_beside(photo: PhotoFile, *, ignore: Path | None = None) -> Path | None:
    """Return the depth file beside a photo, or None.

    Parameters
    ----------
    photo : PhotoFile
        The photo.
    ignore : Path | None
        A file that is not taken, as it is about to be replaced.
    """
    if photo.path is None:
        return None
    found = (path for path in depth_files(photo.path) if path not in (photo.path, ignore) and path.is_file())
    return next(found, None)


def depth_inside(photo: PhotoFile, *, image: Image | None = None, invert: bool = False) -> FoundDepth | None:
    """Return the depth inside a photo, or None; depth that cannot be used is only warned about.

    Parameters
    ----------
    photo : PhotoFile
        The photo.
    image : Image | None
        The upright photo, if it is open already.
    invert : bool
        Near and far are exchanged.
    """
    # The photo is good without it: a fault of depth that nobody asked for is a warning, not an error.
    try:
        embedded = read_embedded(photo)
        if embedded is None:
            return None
        depth, done = fit_depth(embedded.depth, image or open_image(photo))
    except (ReadError, InvalidInput) as error:
        text = str(error) if isinstance(error, ReadError) else f"{photo.name}: the depth inside it: {error}"
        log.warning("%s; it is not used", text)
        return None
    how = embedded.how + (f", {done}" if done else "")
    if invert:
        depth, how = depth.inverted(), f"{how}, inverted"
    return FoundDepth(depth, f"depth inside {photo.title}: {how}, {depth.size}", embedded.original)


def _check_shape(path: str | Path, depth: Size, photo: Size) -> None:
    if same_shape(depth, photo):
        return
    turned = same_shape(Size(depth.height, depth.width), photo)
    advice = "turn the depth map by 90 degrees" if turned else "they do not belong together, or one is cropped"
    raise ReadError(
        path, f"the depth map is {depth} and the photo {photo}: their shapes differ by more than 2 %; {advice}"
    )
