"""Texts with a meaning: sizes, times, lengths, frame rates and file names, checked and normalized."""

from __future__ import annotations

import math
import numbers
import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidInput, InvalidOption

__all__ = [
    "NAMED_SIZES",
    "as_canvas",
    "as_file",
    "as_float",
    "as_length",
    "as_path",
    "as_size",
    "as_time",
    "clock_seconds",
    "described",
    "frame_rate",
    "home_path",
    "is_file",
    "is_number",
    "length_meters",
    "printable",
    "short",
    "text_of",
]

# Sizes by name -> longer side, pixels.
NAMED_SIZES = {"720p": 1280, "1080p": 1920, "1440p": 2560, "2160p": 3840, "4k": 3840}
LONGEST_NAME = 255  # bytes; limit of ext4, APFS, NTFS and exFAT (each in its own unit)
SMALLEST_SIDE, LARGEST_SIDE = 16, 16384
_UNITS = {"in": 0.0254, '"': 0.0254, "inch": 0.0254, "m": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048}


def frame_rate(value: Fraction | float | str) -> Fraction:
    """``30``, ``"59.94"`` or ``"30000/1001"`` as an exact fraction; 23.976 means 24000/1001.

    Raises ``InvalidInput`` unless 0 < rate <= 1000.
    """
    try:
        # NumPy's small integers overflow inside a fraction, and its floats are none to it before Python 3.12.
        if isinstance(value, numbers.Integral):
            value = int(value)
        elif isinstance(value, numbers.Real) and not isinstance(value, Fraction):
            value = float(value)
        # Fraction("1e99999999") would compute all its digits.
        rate = Fraction(float(value) if isinstance(value, str) and "e" in value.lower() else value)
    except (ValueError, ZeroDivisionError, TypeError, OverflowError):
        raise InvalidInput(f"frame rate {short(value)}: expected a number like 30, 59.94 or 30000/1001") from None
    broadcast = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    if rate.denominator not in (1, 1001) and abs(rate - broadcast) < Fraction(1, 100):
        rate = broadcast
    if not Fraction(1, 1000) <= rate <= 1000:
        raise InvalidInput(f"frame rate {short(value)}: expected more than 0 and at most 1000")
    return rate.limit_denominator(100_000)


def length_meters(text: str, default: str, name: str) -> float:
    """Return a length like "55in", "140cm" or "2.5m" in meters; ``default`` is the unit of a bare number.

    Raises ``InvalidOption`` with ``name``.
    """
    found = re.fullmatch(r"\s*([0-9]{0,9}\.?[0-9]{1,9})\s*([a-z\"]*)\s*", str(text).lower())
    unit = (found[2] or default) if found else ""
    if found is None or unit not in _UNITS:
        raise InvalidOption(name, f"{text!r}, expected a length like 55in, 140cm or 2.5m")
    return float(found[1]) * _UNITS[unit]


def clock_seconds(text: str | float | None, name: str) -> Fraction | None:
    """Return ``12.5``, ``"90s"`` or ``"1:02:03.5"`` in seconds; None stays None.

    Raises ``InvalidOption`` with ``name`` for anything else and for more than 1,000 hours.
    """
    if text is None:
        return None
    parts = str(text).strip().removesuffix("s").split(":")
    if len(parts) > 3 or not all(re.fullmatch(r"\d{1,9}(\.\d{1,9})?", part) for part in parts):
        raise InvalidOption(name, f"{text!r}, expected seconds (12.5) or a time (1:02:03.5)")
    total = Fraction(0)
    for part in parts:
        total = total * 60 + Fraction(part)
    if total > 3_600_000:
        raise InvalidOption(name, f"{text!r}, expected at most 1000 hours")
    return total


def as_size(name: str, value: object) -> str:
    """Return a size as text: "auto", "1080p" and the like, or "WIDTHxHEIGHT"; pairs of integers are accepted."""
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(side, numbers.Integral) for side in value):
        value = f"{value[0]}x{value[1]}"
    text = text_of(name, value).strip()
    found = re.fullmatch(r"(\d{1,9})[xX](\d{1,9})", text)
    if found is None:
        if text.lower() != "auto" and text.lower() not in NAMED_SIZES:
            known = ", ".join(NAMED_SIZES)
            raise InvalidOption(name, f"{text!r}, expected a size as WIDTHxHEIGHT, auto, or one of {known}")
    elif not all(SMALLEST_SIDE <= int(side) <= LARGEST_SIDE for side in found.groups()):
        raise InvalidOption(name, f"{text}, expected sides between {SMALLEST_SIDE} and {LARGEST_SIDE} pixels")
    return text


def as_canvas(name: str, value: object) -> str:
    """Return a canvas as text: a shape "WIDTH:HEIGHT" or a size "WIDTHxHEIGHT". Raises ``InvalidOption``."""
    text = text_of(name, value).strip()
    if re.fullmatch(r"\d{1,9}[xX]\d{1,9}", text):
        return as_size(name, text)
    found = re.fullmatch(r"(\d{1,3}):(\d{1,3})", text)
    if found is None or not all(int(side) for side in found.groups()):
        raise InvalidOption(name, f"{text!r}, expected a shape like 16:9 or a size like 1920x1080")
    if not 1 / 8 <= int(found[1]) / int(found[2]) <= 8:
        raise InvalidOption(name, f"{text}, expected a shape between 1:8 and 8:1")
    return text


def as_time(name: str, value: object) -> str:
    """Return a time as text; numbers are seconds. Raises ``InvalidOption``."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        value = f"{as_float(value):.9f}"
    text = text_of(name, value)
    clock_seconds(text, name)
    return text


def as_length(default: str) -> Callable[[str, object], str]:
    """Return a converter of lengths like "55in"; numbers count in the unit ``default``. Range: 1 mm to 1000 m."""

    def convert(name: str, value: object) -> str:
        if isinstance(value, numbers.Real) and not isinstance(value, bool):
            value = f"{as_float(value):.6f}"
        text = text_of(name, value)
        if not 0.001 <= length_meters(text, default, name) <= 1000:
            raise InvalidOption(name, f"{text!r}, expected 1 mm to 1000 m")
        return text

    return convert


def as_file(name: str, value: object) -> str:
    """Return a file name as text; path objects are accepted. Raises ``InvalidOption`` for empty names and NUL."""
    text = text_of(name, plain_path(name, value))
    if not text.strip():
        raise InvalidOption(name, "is empty, expected a file name")
    try:
        longest = max(len(os.fsencode(part)) for part in re.split(r"[/\\]" if os.name == "nt" else "/", text))
    except UnicodeEncodeError:  # half of a surrogate pair
        raise InvalidOption(name, f"{text!a} is no name that a file can have") from None
    if longest > LONGEST_NAME:
        raise InvalidOption(name, f"has a file name of {longest} bytes, the limit is {LONGEST_NAME}: {short(text)}")
    return text


def is_file(path: Path) -> bool:
    """Return whether there is a file; False also for a name longer than file systems allow, as derived names may be.

    Parameters
    ----------
    path : Path
        Its name.
    """
    return len(os.fsencode(path.name)) <= LONGEST_NAME and path.is_file()


def as_path(value: object, name: str = "path") -> Path:
    """Return a file name as a path. Raises ``InvalidOption`` with ``name`` for other types, empty names and NUL."""
    if isinstance(value, bytes):
        value = os.fsdecode(value)
    return Path(as_file(name, value))


def home_path(name: str | os.PathLike[str]) -> Path:
    """Return a path with a leading ``~`` or ``~user`` expanded; unchanged for a user who does not exist."""
    return Path(os.path.expanduser(name))


def printable(name: str | os.PathLike[str]) -> str:
    """Return a file name as text for files and pages: bytes beyond UTF-8 become U+FFFD, controls spaces."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text)


def plain_path(name: str, value: object) -> object:
    """Return what a path object stands for; other values unchanged. Raises ``InvalidOption`` if it cannot tell."""
    if not isinstance(value, os.PathLike):
        return value
    try:
        return os.fspath(value)
    except Exception as error:  # code of others
        raise InvalidOption(name, f"{described(value)} whose path cannot be read: {error}") from error


def text_of(name: str, value: object) -> str:
    """Return a string without NUL. Raises ``InvalidOption`` with ``name`` for anything else."""
    if not isinstance(value, str):
        raise InvalidOption(name, f"{described(value)}, expected a string")
    if "\0" in value:
        raise InvalidOption(name, "holds a NUL character, which no name may hold")
    return value


def as_float(value: Any) -> float:
    """Return a real number as a float; infinity for integers and fractions beyond the largest float."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def short(value: object) -> str:
    """Return ``repr(value)`` for messages, at most 40 characters."""
    try:
        shown = repr(value)
    except Exception:  # integers of more than 4,300 digits; objects whose own repr fails
        shown = f"<{type(value).__name__}>"
    return shown if len(shown) <= 40 else shown[:37] + "..."


def is_number(value: object) -> bool:
    """Return whether a value is a real number, NaN and infinity included, that a float can hold."""
    if type(value) is float:  # the question to an abstract class takes ten times as long
        return True
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def described(value: Any) -> str:
    """Return a value and its type in words, for messages: "'2' is a string"."""
    if value is None:
        return "None"
    kind = {"str": "string", "bytes": "bytes object"}.get(type(value).__name__, type(value).__name__)
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    return f"{short(value)} is {article} {kind}"
