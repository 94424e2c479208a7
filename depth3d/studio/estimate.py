"""Estimates how long an output takes to write: a first guess from measurements, corrected by what was written here."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from depth3d.image import Size
from depth3d.io.animation import animation_format
from depth3d.options import AnimateOptions
from depth3d.pipeline.size import output_size

__all__ = ["Estimate", "work_of"]

# Seconds per unit of work on two cores without a GPU, before anything was measured here.
_FIRST = {"clip": 0.1, "animate": 0.018, "stereo": 0.35, "mesh": 0.3, "view": 0.4, "depth": 0.08}
_FRAME = 0.2  # work of a frame besides its pixels, in megapixels
_PHOTO = 2.0  # work of a photo besides its pixels
_NEWEST = 0.5  # weight of the last measurement


class Estimate:
    """Seconds per unit of work, for every kind of output."""

    def __init__(self) -> None:
        self._rates = dict(_FIRST)

    def seconds(self, kind: str, work: float) -> float:
        """Return the seconds that an output of this kind will take."""
        return self._rates[kind] * work

    def learn(self, kind: str, work: float, seconds: float) -> None:
        """Correct the estimates of a kind by an output that took ``seconds``."""
        if work > 0:
            self._rates[kind] += _NEWEST * (seconds / work - self._rates[kind])


def work_of(kind: str, form: str, options: dict[str, Any], facts: dict[str, Any]) -> tuple[str, float]:
    """Return the kind that the time is measured by, and the work in megapixels.

    Parameters
    ----------
    kind, form : str
        The output, as "animate" and ".mp4".
    options : dict[str, Any]
        Its options.
    facts : dict[str, Any]
        ``width``, ``height`` and, of clips, ``frames``, as the page knows them.
    """
    size = Size(facts["width"], facts["height"])
    if facts["kind"] == "clip":
        shown = output_size(options["size"], size) if options.get("size") else size
        return "clip", facts["frames"] * (_FRAME + shown.pixels / 1e6)
    if kind != "animate":
        return kind, _PHOTO + size.pixels / 1e6
    long_side = animation_format(Path(f"x{form}")).long_side
    shown = output_size(options.get("size", AnimateOptions.size), size, long_side=long_side)
    seconds, rate = options.get("seconds", AnimateOptions.seconds), options.get("fps", AnimateOptions.fps)
    frames = float(seconds) * float(Fraction(rate))
    return kind, frames * (_FRAME + shown.pixels / 1e6)
