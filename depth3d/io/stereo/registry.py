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
from depth3d.stereopair import StereoPair

__all__ = ["StereoFile", "stereo_files", "stereo_suffixes", "write_stereo"]


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
    order : int
        Position in the detection: lower ones are asked first.
    """

    name: str
    about: str
    suffixes: tuple[str, ...]
    detect: Callable[[PhotoFile], Any]
    read: Callable[[PhotoFile, Any], StereoPair]
    write: Callable[[StereoPair, Path, bool], Path] | None = None
    order: int = 50


@cache
def stereo_files() -> tuple[StereoFile, ...]:
    """Return all kinds of stereo picture files in the order of their detection."""
    return discover("depth3d.io.stereo", StereoFile)


def stereo_suffixes() -> tuple[str, ...]:
    """Return the suffixes that only stereo pictures have."""
    return tuple(suffix for one in stereo_files() for suffix in one.suffixes)


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
    for one in stereo_files():
        if one.write is not None and path.name.lower().endswith(one.suffixes):
            return one.write(pair, path, force)
    known = ", ".join(suffix for one in stereo_files() if one.write for suffix in one.suffixes)
    raise InvalidInput(f"{path.name}: no stereo file has this suffix; expected one of {known}")
