"""The registry of depth inside photos: what each module of this folder must offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from numpy.typing import NDArray

from depth3d.io.image.photofile import PhotoFile
from depth3d.io.registry import discover

__all__ = ["EmbeddedDepth", "EmbeddedFormat", "embedded_depth", "embedded_formats"]


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedDepth:
    """A depth picture inside a photo, not interpreted yet.

    Parameters
    ----------
    picture : bytes | NDArray[Any]
        The bytes of a JPEG or PNG file, or (H, W) gray of uint8 or uint16.
    kind : str
        "GDepth", "Dynamic Depth", "Apple disparity" ...
    encoding : str
        "RangeInverse" (0 = near, linear in 1/distance), "RangeLinear" (0 = near, linear in distance) or "Disparity"
        (white = near).
    near, far : float
        The distances that 0 and 1 mean, in ``units``, or 0 where unknown.
    units : str
        "m" or what the file states.
    original : bytes | None
        The sharp photo stored beside a blurred main picture.
    details : str
        Words for the user on what else the file states.
    upright : bool
        True if the map is upright already and the photo's EXIF orientation must not be applied.
    """

    picture: bytes | NDArray[Any]
    kind: str
    encoding: str
    near: float = 0.0
    far: float = 0.0
    units: str = ""
    original: bytes | None = None
    details: str = ""
    upright: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddedFormat:
    """One way to store depth inside a photo.

    Parameters
    ----------
    name : str
        "GDepth".
    about : str
        Which cameras write it, one line for help texts and the README.
    find : Callable[[PhotoFile], EmbeddedDepth | None]
        Returns the depth, or None if the photo has none of this kind. Raises ``ReadError`` where depth is recognized
        but cannot be read.
    write : Callable[[bytes, NDArray[Any], tuple[float, float]], bytes] | None
        Inserts (H, W) uint8 RangeInverse values with their (near, far) in meters into a JPEG; None if the kind is only
        read.
    key : str
        Its name in ``--embed``; "" if it is only read.
    order : int
        Position in the detection: lower ones are asked first.
    """

    name: str
    about: str
    find: Callable[[PhotoFile], EmbeddedDepth | None]
    write: Callable[[bytes, NDArray[Any], tuple[float, float]], bytes] | None = None
    key: str = ""
    order: int = 50


@cache
def embedded_formats() -> tuple[EmbeddedFormat, ...]:
    """Return all kinds of embedded depth in the order of their detection."""
    return discover("depth3d.io.depth.embedded", EmbeddedFormat)


def embedded_depth(photo: PhotoFile) -> EmbeddedDepth | None:
    """Return the depth picture inside a photo, or None.

    Raises ``ReadError`` where depth is recognized but cannot be read.

    Parameters
    ----------
    photo : PhotoFile
        The opened file.
    """
    from depth3d.io.image.read import reading

    if "embedded depth" not in photo.memo:
        with reading(photo.name, "depth inside the photo"):
            found = (one.find(photo) for one in embedded_formats())
            photo.memo["embedded depth"] = next((one for one in found if one is not None), None)
    depth: EmbeddedDepth | None = photo.memo["embedded depth"]
    return depth
