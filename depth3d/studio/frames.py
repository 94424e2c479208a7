"""Strokes that were painted on frames of a clip, by the time of their frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from depth3d.errors import ExistsError
from depth3d.hints import Hints, Stroke
from depth3d.io.video.hints import KeyHints, clip_hints_beside, write_clip_hints
from depth3d.studio.items import Item

__all__ = ["frame_at", "hints_of", "keep_frames", "key_hints", "known_frames", "with_frame"]

_SAME = 0.005  # seconds between two times that mean the same frame

Frames = dict[float, list[dict[str, Any]]]


def hints_of(strokes: Any) -> Hints:
    """Return the strokes that a page sent. Raises ``InvalidInput``."""
    return Hints(tuple(Stroke.of(facts) for facts in strokes or ()))


def known_frames(item: Item) -> Frames:
    """Return the strokes of a clip by time: those painted in the page, else those found beside it."""
    if item.frames is not None:
        return item.frames
    return {float(one["time"]): one["strokes"] for one in item.facts.get("frames_painted", [])}


def frame_at(frames: Frames, time: float) -> list[dict[str, Any]]:
    """Return the strokes of the frame at a time."""
    return next((found for one, found in frames.items() if abs(one - time) <= _SAME), [])


def with_frame(frames: Frames, time: float, strokes: list[dict[str, Any]]) -> Frames:
    """Return the strokes with those of one frame replaced."""
    return {one: old for one, old in frames.items() if abs(one - time) > _SAME} | {round(time, 6): strokes}


def key_hints(frames: Frames) -> tuple[KeyHints, ...]:
    """Return strokes by time as the hints of a clip."""
    times = sorted(frames)
    return tuple(KeyHints(Fraction(str(time)).limit_denominator(10**6), hints_of(frames[time])) for time in times)


def keep_frames(item: Item, folder: Path) -> Path:
    """Write the strokes as NAME_hints.json, where every command finds them; return its path.

    Raises ``ExistsError`` for a file of this name that is not a hint file of a clip.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{item.path.stem}_hints.json"
    if path.exists() and clip_hints_beside(path.with_name(item.path.name)) is None:
        raise ExistsError(path, "was made by another program; rename it first")
    return write_clip_hints(key_hints(known_frames(item)), path, force=True)
