"""Describe the video stream of a clip: what the file says, and what its first frame shows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from depth3d.frames import VideoInfo
from depth3d.image import Size
from depth3d.io.video.choice import is_cover
from depth3d.io.video.clock import has_discontinuities
from depth3d.io.video.color import Converter, bit_depth
from depth3d.io.video.demux import Demuxer
from depth3d.io.video.fields import Fields
from depth3d.io.video.orientation import Crop, Orientation
from depth3d.io.video.packets import total_length

__all__ = ["StreamFacts", "describe", "scaled"]


class StreamFacts:
    """Properties of the video stream, kept after the file is closed."""

    def __init__(self, source: Demuxer) -> None:
        stream, container = source.stream, source.container
        self.time_base = Fraction(stream.time_base)
        self.begin = Fraction(container.start_time or 0, 1_000_000)
        self.rate = source.rate
        self.pixel_aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
        self.count: int | None = stream.frames or None
        self.duration: Fraction | None = None
        if stream.duration:
            self.duration = stream.duration * self.time_base
        elif container.duration:
            self.duration = Fraction(container.duration, 1_000_000)
        numbers = source.numbers
        if numbers:
            self.count, self.duration = len(numbers), (numbers[-1] - numbers[0] + 1) * self.time_base
        self.codec = stream.codec_context.name
        self.track = stream.index
        self.eyes = source.eyes
        self.length_unknown = has_discontinuities(container) or source.untimed
        pictures = [one for one in container.streams.video if not is_cover(one)]
        self.notes: tuple[str, ...] = ()
        if len(pictures) > 1:
            self.notes = (f"{len(pictures)} video streams; stream {stream.index} is used",)
        if numbers:
            missing = numbers[-1] - numbers[0] + 1 - len(numbers)
            line = f"{missing} pictures between {numbers[0]} and {numbers[-1]} are missing: the one before is held"
            self.notes = (*self.notes, line)


def describe(
    path: Path,
    facts: StreamFacts,
    first: Any,
    converter: Converter,
    fields: Fields,
    crop: Crop,
    orientation: Orientation,
) -> VideoInfo:
    """Return the properties of a clip from its stream and its first decoded frame, at the size of the clip."""
    zero = round(facts.begin / facts.time_base)
    if first.pts is not None:
        zero = min(zero, first.pts)
    start = (first.pts - zero) * facts.time_base if first.pts is not None else Fraction(0)
    length = facts.duration
    if facts.length_unknown:
        measured = total_length(path)
        length = length if measured is None else start + measured
    stored = converter.stored
    eye = orientation.size(crop.size(Size(first.width // facts.eyes, first.height)))
    return VideoInfo(
        path=path,
        size=Size(eye.width * facts.eyes, eye.height),
        rate=facts.rate,
        time_base=facts.time_base,
        start=start,
        count=facts.count,
        duration=length,
        rotation=orientation.rotation,
        mirrored=orientation.mirrored,
        interlaced=fields.interlaced or bool(first.interlaced_frame),
        pixel_aspect=1 / facts.pixel_aspect if orientation.transpose else facts.pixel_aspect,
        bit_depth=8 if stored.hdr and not converter.keeps_hdr else bit_depth(first),
        color=converter.color,
        stored=stored,
        codec=facts.codec,
        track=facts.track,
        origin=zero * facts.time_base,
        notes=(*facts.notes, *fields.notes),
    )


def scaled(info: VideoInfo, size: Size) -> VideoInfo:
    """Return the properties after scaling the pictures to ``size``; the shape of a picture on the screen is kept."""
    pixel = info.pixel_aspect * Fraction(*info.size) / Fraction(*size)
    pixel = Fraction(1) if abs(float(pixel) - 1) < 0.02 else pixel.limit_denominator(255)
    return replace(info, size=size, pixel_aspect=pixel)
