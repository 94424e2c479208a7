"""Measure the 3D of any stereo file: disparity, alignment, colors, stereo window, order of the eyes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidOption, ReadError
from depth3d.image import Image
from depth3d.options import CheckOptions, DepthOptions
from depth3d.pipeline.check.report import StereoReport
from depth3d.pipeline.check.text import findings
from depth3d.pipeline.comfort import black_bars, border_disparity
from depth3d.pipeline.eyes import SWAPPED, find_eyes, order_score
from depth3d.quantities import as_path
from depth3d.stereopair import StereoPair, Viewing
from depth3d.validation import changed, nothing_left, require, require_function

__all__ = ["PERCENTILES", "StereoReport", "check", "check_pair"]

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
# Width, px, at which disparities are measured: 1/16 px is 0.01 percent.
_WIDTH = 640
# Range and bin size of the histogram, percent of the width.
_RANGE, _STEP = 8.0, 0.05


def check(
    path: str | Path,
    options: CheckOptions | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    **changes: Any,
) -> StereoReport:
    """Measure disparity, alignment and colors of a stereo picture or clip.

    Raises ``FlatError`` if no second eye is found.

    Parameters
    ----------
    path : str | Path
        MPO, JPS, PNS, side by side, top-bottom, left and right files, cards, clips. Anaglyphs and interlaced pictures
        cannot be separated.
    options : CheckOptions | None
        All settings; single ones may be given by name (``screen="55in", distance="2.5m", frames=12, layout="sbs"``).
    progress : Callable[[int, int], None] | None
        Called with (frames done, total frames).
    **changes : Any
        Single settings by name; they replace those of ``options``.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    options = changed(require(options, CheckOptions, "check"), given)
    nothing_left(given, options)
    path = as_path(path)
    require_function(progress, "progress")
    from depth3d.pipeline.inputs import media_of

    if media_of(path) == "clip":
        if options.second_eye is not None:
            raise InvalidOption("second_eye", f"does not apply to {path.name}, a clip")
        name, pairs = _clip_pairs(path, options.frames, options.layout)
    else:
        name, pairs = _picture_pair(path, options)
    measured = []
    for number, pair in enumerate(pairs, start=1):
        measured.append(_measure_inside(pair))
        if progress is not None:
            progress(number, options.frames)
    if not measured:
        raise ReadError(path, "no frame could be decoded")
    return _report(path, name, measured, (options.screen, options.distance))


def check_pair(
    pair: StereoPair,
    *,
    screen: str = CheckOptions.screen,
    distance: str = CheckOptions.distance,
    path: str | Path = "pair",
) -> StereoReport:
    """Measure a stereo pair in memory, as read from ``path``; see ``check``."""
    return _report(Path(path), "; ".join(pair.notes) or "two pictures", [_measure_inside(pair)], (screen, distance))


@dataclass(frozen=True, slots=True)
class _Measured:
    size: tuple[int, int]
    percent: NDArray[np.float32]  # disparities of reliably matched pixels
    vertical: tuple[
        float, float, float, float
    ]  # at the center and largest (percent of the height), roll (degrees), scale
    color: float
    window: tuple[float, float]
    order: float
    sure: float


def _measure_inside(pair: StereoPair) -> _Measured:
    """Measure a frame without the black bars of letterbox and pillarbox, in percent of the whole picture."""
    from depth3d.pipeline.clip.bars import pair_bars

    bars = pair_bars(pair)
    if not any(bars):
        return _measure(pair)
    shown = bars.inside(pair.size)
    left_eye, right_eye = (Image(np.ascontiguousarray(eye.pixels[shown])) for eye in (pair.left, pair.right))
    found = _measure(StereoPair(left_eye, right_eye))
    across, down = found.size[0] / pair.size.width, found.size[1] / pair.size.height
    middle, worst, roll, scale = found.vertical
    left, right = found.window
    return replace(
        found,
        size=(pair.size.width, pair.size.height),
        percent=found.percent * np.float32(across),
        vertical=(middle * down, worst * down, roll, scale),
        window=(left * across, right * across),
    )


def _measure(pair: StereoPair) -> _Measured:
    from depth3d.depth.stereo.alignment import measure_alignment
    from depth3d.depth.stereo.match import stereo_disparity
    from depth3d.io.image.panorama import is_whole_sphere

    size = pair.size
    small = size.fit(_WIDTH)
    left, right = pair.left.eight_bit().resized(small), pair.right.eight_bit().resized(small)
    alignment = measure_alignment(pair.left, pair.right)
    found = stereo_disparity(left, right)
    values, sure = found.disparity.values, found.sure
    known = values[sure] if sure.mean() > 0.02 else values.ravel()
    percent = known[:: max(1, known.size // 100_000)] / small.width * 100
    # Where the left and right border are one place (360 degrees), nothing is cut off.
    whole = abs(size.aspect - 2) < 0.02 and is_whole_sphere(left)
    cut = (0.0, 0.0) if whole else border_disparity(values, black_bars(StereoPair(left, right)), sure)
    at_left, at_right = (value / small.width * 100 for value in cut)
    return _Measured(
        (size.width, size.height),
        percent.astype(np.float32),
        (
            alignment.vertical / size.height * 100,
            alignment.worst / size.height * 100,
            alignment.roll,
            alignment.scale,
        ),
        _color_difference(left, right, values, sure),
        (at_left, at_right),
        order_score(pair),
        float(sure.mean()),
    )


def _color_difference(left: Image, right: Image, disparity: NDArray[np.float32], sure: NDArray[np.bool_]) -> float:
    """Return the median Lab distance between the blurred left eye and the right eye warped to it."""
    height, width = disparity.shape
    x = np.arange(width, dtype=np.float32)[None, :] - disparity
    y = np.ascontiguousarray(np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], x.shape))
    seen = cv2.remap(right.pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    a, b = (
        cv2.blur(cv2.cvtColor(eye.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), (15, 15)) for eye in (left.pixels, seen)
    )
    difference = np.linalg.norm(a - b, axis=2)
    return float(np.median(difference[sure])) if sure.any() else float(np.median(difference))


def _report(path: Path, layout: str, measured: list[_Measured], viewing: tuple[str, str]) -> StereoReport:
    together = np.concatenate([one.percent for one in measured])
    width, height = measured[0].size
    seat = Viewing.parse(*viewing, aspect=width / height)
    disparity = {str(p): float(v) for p, v in zip(PERCENTILES, np.percentile(together, PERCENTILES), strict=True)}
    ends = np.array([np.percentile(one.percent, (1, 99)) for one in measured])
    vertical = np.median([one.vertical for one in measured], axis=0)
    edges = np.round(np.arange(-_RANGE, _RANGE + _STEP / 2, _STEP), 6)
    counts, _ = np.histogram(np.clip(together, -_RANGE, _RANGE - 1e-6), bins=edges)
    report = StereoReport(
        path=str(path),
        layout=layout,
        width=width,
        height=height,
        frames=len(measured),
        disparity={p: round(v, 3) for p, v in disparity.items()},
        arc_minutes={p: round(float(np.sign(v)) * seat.arc_minutes(abs(v)), 1) for p, v in disparity.items()},
        screen=f"{viewing[0]} at {viewing[1]}",
        nearest=round(float(ends[:, 1].max()), 3),
        farthest=round(float(ends[:, 0].min()), 3),
        vertical=round(float(vertical[0]), 3),
        vertical_worst=round(float(vertical[1]), 3),
        roll=round(float(vertical[2]), 3),
        scale=round(float(vertical[3]), 5),
        color=round(float(np.median([one.color for one in measured])), 2),
        window=(
            round(max(one.window[0] for one in measured), 3),
            round(max(one.window[1] for one in measured), 3),
        ),
        swapped=bool(np.median([one.order for one in measured]) < SWAPPED),
        sure=round(float(np.median([one.sure for one in measured])), 3),
        histogram=tuple(int(count) for count in counts),
    )
    behind = abs(min(0.0, report.farthest)) / 100 * seat.width_meters
    return replace(report, verdict=findings(report, behind))


def _picture_pair(path: Path, options: CheckOptions) -> tuple[str, Iterator[StereoPair]]:
    from depth3d.io.image.photofile import open_photo
    from depth3d.io.image.read import open_image
    from depth3d.io.stereo.detect import read_stereo
    from depth3d.stereoformats import find_format
    from depth3d.stereopair import unpack

    if options.second_eye is not None:
        pair = find_eyes(open_photo(path), DepthOptions(second_eye=options.second_eye))
        return f"two files, {path.name} and {Path(options.second_eye).name}", iter([pair] if pair is not None else [])
    if options.layout is not None:
        return options.layout, iter([unpack(open_image(path), find_format(options.layout))])
    pair = read_stereo(path)
    return "; ".join(pair.notes) or f"stereo picture ({path.suffix[1:].upper()})", iter([pair])


def _clip_pairs(path: Path, count: int, layout: str | None) -> tuple[str, Iterator[StereoPair]]:
    from depth3d.io.stereo.layouts import EyeLayout, seen_layout
    from depth3d.io.video.reader import VideoReader
    from depth3d.io.video.views import has_views
    from depth3d.pipeline.clip.eyes import JOINED_VIEWS, flat_clip, given_layout, stated_layout

    with VideoReader(path, views=True) as reader:
        info = reader.info
        first = next(iter(reader)).image
    how = "given"
    if layout is not None:
        eyes: EyeLayout | None = given_layout(layout)
    elif has_views(path):
        eyes, how = JOINED_VIEWS, "MV-HEVC"
    else:
        stated = stated_layout(path, first.size)
        if stated is not None:
            eyes, how = stated[0], "from its stereo metadata" if stated[1] else "from its name"
        else:
            eyes, how = seen_layout(first), "from its two halves"
    if eyes is None or eyes.packing not in ("side", "stack"):
        raise flat_clip(path)
    words = "top-bottom" if eyes.packing == "stack" else "side by side"
    return f"clip, {words}, {'half' if eyes.half else 'full'} ({how})", _sampled(path, eyes, info, count)


def _sampled(path: Path, eyes: Any, info: Any, count: int) -> Iterator[StereoPair]:
    from depth3d.io.video.reader import VideoReader

    length = info.duration or (Fraction(info.count or 1) / info.rate)
    with VideoReader(path, tone_map=True, views=True) as reader:
        for number in range(count):
            time = info.start + length * (2 * number + 1) / (2 * count)
            for frame in reader.around(time):
                yield eyes.unpack(frame.image.eight_bit())
                break
