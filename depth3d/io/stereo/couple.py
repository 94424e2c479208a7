"""Two files, one for each eye: ``NAME_L.jpg`` and ``NAME_R.jpg`` (or left and right)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from depth3d.errors import ReadError
from depth3d.io.image.photofile import PhotoFile, open_photo
from depth3d.io.image.read import open_image
from depth3d.io.stereo.layouts import likeness
from depth3d.io.stereo.registry import StereoFile
from depth3d.stereopair import StereoPair

__all__ = ["FORMAT", "Couple", "other_eye"]

# How the file of an eye is called: its word, then (word of the left, word of the right).
_WORDS = {word: both for both in (("l", "r"), ("left", "right")) for word in both}


class Couple(NamedTuple):
    """Both eyes of a couple, opened, the name of the other file, and whether the file asked about is the right one."""

    pair: StereoPair
    is_right: bool


def other_eye(path: Path) -> tuple[Path, Path] | None:
    """The files of the left and right eye, if ``path`` is one of such a couple (NAME_L.jpg, NAME_R.jpg)."""
    found = re.fullmatch(r"(.*?)(^|[ _.-])(l|r|left|right)", path.stem, re.IGNORECASE)
    if found is None:
        return None
    left, right = _WORDS[found[3].lower()]
    is_right = found[3].lower() == right
    name = found[1] + found[2] + _like(found[3], left if is_right else right)
    partner = path.with_name(name + path.suffix)
    if not partner.is_file():
        return None
    return (partner, path) if is_right else (path, partner)


def _detect(photo: PhotoFile) -> Couple | None:
    files = None if photo.path is None else other_eye(photo.path)
    if files is None:
        return None
    is_right = files[1] == photo.path
    partner = files[0] if is_right else files[1]
    try:
        other = open_photo(partner)
        left, right = (open_image(one) for one in ((other, photo) if is_right else (photo, other)))
    except ReadError:
        return None
    # A name that ends in "left" may mean anything: the pictures decide.
    if left.size != right.size or not likeness(left, right).same_scene:
        return None
    return Couple(StereoPair(left, right, (f"the other eye is {partner.name}",)), is_right)


def _like(model: str, word: str) -> str:
    """``word`` in the case of ``model``."""
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word


FORMAT = StereoFile(
    "couple",
    "two files, NAME_L and NAME_R or NAME_left and NAME_right",
    (),
    _detect,
    lambda photo, couple: couple.pair,
    order=60,
)
