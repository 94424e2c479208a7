"""Description of a clip conversion: source, range, size and options, resolved once; frozen and picklable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput, InvalidOption
from depth3d.frames import Frame, VideoInfo
from depth3d.image import Size
from depth3d.io.image.panorama import Sphere
from depth3d.io.stereo.layouts import EyeLayout
from depth3d.io.video.facts import scaled
from depth3d.io.video.packets import frames_before
from depth3d.io.video.reader import VideoReader, probe
from depth3d.io.video.stereo_metadata import has_hidden_eye
from depth3d.options import DepthOptions, StabilizeOptions, VideoOptions
from depth3d.pipeline.canvas import canvas_sizes
from depth3d.pipeline.clip.bars import Bars, ClipBars, find_bars
from depth3d.pipeline.clip.eyes import choose_layout, eye_info, left_eye
from depth3d.pipeline.clip.letterbox import inner_eyes, inner_frame, placed
from depth3d.pipeline.clip.panorama import find_clip_sphere
from depth3d.pipeline.size import output_size
from depth3d.quantities import clock_seconds

__all__ = ["ClipJob", "plan_job"]


@dataclass(frozen=True, slots=True)
class ClipJob:
    """A clip, the part to convert, and the options of its depth.

    Parameters
    ----------
    source : Path
        The clip.
    info : VideoInfo
        Properties of the clip at the processing size.
    start, end : Fraction | None
        Seconds of the source; None = start or end of the clip.
    rate : Fraction | None
        New frame rate; None = keep all frames and their times.
    size : Size | None
        New picture size; None = unchanged.
    depth, stabilize, video : DepthOptions, StabilizeOptions, VideoOptions
        The options.
    eyes : EyeLayout | None
        Layout of the two eyes in a frame of a stereo clip; ``info`` then describes one eye. None = a flat clip.
    bars : ClipBars | None
        Black bars that are kept; those of one eye of a stereo clip.
    crop : Bars
        Black bars that are removed from every frame, or from each eye, pixels of the source.
    sphere : Sphere | None
        Part of the sphere that the frames cover. None = a flat clip or ``flat=True``.
    """

    source: Path
    info: VideoInfo
    start: Fraction | None
    end: Fraction | None
    rate: Fraction | None
    size: Size | None
    depth: DepthOptions
    stabilize: StabilizeOptions
    video: VideoOptions
    eyes: EyeLayout | None = None
    bars: ClipBars | None = None
    crop: Bars = Bars()
    sphere: Sphere | None = None

    @property
    def matched(self) -> bool:
        """Whether depth comes from the two eyes of a stereo clip, not from a network or a file."""
        return self.eyes is not None and self.depth.model == "auto" and self.depth.depth is None

    @property
    def time_base(self) -> Fraction:
        """Time base of the output, seconds per tick."""
        return 1 / self.rate if self.rate else self.info.time_base

    @property
    def begin(self) -> Fraction:
        """Source time, seconds, that becomes 0: ``start``, rounded down to a source tick if every frame is kept.

        Otherwise frame times would be rounded and two of them could coincide.
        """
        start = self.start or Fraction(0)
        return start if self.rate is not None else start // self.info.time_base * self.info.time_base

    @property
    def frames_about(self) -> int:
        """Approximate number of frames; 0 = unknown."""
        duration = self.info.duration
        if duration is None:
            return 0
        length = min(duration, self.end or duration) - (self.start or 0)
        if self.rate is None and self.start is None and self.end is None and self.info.count:
            return self.info.count
        return max(1, round(length * (self.rate or self.info.rate)))

    def container_time(self, ticks: int) -> Fraction:
        """Return the time in the container, seconds, of the frame at ``ticks`` of the wanted part."""
        return ticks * self.time_base + self.begin + self.info.origin

    def film_frame(self, index: int) -> int:
        """Return the number, in the whole clip, of frame ``index`` of the wanted part; reads the clip's packets."""
        if not self.begin and self.rate is None:
            return index
        if not self.source.is_file():  # a sequence: the rate is its own
            return index + round(self.begin * (self.rate or self.info.rate))
        begin = self.begin + self.info.origin
        if self.rate is None:
            return index + frames_before(self.source, begin)
        return max(0, frames_before(self.source, begin + index / self.rate + self.info.time_base) - 1)

    def key(self) -> dict[str, Any]:
        """Return everything that the decoded frames depend on."""
        stat = self.source.stat() if self.source.is_file() else None
        return {
            "input": str(self.source.resolve()),
            "input size": stat.st_size if stat else None,
            "input time": stat.st_mtime_ns if stat else None,
            "start": self.start,
            "end": self.end,
            "fps": self.rate,
            "size": self.size,
            "tonemap": self.video.tonemap,
            **({} if self.bars is None and not any(self.crop) else {"bars": [self.bars, self.crop]}),
            **({} if self.sphere is None else {"sphere": self.sphere[:3]}),
            **({} if self.eyes is None else {"eyes": asdict(self.eyes), "matcher": self.depth.matcher}),
        }

    def frames(
        self,
        *,
        index: int = 0,
        time: Fraction | None = None,
        seen: bool = False,
        both_eyes: bool = False,
        quiet: bool = False,
    ) -> Iterator[Frame]:
        """Yield frames from number ``index`` at ``time``, seconds after the start of the wanted part.

        For a stereo clip: frames of the left eye, or with ``both_eyes`` the whole stored frames. ``quiet``: without
        warnings, which an earlier pass has logged.
        """
        begin = self.begin
        with VideoReader(
            self.source,
            start=self.start,
            end=self.end,
            tone_map=self.video.tonemap,
            seen=seen,
            size=None if self.eyes is not None or any(self.crop) else self.size,  # later: eye by eye, without bars
            sequence_rate=self.rate,
            quiet=quiet,
            views=self.eyes is not None,
        ) as reader:
            if self.rate is None or reader.is_sequence:
                found = reader.frames(index, None if time is None else time + begin)
            else:
                found = _retimed(reader, self.rate, begin, index)
            for frame in found:
                shown = self.cropped(frame if begin == 0 else replace(frame, time=frame.time - begin))
                yield shown if both_eyes else self.flat(shown)

    def cropped(self, frame: Frame) -> Frame:
        """Return a frame of the source without the bars that are cropped."""
        if not any(self.crop):
            return frame
        if self.eyes is not None:
            return inner_eyes(frame, self.crop, self.eyes)
        return inner_frame(frame, self.crop, self.info.size)

    def bars_at(self, time: Fraction) -> Bars:
        """Return the bars of the frame at ``time``, seconds after the start of the wanted part."""
        return Bars() if self.bars is None else self.bars.at(time + self.begin, self.info.size)

    def left_inner(self, frame: Frame) -> Frame:
        """Return the part of a stored frame that has depth: the left eye, without bars."""
        return self.inner(self.flat(frame))

    def inner(self, frame: Frame) -> Frame:
        """Return the picture inside the bars, at one size for the whole clip; frames without bars are unchanged."""
        if self.bars is None:
            return frame
        bars, whole = self.bars, self.info.size
        width, height = bars.largest_inside
        size = Size(round(width * whole.width / bars.size.width), round(height * whole.height / bars.size.height))
        return inner_frame(frame, self.bars_at(frame.time), size)

    def whole(self, values: NDArray[np.float32], time: Fraction) -> NDArray[np.float32]:
        """Return the depth (H, W) of the whole frame at ``time`` from that of its ``inner`` picture."""
        return placed(values, self.bars_at(time), self.info.size)

    def flat(self, frame: Frame) -> Frame:
        """Return the left eye of a stereo frame; frames of flat clips are unchanged."""
        return frame if self.eyes is None else left_eye(frame, self.eyes, self.size)


def _retimed(reader: VideoReader, rate: Fraction, begin: Fraction, index: int) -> Iterator[Frame]:
    """Yield frames at a constant rate: frame n is the one displayed at begin + n / rate."""
    shown: Frame | None = None
    wanted = begin + index / rate
    for frame in reader.around(wanted):
        if shown is not None:
            while wanted < frame.time:
                yield replace(shown, index=index, time=wanted, duration=1 / rate)
                index += 1
                wanted = begin + index / rate
        shown = frame
    if shown is None:
        return
    end = shown.time + (shown.duration or 1 / reader.info.rate)
    while wanted < (end if reader.end is None else min(end, reader.end)):
        yield replace(shown, index=index, time=wanted, duration=1 / rate)
        index += 1
        wanted = begin + index / rate


def plan_job(
    source: str | Path,
    depth: DepthOptions,
    stabilize: StabilizeOptions,
    video: VideoOptions,
    *,
    own_eyes: bool = True,
    canvas: str | None = None,
) -> ClipJob:
    """Open the clip and resolve the options to a `ClipJob`.

    A stereo clip shows its left eye; a clip is one where ``depth.layout`` says so, else with ``own_eyes`` where one is
    found, unless a depth file is given. ``canvas``: see the option of stereo; frames are scaled to fit it.

    Raises ``ReadError`` for an unreadable clip, ``InvalidInput`` for invalid options.
    """
    source = Path(source)
    start, end, rate = clock_seconds(video.start, "start"), clock_seconds(video.end, "end"), video.fps
    own_eyes = own_eyes and depth.stereo and depth.depth is None
    info = probe(source, rate=rate, views=own_eyes or depth.layout is not None)
    if start is not None and info.duration is not None and start >= info.duration:
        raise InvalidInput(f"`start` {video.start}: the clip is only {float(info.duration):.2f} s long")
    eyes, notes = choose_layout(source, info, depth, own_eyes)
    if eyes is not None:
        if stabilize.depth_every != 1 and depth.model == "auto":
            notes = (*notes, "`depth_every` does not apply: the eyes of all frames are matched")
        info = eye_info(info, eyes)
        info = replace(info, notes=(*info.notes, *notes))
    elif own_eyes and source.is_file() and has_hidden_eye(source):
        note = "its second eye (MV-HEVC) is not decoded: a flat clip of the first one; side by side, both are used"
        info = replace(info, notes=(*info.notes, note))
    sphere = None if eyes is not None or depth.flat else find_clip_sphere(source)
    if sphere is not None:
        note = f"a {sphere.across:.0f} degree clip (known by {sphere.how}); `flat=True` takes it for a flat one"
        info = replace(info, notes=(*info.notes, note))
    bars, crop, notes = (None, Bars(), ()) if sphere is not None else _bars(source, info, start, end, video, eyes)
    info = replace(info, size=crop.inner_size(info.size), notes=(*info.notes, *notes))
    size = output_size(video.size, info.size) if video.size is not None else None
    if canvas is not None:
        if size is not None:
            raise InvalidOption("canvas", f"{canvas} cannot be combined with `size`; a canvas like 1280x720 sets both")
        size = canvas_sizes(canvas, info.size, info.pixel_aspect)[0]
    if eyes is not None:
        if video.tonemap:
            with VideoReader(source, tone_map=True, views=True) as reader:
                info = replace(info, color=reader.info.color, bit_depth=reader.info.bit_depth)
        info = replace(info, size=size or info.size)
    elif size is not None or rate is not None or video.tonemap:
        with VideoReader(source, tone_map=video.tonemap, sequence_rate=rate) as reader:
            kept = replace(reader.info, size=info.size, notes=info.notes)
            info = kept if size is None else scaled(kept, size)
    return ClipJob(source, info, start, end, rate, size, depth, stabilize, video, eyes, bars, crop, sphere)


def _bars(
    source: Path,
    info: VideoInfo,
    start: Fraction | None,
    end: Fraction | None,
    video: VideoOptions,
    eyes: EyeLayout | None,
) -> tuple[ClipBars | None, Bars, tuple[str, ...]]:
    """Return the bars that are kept, those that are cropped, and a note about them."""
    found = find_bars(source, info, start, end, eyes)
    if found is None:
        return None, Bars(), ()
    if not video.crop_bars:
        return found, Bars(), (found.told(),)
    cut = found.common
    note = f"black bars are cropped: {cut.inner_size(info.size)} are left" if any(cut) else "no bars in every shot"
    return found.cropped(), cut, (note,)
