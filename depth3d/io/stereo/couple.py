"""Two files, one for each eye: ``NAME_L.jpg`` and ``NAME_R.jpg`` (or left and right)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.image.photofile import PhotoFile, open_photo
from depth3d.io.image.read import open_image
from depth3d.io.stereo.layouts import likeness
from depth3d.io.stereo.registry import StereoFile
from depth3d.quantities import is_file
from depth3d.stereopair import StereoPair

__all__ = ["FORMAT", "Couple", "is_second_eye", "matched_sizes", "other_eye", "right_eye"]

# How the file of an eye is called: its word, then (word of the left, word of the right).
_WORDS = {word: both for both in (("l", "r"), ("left", "right")) for word in both}

_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".bmp")


class Couple(NamedTuple):
    """Both eyes of a couple, opened, the name of the other file, and whether the file asked about is the right one."""

    pair: StereoPair
    is_right: bool


def other_eye(path: Path) -> tuple[Path, Path] | None:
    """Return the files of the left and right eye if ``path`` is one of a couple (NAME_L.jpg, NAME_R.png), else None."""
    found = re.fullmatch(r"(.*?)(^|[ _.-])(l|r|left|right)", path.stem, re.IGNORECASE)
    if found is None:
        return None
    left, right = _WORDS[found[3].lower()]
    is_right = found[3].lower() == right
    name = found[1] + found[2] + _like(found[3], left if is_right else right)
    partner = _existing(path, name)
    if partner is None:
        return None
    return (partner, path) if is_right else (path, partner)


def _existing(path: Path, name: str) -> Path | None:
    """Return the file of this name beside ``path``: with its suffix, or with that of any other picture."""
    for suffix in dict.fromkeys((path.suffix, path.suffix.lower(), path.suffix.upper(), *_SUFFIXES)):
        partner = path.with_name(name + suffix)
        if is_file(partner):
            return partner
    return None


def matched_sizes(left: Image, right: Image) -> tuple[Image, Image] | None:
    """Return both eyes cropped to their common size, or None if they differ by more than 2 %.

    Parameters
    ----------
    left, right : Image
        The two eyes.
    """
    width, height = min(left.size.width, right.size.width), min(left.size.height, right.size.height)
    if (
        max(left.size.width, right.size.width) > 1.02 * width
        or max(left.size.height, right.size.height) > 1.02 * height
    ):
        return None
    rows, columns = slice(height), slice(width)
    return left.cropped(rows, columns), right.cropped(rows, columns)


def is_second_eye(path: Path) -> bool:
    """Return True if a file is the right eye of a couple whose left eye is beside it: it is not converted again.

    Parameters
    ----------
    path : Path
        A file of a folder; it is opened only if a left eye of its name exists.
    """
    files = other_eye(path)
    if files is None or files[1] != path:
        return False
    try:
        return right_eye(open_photo(path)) is not None
    except ReadError:
        return False


def right_eye(photo: PhotoFile) -> StereoPair | None:
    """Return both eyes if a photo is the right eye of a couple whose left eye is beside it, else None.

    Parameters
    ----------
    photo : PhotoFile
        The photo.
    """
    files = None if photo.path is None else other_eye(photo.path)
    if files is None or files[1] != photo.path:
        return None
    couple = _detect(photo)
    return None if couple is None else couple.pair


def _detect(photo: PhotoFile) -> Couple | None:
    files = None if photo.path is None else other_eye(photo.path)
    if files is None:
        return None
    is_right = files[1] == photo.path
    partner = files[0] if is_right else files[1]
    try:
        other = photo.partner(partner)
        left, right = (open_image(one) for one in ((other, photo) if is_right else (photo, other)))
    except ReadError:
        return None
    # A name that ends in "left" may mean anything: the pictures decide.
    eyes = matched_sizes(left, right)
    if eyes is None or not likeness(*eyes).same_scene:
        return None
    return Couple(StereoPair(*eyes, (f"the other eye is {partner.name}",)), is_right)


def _like(model: str, word: str) -> str:
    """``word`` in the case of ``model``."""
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word


FORMAT = StereoFile(
    "pair",
    "two files, NAME_L and NAME_R or NAME_left and NAME_right",
    (),
    _detect,
    lambda photo, couple: couple.pair,
    order=60,
)
