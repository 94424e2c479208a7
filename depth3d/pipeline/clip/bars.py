"""Black bars of clips (letterbox, pillarbox), measured per shot.

A row belongs to a bar if all its pixels are black in every frame of the shot: subtitles in a bar make it end there.
Depth is predicted and stabilized on the picture inside, at one size for all shots, so that bars are in no statistic.
For rendering, the picture is mirrored into the bars, as at the border of other clips, and the bars are drawn black.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depth3d.depth.temporal.scene_cuts import scene_starts
from depth3d.frames import VideoInfo
from depth3d.image import Image, Size
from depth3d.io.stereo.layouts import EyeLayout
from depth3d.io.video.reader import VideoReader
from depth3d.stereopair import StereoPair

__all__ = ["Bars", "ClipBars", "find_bars", "pair_bars"]

_BLACK = 28  # 8-bit level: video black with the noise and ringing of encoders
_LEAST, _MOST = 0.015, 0.35  # of the side
_UNEVEN = 0.03  # of the side: difference of the two opposite bars
_STEADY = 0.5  # of the frames of a shot end their bars at the same row
_SAMPLES = 12  # frames; without bars in any of them the clip is not searched
_THUMBNAIL = Size(96, 54)


class Bars(NamedTuple):
    """Width of the bars on each side, pixels; 0 = none."""

    top: int = 0
    right: int = 0
    bottom: int = 0
    left: int = 0

    def inside(self, size: Size) -> tuple[slice, slice]:
        """Return the rows and columns of the picture inside."""
        return slice(self.top, size.height - self.bottom), slice(self.left, size.width - self.right)

    def inner_size(self, size: Size) -> Size:
        """Return the size of the picture inside."""
        return Size(size.width - self.left - self.right, size.height - self.top - self.bottom)

    def scaled(self, old: Size, new: Size) -> Bars:
        """Return the bars of the same picture at another size."""
        across, down = new.width / old.width, new.height / old.height
        return Bars(*(round(side * scale) for side, scale in zip(self, (down, across, down, across), strict=True)))

    def without(self, other: Bars) -> Bars:
        """Return what is left of the bars when ``other`` has been cropped."""
        return Bars(*(max(0, mine - cut) for mine, cut in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class ClipBars:
    """The bars of every shot of a clip.

    Parameters
    ----------
    size : Size
        Picture size in which the bars are measured.
    starts : tuple[Fraction, ...]
        Start of every shot, seconds of the source.
    shots : tuple[Bars, ...]
        Bars of every shot.
    """

    size: Size
    starts: tuple[Fraction, ...]
    shots: tuple[Bars, ...]

    @property
    def common(self) -> Bars:
        """Bars that every shot has, even numbers of pixels: what can be cropped without loss."""
        return Bars(*(min(sides) // 2 * 2 for sides in zip(*self.shots, strict=True)))

    @property
    def largest_inside(self) -> Size:
        """Largest width and height of the picture inside the bars."""
        width, height = self.size
        return Size(
            width - min(one.left + one.right for one in self.shots),
            height - min(one.top + one.bottom for one in self.shots),
        )

    def at(self, time: Fraction, size: Size) -> Bars:
        """Return the bars at ``time``, seconds of the source, in a picture of ``size``."""
        number = sum(start <= time for start in self.starts) - 1
        return self.shots[max(0, number)].scaled(self.size, size)

    def cropped(self) -> ClipBars | None:
        """Return the bars that are left when ``common`` has been cropped; None if there are none."""
        cut = self.common
        size = cut.inner_size(self.size)
        left = tuple(one.without(cut) for one in self.shots)
        return replace(self, size=size, shots=left) if any(map(any, left)) else None

    def told(self) -> str:
        """Describe the bars in one line."""
        names = ("top", "right", "bottom", "left")
        (usual, _), *others = Counter(self.shots).most_common()
        sides = ", ".join(f"{name} {side}" for name, side in zip(names, usual, strict=True) if side) or "none"
        return f"black bars ({sides} px{', other ones in some shots' if others else ''}); `crop_bars=True` removes them"


def find_bars(
    source: Path, info: VideoInfo, start: Fraction | None, end: Fraction | None, eyes: EyeLayout | None = None
) -> ClipBars | None:
    """Measure the black bars of every shot of a clip; None if there are none.

    A few frames are looked at first. If one has bars, the wanted part is decoded once, so that no picture is lost in
    shots without bars.

    Parameters
    ----------
    source : Path
        The clip; image sequences have no bars.
    info : VideoInfo
        Its properties.
    start, end : Fraction | None
        The wanted part, seconds of the source.
    eyes : EyeLayout | None
        Layout of a stereo clip: the bars of one eye are measured, where both eyes are black.
    """
    if not source.is_file() or min(info.size) < 32:
        return None
    stat = source.stat()
    first, stop = start or info.start, end if end is not None else info.duration
    length = (stop - first) if stop is not None else Fraction(info.count or 1) / info.rate
    return _measured(source, (stat.st_size, stat.st_mtime_ns), start, end, first, max(length, Fraction(0)), eyes)


@lru_cache(maxsize=8)
def _measured(
    source: Path,
    _file: tuple[int, int],
    start: Fraction | None,
    end: Fraction | None,
    first: Fraction,
    length: Fraction,
    eyes: EyeLayout | None,
) -> ClipBars | None:
    with VideoReader(source, tone_map=True, quiet=True, views=eyes is not None) as reader:
        sampled = reader.sampled([first + length * (2 * number + 1) / (2 * _SAMPLES) for number in range(_SAMPLES)])
        if not any(any(_bars_of(*_margins(frame.image, eyes))) for frame in sampled):
            return None
    return _search(source, start, end, eyes)


def _search(source: Path, start: Fraction | None, end: Fraction | None, eyes: EyeLayout | None) -> ClipBars | None:
    times: list[Fraction] = []
    margins: list[Bars] = []
    sizes: list[Size] = []

    def pictures(reader: VideoReader) -> Iterator[NDArray[Any]]:
        for frame in reader:
            times.append(frame.time)
            found, size = _margins(frame.image, eyes)
            margins.append(found)
            sizes.append(size)
            yield frame.image.resized(_THUMBNAIL).eight_bit().pixels

    with VideoReader(source, start=start, end=end, tone_map=True, quiet=True, views=eyes is not None) as reader:
        begins = scene_starts(pictures(reader))
    size = sizes[0]
    spans = list(zip(begins, [*begins[1:], len(times)], strict=True))
    shots = _of_shots([np.array(margins[begin:stop]) for begin, stop in spans], size)
    if not any(map(any, shots)):
        return None
    return ClipBars(size, tuple(times[begin] for begin in begins), tuple(shots))


def _of_shots(margins: list[NDArray[Any]], size: Size) -> list[Bars]:
    """Return the bars of every shot from the black margins (N, 4) of its frames."""
    limits = np.array([size.height, size.width, size.height, size.width]) * _MOST
    least: list[NDArray[Any] | None] = []
    sure: Counter[Bars] = Counter()
    found: list[Bars] = []
    for shot in margins:
        lit = shot[(shot <= limits).all(1)]
        least.append(lit.min(0) if len(lit) else None)
        bars = Bars() if not len(lit) else _bars_of(Bars(*(int(side) for side in lit.min(0))), size)
        steady = len(lit) > 0 and (lit <= np.array(bars) + 1)[:, np.array(bars) > 0].all(1).mean() >= _STEADY
        found.append(bars if steady else Bars())
        if any(found[-1]):
            sure[found[-1]] += len(shot)
    if not sure:
        return found
    # Dark shots, whose picture is black near its border, have the bars of the others.
    usual = sure.most_common(1)[0][0]
    return [
        usual if not any(bars) and (low is None or (low >= np.array(usual) - 1).all()) else bars
        for bars, low in zip(found, least, strict=True)
    ]


def pair_bars(pair: StereoPair) -> Bars:
    """Return the bars that both eyes of a frame have; those of a floating window are in one eye only."""
    left, right = _dark_margins(pair.left), _dark_margins(pair.right)
    return _bars_of(Bars(*map(min, left, right)), pair.size)


def _margins(image: Image, eyes: EyeLayout | None) -> tuple[Bars, Size]:
    """Return the number of black rows and columns at each side of a picture, or of both eyes, and its size."""
    if eyes is None:
        return _dark_margins(image), image.size
    pair = replace(eyes, half=False).unpack(image)  # half formats as they are stored: scaling lights the bars' border
    left, right = _dark_margins(pair.left), _dark_margins(pair.right)
    both = Bars(*map(min, left, right))  # the bars of a floating window are in one eye only
    upright = eyes.packing == "stack"
    full = Size(pair.size.width * (1 if upright else 2), pair.size.height * (2 if upright else 1))
    return (both.scaled(pair.size, full), full) if eyes.half else (both, pair.size)


def _dark_margins(image: Image) -> Bars:
    pixels = image.eight_bit().pixels
    height, width = pixels.shape[:2]
    flat = np.ascontiguousarray(pixels).reshape(height, width * 3)
    rows, columns = flat.max(1) > _BLACK, flat.max(0).reshape(width, 3).max(1) > _BLACK
    return Bars(*_dark_ends(rows, columns))


def _dark_ends(rows: NDArray[Any], columns: NDArray[Any]) -> Iterator[int]:
    for lit in (rows, columns[::-1], rows[::-1], columns):
        yield int(np.argmax(lit)) if lit.any() else len(lit)


def _bars_of(margins: Bars, size: Size) -> Bars:
    """Return the margins that are bars: on two opposite sides, of about the same width, neither thin nor most of it."""

    def pair(first: int, second: int, side: int) -> bool:
        low, high = min(first, second), max(first, second)
        return low >= max(2, _LEAST * side) and high <= _MOST * side and high - low <= max(4, _UNEVEN * side)

    top, right, bottom, left = margins
    upright, across = pair(top, bottom, size.height), pair(left, right, size.width)
    return Bars(top * upright, right * across, bottom * upright, left * across)
