"""The registry of stereo picture files: what each module of this folder must offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidInput
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.registry import discover
from depth3d.stereoformats import FORMATS, StereoFormat
from depth3d.stereopair import StereoPair

__all__ = [
    "StereoFile",
    "add_formats",
    "implied_format",
    "plain_name",
    "stereo_file",
    "stereo_files",
    "stereo_suffixes",
    "write_stereo",
]


@dataclass(frozen=True, slots=True)
class StereoFile:
    """One kind of stereo picture file.

    Parameters
    ----------
    name : str
        "mpo".
    about : str
        What it is and who writes it, one line for help texts and the README.
    suffixes : tuple[str, ...]
        That only this kind has, in lower case with the dot.
    detect : Callable[[PhotoFile], Any]
        Returns what it found (handed on to ``read``), or None if the file is of another kind.
    read : Callable[[PhotoFile, Any], StereoPair]
        Reads both eyes. Raises ``ReadError``.
    write : Callable[[StereoPair, Path, bool], Path] | None
        Writes both eyes (the third argument: replace an existing file); None if the kind is only read.
    write_sphere : Callable[[StereoPair, Path, float, bool], Path] | None
        Instead of ``write``: writes eyes that are projected on a sphere (the third argument: degrees they cover).
    other_suffixes : tuple[str, ...]
        Of ordinary pictures, under which it may be written where it is asked for by name.
    order : int
        Position in the detection: lower ones are asked first.
    """

    name: str
    about: str
    suffixes: tuple[str, ...]
    detect: Callable[[PhotoFile], Any]
    read: Callable[[PhotoFile, Any], StereoPair]
    write: Callable[[StereoPair, Path, bool], Path] | None = None
    write_sphere: Callable[[StereoPair, Path, float, bool], Path] | None = None
    other_suffixes: tuple[str, ...] = ()
    order: int = 50


@cache
def stereo_files() -> tuple[StereoFile, ...]:
    """Return all kinds of stereo picture files in the order of their detection."""
    return discover("depth3d.io.stereo", StereoFile)


def stereo_suffixes() -> tuple[str, ...]:
    """Return the suffixes that only stereo pictures have."""
    return tuple(suffix for one in stereo_files() for suffix in one.suffixes)


def stereo_file(path: Path, name: str = "") -> StereoFile | None:
    """Return the kind of stereo file that is written to ``path``, or None for a plain picture.

    Parameters
    ----------
    path : Path
        Its suffix counts.
    name : str
        Name of a kind, which counts more than the suffix.
    """
    written = [one for one in stereo_files() if one.write is not None or one.write_sphere is not None]
    named = (one for one in written if one.name == name)
    suffixed = (one for one in written if path.name.lower().endswith(one.suffixes))
    return next(named, next(suffixed, None))


def plain_name(path: Path) -> str:
    """Return the file's name without its suffix, which may have two parts (``.vr.jpg``)."""
    kind = stereo_file(path)
    return path.stem if kind is None else path.name[: -len(next(filter(path.name.lower().endswith, kind.suffixes)))]


def add_formats() -> None:
    """Add every kind of stereo file that can be written to ``FORMATS``, under its own name, unless it has a row there.

    So a new module of this folder also is a value of ``--format``.
    """
    for one in stereo_files():
        if (one.write is not None or one.write_sphere is not None) and one.name not in FORMATS:
            FORMATS[one.name] = StereoFormat(one.name, "file", "", one.suffixes[0], f"{one.about}.")


def implied_format(path: Path) -> StereoFormat | None:
    """Return the stereo format that the suffix of an output stands for, or None where it stands for several."""
    add_formats()
    kind = stereo_file(path)
    if kind is not None:
        return FORMATS[kind.name]
    return FORMATS["wiggle-gif"] if path.suffix.lower() == ".gif" else None


def write_stereo(pair: StereoPair, path: str | Path, *, force: bool = False) -> Path:
    """Write both eyes in the kind of file that the suffix names; return the path.

    Raises ``InvalidInput`` for a suffix that none has, ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    pair : StereoPair
        Both eyes.
    path : str | Path
        The file to write.
    force : bool
        Replace an existing file.
    """
    path = Path(path)
    kind = stereo_file(path)
    if kind is not None and kind.write is not None:
        return kind.write(pair, path, force)
    known = ", ".join(suffix for one in stereo_files() if one.write for suffix in one.suffixes)
    raise InvalidInput(f"{path.name}: no stereo file has this suffix; expected one of {known}")
