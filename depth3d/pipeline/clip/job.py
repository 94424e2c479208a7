"""One clip to convert: what was asked, resolved once; small, frozen and picklable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidInput
from depth3d.frames import Frame, VideoInfo
from depth3d.image import Size
from depth3d.io.stereo.layouts import Mark
from depth3d.io.video.reader import VideoReader, probe
from depth3d.options import DepthOptions, StabilizeOptions, VideoOptions
from depth3d.pipeline.clip.eyes import eye_info, find_layout, left_eye
from depth3d.pipeline.size import output_size
from depth3d.quantities import clock_seconds

__all__ = ["ClipJob", "plan_job"]


@dataclass(frozen=True, slots=True)
class ClipJob:
    """A clip, the part of it that is wanted, and where its depth comes from.

    Parameters
    ----------
    source : Path
        The clip.
    info : VideoInfo
        What it is, at the size that is worked at.
    start, end : Fraction | None
        Seconds of the source; None = from the beginning, to the end.
    rate : Fraction | None
        New frame rate, or None to keep every frame and its time.
    size : Size | None
        New picture size, or None.
    depth, stabilize, video : DepthOptions, StabilizeOptions, VideoOptions
        The options.
    eyes : Mark | None
        How the two eyes lie in a frame of a stereo clip; then ``info`` is that of one eye. None = a flat clip.
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
    eyes: Mark | None = None

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick of the output's clock."""
        return 1 / self.rate if self.rate else self.info.time_base

    @property
    def begin(self) -> Fraction:
        """Second of the source that becomes 0: ``start``, on a tick of the source's clock if every frame is kept.

        Between two ticks, times of frames would be rounded, and two of them could become one.
        """
        start = self.start or Fraction(0)
        return start if self.rate is not None else start // self.info.time_base * self.info.time_base

    @property
    def frames_about(self) -> int:
        """How many frames there will be, as far as that is known; 0 = unknown."""
        duration = self.info.duration
        if duration is None:
            return 0
        length = min(duration, self.end or duration) - (self.start or 0)
        if self.rate is None and self.start is None and self.end is None and self.info.count:
            return self.info.count
        return max(1, round(length * (self.rate or self.info.rate)))

    def key(self) -> dict[str, Any]:
        """All that the frames depend on."""
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
            **({} if self.eyes is None else {"eyes": asdict(self.eyes), "matcher": self.depth.matcher}),
        }

    def frames(
        self, *, index: int = 0, time: Fraction | None = None, seen: bool = False, both_eyes: bool = False
    ) -> Iterator[Frame]:
        """The frames from number ``index`` at ``time`` on; ``time`` counts from the start of the wanted part.

        Of a stereo clip those of the left eye, or with ``both_eyes`` the whole frames as they are stored.
        """
        begin = self.begin
        with VideoReader(
            self.source,
            start=self.start,
            end=self.end,
            tone_map=self.video.tonemap,
            seen=seen,
            size=self.size if self.eyes is None else None,  # eyes are resized one by one
            sequence_rate=self.rate,
        ) as reader:
            if self.rate is None or reader.is_sequence:
                found = reader.frames(index, None if time is None else time + begin)
            else:
                found = _retimed(reader, self.rate, begin, index)
            for frame in found:
                shown = frame if begin == 0 else replace(frame, time=frame.time - begin)
                yield shown if both_eyes else self.flat(shown)

    def flat(self, frame: Frame) -> Frame:
        """The left eye's frame of a stereo clip; a flat clip's frame as it is."""
        return frame if self.eyes is None else left_eye(frame, self.eyes, self.size)


def _retimed(reader: VideoReader, rate: Fraction, begin: Fraction, index: int) -> Iterator[Frame]:
    """Give frame n as what the clip shows at begin + n / rate; the last one for as long as the clip shows it."""
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
) -> ClipJob:
    """Look at the clip and resolve the options.

    With ``own_eyes`` a stereo clip is taken for two eyes, unless a depth file or a network is asked for by name.

    Raises ``ReadError`` if it is no clip, ``InvalidInput`` for options that make no sense.
    """
    source = Path(source)
    start, end, rate = clock_seconds(video.start, "start"), clock_seconds(video.end, "end"), video.fps
    info = probe(source, rate=rate)
    if start is not None and info.duration is not None and start >= info.duration:
        raise InvalidInput(f"`start` {video.start}: the clip is only {float(info.duration):.2f} s long")
    found = find_layout(source, info) if own_eyes and depth.depth is None and depth.model == "auto" else None
    eyes = None if found is None else found[0]
    if found is not None:
        packing = "top-bottom" if found[0].packing == "stack" else "side by side"
        squeezed = "half" if found[0].half else "full"
        info = eye_info(info, found[0])
        note = f"a stereo clip, {packing}, {squeezed} ({found[1]}); `own_eyes=False` treats it as a flat one"
        info = replace(info, notes=(*info.notes, note))
    size = output_size(video.size, info.size) if video.size is not None else None
    if eyes is not None:
        if video.tonemap:
            with VideoReader(source, tone_map=True) as reader:
                info = replace(info, color=reader.info.color, bit_depth=reader.info.bit_depth)
        info = replace(info, size=size or info.size)
    elif size is not None or rate is not None or video.tonemap:
        with VideoReader(source, size=size, tone_map=video.tonemap, sequence_rate=rate) as reader:
            info = reader.info
    return ClipJob(source, info, start, end, rate, size, depth, stabilize, video, eyes)
