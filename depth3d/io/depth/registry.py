"""The registry of depth file formats: what each module of this folder must offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.registry import discover

__all__ = ["DepthFormat", "ReadDepth", "depth_format", "depth_formats", "depth_suffixes", "writing_format"]


@dataclass(frozen=True, slots=True, eq=False)
class ReadDepth:
    """A depth map as a file gave it.

    Parameters
    ----------
    depth : DepthMap
        Its depth, 1 = nearest.
    how : str
        How the file was interpreted, for the user: "16-bit gray, white = near".
    sure : bool
        True if the file itself states what is near; False if that is a convention.
    original : bytes | None
        The sharp photo stored beside the depth, which replaces the blurred main picture; or None.
    stored : bool
        True if the map is stored like the photo's pixels, so that the photo's EXIF orientation applies to both.
    """

    depth: DepthMap
    how: str
    sure: bool = False
    original: bytes | None = None
    stored: bool = False


@dataclass(frozen=True, slots=True)
class DepthFormat:
    """One depth file format.

    Parameters
    ----------
    name : str
        For messages and tables: "OpenEXR".
    about : str
        What it holds, one line for help texts and the README.
    suffixes : tuple[str, ...]
        In lower case with the dot; the first one is the usual one.
    detect : Callable[[PhotoFile], bool]
        Whether a file is of this format.
    read : Callable[[PhotoFile, bool], ReadDepth]
        Reads it; the second argument exchanges near and far. Raises ``ReadError``.
    write : Callable[[DepthMap, str], bytes] | None
        Encodes a depth map for a suffix; None if the format is only read.
    order : int
        Position in the detection: lower ones are asked first.
    """

    name: str
    about: str
    suffixes: tuple[str, ...]
    detect: Callable[[PhotoFile], bool]
    read: Callable[[PhotoFile, bool], ReadDepth]
    write: Callable[[DepthMap, str], bytes] | None
    order: int = 50


@cache
def depth_formats() -> tuple[DepthFormat, ...]:
    """Return all depth file formats in the order of their detection."""
    return discover("depth3d.io.depth", DepthFormat)


def depth_suffixes() -> tuple[str, ...]:
    """Return the suffixes of all depth file formats, the most usual first."""
    ordered = sorted(depth_formats(), key=lambda one: -one.order)
    return tuple(dict.fromkeys(suffix for one in ordered for suffix in one.suffixes))


def depth_format(photo: PhotoFile) -> DepthFormat:
    """Return the format of a file. Raises ``ReadError`` if it is none.

    Parameters
    ----------
    photo : PhotoFile
        The depth file.
    """
    for one in depth_formats():
        if one.detect(photo):
            return one
    known = ", ".join(depth_suffixes())
    raise ReadError(photo.name, f"unsupported or corrupt depth file; known: {known}")


def writing_format(suffix: str) -> DepthFormat | None:
    """Return the format that writes files with this suffix, or None.

    Parameters
    ----------
    suffix : str
        With the dot; upper or lower case.
    """
    return next((one for one in depth_formats() if one.write is not None and suffix.lower() in one.suffixes), None)
