"""Open image sequences: folders, ``*`` patterns, and frame numbers that start anywhere and may have gaps."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from depth3d.errors import ReadError
from depth3d.io.video.files import glob_escaped, open_container
from depth3d.io.video.suffixes import SEQUENCE_SUFFIXES

__all__ = ["SEQUENCE_RATE", "open_sequence"]

SEQUENCE_RATE = Fraction(25)
_NUMBER = re.compile(r"%(0?)(\d*)d")


def open_sequence(path: Path, rate: Fraction | None) -> tuple[Any, tuple[int, ...]]:
    """Open an image sequence; return the container, and the frame numbers of its pictures if some are missing.

    Raises
    ------
    ReadError
        If a folder has no pictures, or numbers without leading zeros have gaps.
    av.error.FFmpegError, ValueError
        If FFmpeg cannot open it.
    """
    options = {"framerate": str(rate or SEQUENCE_RATE)}
    name = path
    numbers: tuple[int, ...] = ()
    if path.is_dir():
        name = path / f"*{_most_common_suffix(path)}"
    elif "*" not in path.name:
        widths, found = _numbered(path)
        if found:
            options["start_number"] = str(found[0])
        if found and found[-1] - found[0] + 1 > len(found):
            if len(widths) > 1:
                raise ReadError(path, "numbers are missing; rename the pictures with leading zeros, or fill the gaps")
            first, last = _place(path)
            before, after = (glob_escaped(part.replace("%%", "%")) for part in (path.name[:first], path.name[last:]))
            name, numbers = path.with_name(f"{before}{'[0-9]' * widths.pop()}{after}"), tuple(found)
    if name != path or "*" in name.name:
        options["pattern_type"] = "glob"
        options.pop("start_number", None)
    return open_container(name, layout="image2", options=options), numbers


def _place(path: Path) -> tuple[int, int]:
    found = _NUMBER.search(path.name)
    return (0, 0) if found is None else found.span()


def _numbered(path: Path) -> tuple[set[int], list[int]]:
    """Return the numbers of digits and the sorted frame numbers of the existing pictures of a pattern."""
    found = _NUMBER.search(path.name)
    if found is None or not path.parent.is_dir():
        return set(), []
    digits = f"\\d{{{found[2]},}}" if found[1] else r"\d+"
    before, after = (part.replace("%%", "%") for part in (path.name[: found.start()], path.name[found.end() :]))
    pattern = re.compile(f"{re.escape(before)}({digits}){re.escape(after)}")
    texts = [match[1] for one in path.parent.iterdir() if (match := pattern.fullmatch(one.name))]
    return {len(text) for text in texts}, sorted({int(text) for text in texts})


def _most_common_suffix(folder: Path) -> str:
    suffixes = [p.suffix for p in folder.iterdir() if p.suffix.lower() in SEQUENCE_SUFFIXES]
    if not suffixes:
        raise ReadError(folder, "holds no pictures")
    return max(set(suffixes), key=suffixes.count)
