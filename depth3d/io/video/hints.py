"""Hint files of clips: ``NAME_hints.json`` with the strokes painted on some of the frames."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidInput, ReadError, in_words
from depth3d.hints import Hints, Stroke
from depth3d.io.atomic import atomic_path
from depth3d.io.hints import read_marked_json
from depth3d.quantities import is_file

__all__ = ["KeyHints", "clip_hints_beside", "read_clip_hints", "write_clip_hints"]

_FORMAT, _WHAT = "depth3d clip hints", "hint file of a clip"
_LARGEST = 50_000_000  # bytes
_MOST = 5000  # key frames


@dataclass(frozen=True, slots=True, eq=False)
class KeyHints:
    """The strokes of one frame.

    Parameters
    ----------
    time : Fraction
        Time of the frame in the clip, seconds.
    hints : Hints
        Its strokes; without any, the repair ends here.
    """

    time: Fraction
    hints: Hints


def clip_hints_beside(clip: Path) -> Path | None:
    """Return the hint file beside a clip, or None; that of a photo of the same name is not one."""
    path = clip.with_name(f"{clip.stem}_hints.json")
    if not is_file(path):
        return None
    try:
        read_marked_json(path, _FORMAT, _WHAT, _LARGEST)
    except ReadError:
        return None
    return path


def read_clip_hints(path: str | Path) -> tuple[KeyHints, ...]:
    """Read the hint file of a clip, in the order of time. Raises ``ReadError``.

    Parameters
    ----------
    path : str | Path
        ``.json``.
    """
    path = Path(path)
    frames = read_marked_json(path, _FORMAT, _WHAT, _LARGEST).get("frames")
    if not isinstance(frames, list) or len(frames) > _MOST:
        raise ReadError(path, f"is not a {_WHAT}: expected a list of at most {_MOST} frames")
    try:
        found = [_key(frame) for frame in frames]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReadError(path, f"is not a {_WHAT}: {in_words(error)}") from error
    return tuple(sorted(found, key=lambda one: one.time))


def write_clip_hints(keys: tuple[KeyHints, ...], path: str | Path, *, force: bool = False) -> Path:
    """Write the strokes of a clip's frames; return the path. Raises ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    keys : tuple[KeyHints, ...]
        Strokes by time.
    path : str | Path
        ``NAME_hints.json`` beside the clip.
    force : bool
        Replace an existing file.
    """
    frames = [
        {"time": round(float(key.time), 6), "strokes": [stroke.facts() for stroke in key.hints.strokes]} for key in keys
    ]
    text = json.dumps({"format": _FORMAT, "version": 1, "frames": frames}, indent=1)
    with atomic_path(path, force=force) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def _key(frame: Any) -> KeyHints:
    time = frame["time"]
    if isinstance(time, bool) or not isinstance(time, int | float) or not (math.isfinite(time) and 0 <= time < 1e7):
        raise InvalidInput(f"time {time!r}, expected seconds")
    strokes = tuple(Stroke.of(facts) for facts in frame["strokes"])
    return KeyHints(Fraction(str(time)).limit_denominator(10**6), Hints(strokes))
