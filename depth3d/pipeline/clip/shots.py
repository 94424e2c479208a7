"""Read and write shot lists: TOML files with parallax and convergence per shot, to be edited by hand."""

from __future__ import annotations

import json
import tomllib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, ReadError, in_words
from depth3d.io.atomic import atomic_path
from depth3d.options import StereoOptions
from depth3d.pipeline.clip.depth_pass import StoredDepth
from depth3d.pipeline.clip.renderers import StereoStrength
from depth3d.pipeline.comfort import auto_convergence, window_for, window_violation
from depth3d.quantities import printable, short
from depth3d.stereopair import DEFAULT_CONVERGENCE

__all__ = ["Shot", "ShotList", "measure_shots", "read_shots", "write_shots"]

_SAMPLES = 12  # frames measured in each shot
_KEYS = {"start", "end", "thumbnail", "depth", "parallax", "convergence", "window"}


@dataclass(frozen=True, slots=True)
class Shot:
    """One scene between two cuts, with its 3D settings.

    Parameters
    ----------
    start, end : Fraction
        Seconds; the shot's frames have start <= time < end.
    first : int
        Index of the first frame.
    low, high : float
        5th and 95th percentile of its depth, 0 (far) to 1 (near).
    parallax, convergence : float
        Stereo strength of its frames: percent of the width; depth at the screen plane, 0 to 1.
    thumbnail : str
        Path of its thumbnail relative to the TOML file.
    window : tuple[float, float] | None
        Bars of its floating window, see ``StereoStrength``; None = not measured.
    """

    start: Fraction
    end: Fraction
    first: int = 0
    low: float = 0.0
    high: float = 1.0
    parallax: float = StereoOptions.parallax
    convergence: float = DEFAULT_CONVERGENCE
    thumbnail: str = ""
    window: tuple[float, float] | None = None


class ShotList:
    """Stereo strength by time; frames outside all shots have the strength ``otherwise``."""

    def __init__(self, shots: Iterable[Shot], otherwise: StereoStrength) -> None:
        self.shots = sorted(shots, key=lambda shot: shot.start)
        self._starts = [shot.start for shot in self.shots]
        self.otherwise = otherwise

    def strength(self, time: Fraction) -> StereoStrength:
        """Return the stereo strength of the frame at ``time``, seconds."""
        place = self._place(time)
        if place < 0:
            return self.otherwise
        shot = self.shots[place]
        return StereoStrength(shot.parallax, shot.convergence, shot.window or (0.0, 0.0))

    def _place(self, time: Fraction) -> int:
        """Return the index of the shot at ``time``; -1 = none."""
        place = bisect_right(self._starts, time) - 1
        return -1 if place < 0 or time >= self.shots[place].end else place

    def between(self, first: Fraction, last: Fraction) -> ShotList:
        """Return the list of the shots that are needed from ``first`` to ``last``, seconds."""
        return ShotList((shot for shot in self.shots if shot.start <= last and shot.end > first), self.otherwise)

    def with_windows(self, borders: Iterable[tuple[Fraction | None, tuple[float, float]]]) -> ShotList:
        """Return the list with floating windows: each shot without one gets the widest that one of its frames needs.

        Parameters
        ----------
        borders : Iterable[tuple[Fraction | None, tuple[float, float]]]
            Of some frames: the time, seconds, None = it stands for all; the ``border_depth``.
        """
        *windows, last = ((round(one[0], 3), round(one[1], 3)) for one in map(window_for, self._violations(borders)))
        shots = [
            shot if shot.window is not None else replace(shot, window=window)
            for shot, window in zip(self.shots, windows, strict=True)
        ]
        return ShotList(shots, replace(self.otherwise, window=last))

    def worst_violation(self, borders: Iterable[tuple[Fraction | None, tuple[float, float]]]) -> float:
        """Return the largest window violation of the shots without a window, percent of the width.

        Parameters
        ----------
        borders : Iterable[tuple[Fraction | None, tuple[float, float]]]
            As for ``with_windows``.
        """
        shown = [*(shot.window is None for shot in self.shots), True]
        found = zip(self._violations(borders), shown, strict=True)
        return max(max(violation) for violation, counts in found if counts)

    def _violations(self, borders: Iterable[tuple[Fraction | None, tuple[float, float]]]) -> list[tuple[float, float]]:
        """Return the window violation of each shot, and last that of the frames outside all shots."""
        nearest = np.zeros((len(self.shots) + 1, 2))
        for time, border in borders:
            place = slice(None) if time is None else self._place(time)
            nearest[place] = np.maximum(nearest[place], border)
        settings: list[Shot | StereoStrength] = [*self.shots, self.otherwise]
        return [
            window_violation((float(left), float(right)), one.parallax, one.convergence)
            for (left, right), one in zip(nearest, settings, strict=True)
        ]


def measure_shots(
    depth: StoredDepth, time_base: Fraction, end: Fraction, strength: StereoStrength, auto: bool
) -> list[Shot]:
    """Measure the depth range, and with ``auto`` the convergence, of every scene of the first pass.

    Parameters
    ----------
    end : Fraction
        End of the last frame, seconds.
    strength : StereoStrength
        Parallax and convergence of every shot; with ``auto`` convergence is measured.
    """
    shots: list[Shot] = []
    samples: list[DepthMap] = []
    scene = -1
    steps = [max(1, one.frames // _SAMPLES) for one in depth.ranges]

    def close() -> None:
        if samples:
            low, high = (float(v) for v in np.percentile(np.stack([one.values for one in samples]), [5, 95]))
            convergence = auto_convergence(samples, strength.parallax) if auto else strength.convergence
            shots[-1] = replace(shots[-1], low=low, high=high, convergence=convergence)
            samples.clear()

    for record in depth.records():
        time = record.ticks * time_base
        if record.scene != scene:
            close()
            if shots:
                shots[-1] = replace(shots[-1], end=time)
            scene = record.scene
            shots.append(Shot(time, end, record.index, parallax=strength.parallax, convergence=strength.convergence))
        if (record.index - shots[-1].first) % steps[scene] == 0:
            samples.append(DepthMap(depth.inside(record).values[::4, ::4]))
    close()
    return shots


def write_shots(shots: list[Shot], path: Path, source: str) -> None:
    """Write the TOML file; raises ``WriteError``."""
    names = printable(source), printable(path.name)
    lines = [f"# Shots of {names[0]}. Edit parallax, convergence, start and end; use it with --shots {names[1]}"]
    lines += ["# times in seconds; parallax in percent of the width; convergence and depth: 0 = far, 1 = near", ""]
    for number, shot in enumerate(shots, 1):
        lines += [
            f"[[shot]]  # {number}",
            f"start = {float(shot.start):.6f}",
            f"end = {float(shot.end):.6f}",
        ]
        if shot.thumbnail:
            # Without control characters and surrogates, a JSON string is a TOML string.
            lines.append(f"thumbnail = {json.dumps(printable(shot.thumbnail), ensure_ascii=False)}")
        lines += [
            f"depth = [{shot.low:.3f}, {shot.high:.3f}]  # 5th to 95th percentile (measured)",
            f"parallax = {shot.parallax:g}",
            f"convergence = {shot.convergence:.3f}",
        ]
        if shot.window is not None:
            lines.append(f"window = [{shot.window[0]:g}, {shot.window[1]:g}]  # black bars, percent of the width")
        lines.append("")
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")


_LIMITS = {"start": (0, 3_600_000), "end": (0, 3_600_000), "parallax": (0, 50), "convergence": (0, 1)}
_WIDEST = 25  # percent of the width; bars of a floating window
_LARGEST_FILE = 1 << 24  # bytes


def read_shots(path: Path, otherwise: StereoStrength) -> ShotList:
    """Read a shot list; missing parallax or convergence values are taken from ``otherwise``.

    Raises ``ReadError`` if it is not a TOML file with shots, ``InvalidInput`` with the shot number for invalid values.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ReadError(path, "is too large for a shot list")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: not TOML, not UTF-8, numbers of 5,000 digits
        raise ReadError(path, f"is not a valid shot list: {in_words(error)}") from error
    entries = content.get("shot")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ReadError(path, "contains no [[shot]]")
    shots = [_shot(entry, f"{path}: shot {number}", otherwise) for number, entry in enumerate(entries, 1)]
    return ShotList(shots, otherwise)


def _shot(entry: dict[str, Any], name: str, otherwise: StereoStrength) -> Shot:
    unknown = set(entry) - _KEYS
    if unknown:
        raise InvalidInput(f"{name}: unknown {sorted(unknown)[0]!r}; known: {', '.join(sorted(_KEYS))}")
    numbers = {"parallax": otherwise.parallax, "convergence": otherwise.convergence} | entry
    for key, (low, high) in _LIMITS.items():
        value = numbers.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise InvalidInput(f"{name}: {key} is {short(value)}, expected a number, {low} to {high}")
    if numbers["start"] >= numbers["end"]:
        raise InvalidInput(f"{name}: start {numbers['start']} and end {numbers['end']}, expected start < end")
    # Six decimals may round a time up past its frame.
    margin = Fraction(1, 1_000_000)
    return Shot(
        Fraction(str(entry["start"])) - margin,
        Fraction(str(entry["end"])) - margin,
        parallax=float(numbers["parallax"]),
        convergence=float(numbers["convergence"]),
        window=_window(entry.get("window"), name),
    )


def _window(value: Any, name: str) -> tuple[float, float] | None:
    if value is None:
        return None
    numbers = value if isinstance(value, list) else []
    able = [n for n in numbers if isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n <= _WIDEST]
    if len(numbers) != 2 or able != numbers:
        raise InvalidInput(f"{name}: window is {short(value)}, expected two numbers, 0 to {_WIDEST}")
    return float(numbers[0]), float(numbers[1])
