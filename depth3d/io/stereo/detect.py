"""Stereo pictures from any file: MPO, JPS, PNS, VR photo, spatial HEIC, packed halves, two files, scanned cards."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.image.read import open_image, read_bytes
from depth3d.io.stereo.cards import cut_card, find_card
from depth3d.io.stereo.heic import is_spatial_heic, read_spatial_heic
from depth3d.io.stereo.jps_pns import Mark, jps_mark, pns_mark, read_jps, read_pns
from depth3d.io.stereo.layouts import likeness, named_mark, seen_mark
from depth3d.io.stereo.mpo import has_disparity_index, read_mpo
from depth3d.io.stereo.vrphoto import has_right_eye, read_vr_photo
from depth3d.stereopair import StereoPair

__all__ = ["find_pair", "looks_stereo", "other_eye", "read_stereo"]

# How the file of an eye is called: its word, then (word of the left, word of the right).
_WORDS = {word: both for both in (("l", "r"), ("left", "right")) for word in both}


def find_pair(path: str | Path) -> StereoPair | None:
    """The two eyes of a stereo picture, or None if the file is no stereo picture.

    A file that is the right eye of a couple counts as a picture of its own here: what is made of it must
    not show the left one. ``read_stereo`` takes either.

    Raises ``ReadError`` for a file that says it is one but is damaged.
    """
    reader = _reader(Path(path), right_too=False)
    return None if reader is None else reader()


def read_stereo(path: str | Path) -> StereoPair:
    """Read a stereo picture of any kind; ``notes`` says what it was taken for.

    Known by their contents: MPO, JPS, PNS (sTER), Google VR photos, spatial HEIC, pictures whose halves
    show the same scene, scanned stereo cards; by their names: NAME_L and NAME_R (left, right), and the
    tags of VR players (SBS, LR, TB, OU ..., half or full).

    Raises ``ReadError`` for damaged files and where no second eye is found.
    """
    reader = _reader(Path(path))
    if reader is None:
        raise ReadError(path, "no second eye found: not in the file, not in its halves, and not in a file beside it")
    return reader()


def looks_stereo(path: str | Path) -> bool:
    """Whether ``read_stereo`` would find two eyes; damaged stereo files count as stereo."""
    try:
        return _reader(Path(path)) is not None
    except ReadError:
        return False


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


def _reader(path: Path, *, right_too: bool = True) -> Callable[[], StereoPair] | None:
    """What reads this file as a stereo picture, or None."""
    data = read_bytes(path)
    suffix = path.suffix.lower()
    if data.startswith(b"\xff\xd8\xff"):
        if suffix == ".mpo" or has_disparity_index(data):
            return lambda: read_mpo(path)
        if suffix == ".jps" or jps_mark(data) is not None:
            return lambda: read_jps(path)
        if has_right_eye(data):
            return lambda: read_vr_photo(path)
    elif suffix == ".pns" or pns_mark(data) is not None:
        return lambda: read_pns(path)
    elif data[4:8] == b"ftyp" and suffix in (".heic", ".heif", ".hif") and is_spatial_heic(path):
        return lambda: read_spatial_heic(path)
    elif suffix in (".mpo", ".jps"):
        raise ReadError(path, f"is no {suffix[1:].upper()}: it does not begin with a JPEG")
    return _couple(path, right_too) or _packed(path)


def _couple(path: Path, right_too: bool) -> Callable[[], StereoPair] | None:
    files = other_eye(path)
    if files is None or (files[1] == path and not right_too):
        return None
    try:
        left, right = (open_image(file) for file in files)
    except ReadError:
        return None
    # A name that ends in "left" may mean anything: the pictures decide.
    if left.size != right.size or not likeness(left, right).same_scene:
        return None
    return lambda: StereoPair(left, right, (f"the other eye is {files[files[0] == path].name}",))


def _packed(path: Path) -> Callable[[], StereoPair] | None:
    """Halves of one picture: as its name says, as a card, or as it looks."""
    try:
        image = open_image(path)
    except ReadError:
        return None
    named = named_mark(path, image.size)
    if named is not None and _halves_alike(named, image):
        return lambda: _noted(named, image, "its name")
    card = find_card(image)
    if card is not None:
        return lambda: cut_card(image, card)
    seen = seen_mark(image)
    return None if seen is None else lambda: _noted(seen, image, "its two halves")


def _halves_alike(mark: Mark, image: Image) -> bool:
    if min(image.size) < 4:
        return False
    pair = mark.unpack(image)
    return likeness(pair.left, pair.right).same_scene


def _noted(mark: Mark, image: Image, by: str) -> StereoPair:
    words = "top-bottom" if mark.packing == "stack" else "side by side"
    size = "half" if mark.half else "full"
    order = ", right eye first" if mark.right_first else ""
    pair = mark.unpack(image)
    return replace(pair, notes=(f"stereo picture, {words}, {size}{order} (told by {by})",))


def _like(model: str, word: str) -> str:
    """``word`` in the case of ``model``."""
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word
