"""Stereo pictures of any kind: find the two eyes in a file, or in the file beside it."""

from __future__ import annotations

from typing import Any

from depth3d.errors import FlatError, ReadError
from depth3d.io.image.photofile import PhotoFile, Source, open_photo
from depth3d.io.image.read import open_image
from depth3d.io.stereo.anaglyph import find_glasses
from depth3d.io.stereo.couple import Couple
from depth3d.io.stereo.registry import StereoFile, stereo_files
from depth3d.stereopair import StereoPair

__all__ = ["find_kind", "find_pair", "looks_stereo", "read_stereo", "refuse_flat"]


def find_pair(source: Source) -> StereoPair | None:
    """Return the two eyes of a stereo picture, or None if the file is an ordinary picture.

    A file that is the right eye of a couple counts as an ordinary picture here: a result made from it must not show
    the left one. ``read_stereo`` takes either.

    Raises ``ReadError`` for a damaged file that is marked as stereo.

    Parameters
    ----------
    source : Source
        The file.
    """
    photo = open_photo(source)
    found = _kind(photo, right_too=False)
    return None if found is None else found[0].read(photo, found[1])


def read_stereo(source: Source) -> StereoPair:
    """Read a stereo picture of any kind; ``notes`` says what it was taken for.

    Known by their contents: MPO, JPS, PNS (sTER), Google VR photos, spatial HEIC, pictures whose halves show the same
    scene, scanned stereo cards; by their names: NAME_L and NAME_R (left, right), and the tags of VR players (SBS, LR,
    TB, OU ..., half or full).

    Raises ``FlatError`` where no second eye is found, ``ReadError`` for damaged files and anaglyphs.

    Parameters
    ----------
    source : Source
        The file.
    """
    photo = open_photo(source)
    kind, found = _known(photo)
    return kind.read(photo, found)


def refuse_flat(source: Source) -> None:
    """Raise the error that ``read_stereo`` would raise for a picture without a second eye; read nothing more.

    Parameters
    ----------
    source : Source
        The file.
    """
    _known(open_photo(source))


def _known(photo: PhotoFile) -> tuple[StereoFile, Any]:
    found = _kind(photo)
    if found is None:
        glasses = find_glasses(open_image(photo))
        if glasses is not None:
            raise ReadError(
                photo.name, f"is a {glasses.name} anaglyph; `from_anaglyph=True` of stereo separates its eyes"
            )
        raise FlatError(
            photo.name, "no second eye found: not in the file, not in its halves, and not in a file beside it"
        )
    return found


def find_kind(source: Source) -> str | None:
    """Return the name of the kind of stereo file that ``find_pair`` reads, or None for an ordinary picture.

    Parameters
    ----------
    source : Source
        The file.
    """
    found = _kind(open_photo(source), right_too=False)
    return None if found is None else found[0].name


def looks_stereo(source: Source) -> bool:
    """Return True if ``read_stereo`` would find two eyes; damaged stereo files count as stereo.

    Parameters
    ----------
    source : Source
        The file.
    """
    try:
        return _kind(open_photo(source)) is not None
    except ReadError:
        return False


def _kind(photo: PhotoFile, *, right_too: bool = True) -> tuple[StereoFile, Any] | None:
    """Return the kind of a stereo picture and what it was recognized by, or None."""
    key = f"stereo {right_too}"
    if key not in photo.memo:
        photo.memo[key] = _detected(photo, right_too)
    found: tuple[StereoFile, Any] | None = photo.memo[key]
    return found


def _detected(photo: PhotoFile, right_too: bool) -> tuple[StereoFile, Any] | None:
    for one in stereo_files():
        try:
            found = one.detect(photo)
        except ReadError:
            if one.suffixes:
                raise
            return None  # the picture cannot be opened at all: whoever opens it says why
        if found is None or (isinstance(found, Couple) and found.is_right and not right_too):
            continue
        return one, found
    return None
