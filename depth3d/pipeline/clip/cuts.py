"""Find the cuts of a clip without predicting depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from depth3d.depth.temporal.scene_cuts import scene_starts
from depth3d.image import Size
from depth3d.io.video.reader import VideoReader
from depth3d.pipeline.clip.job import ClipJob

__all__ = ["find_cuts"]

_THUMBNAIL = Size(96, 54)


def find_cuts(job: ClipJob, progress: Callable[[int], None] | None = None) -> tuple[list[Fraction], list[Fraction]]:
    """Decode the wanted part of a clip; return the times of all frames and those of the first frames after cuts.

    Parameters
    ----------
    job : ClipJob
        The clip; the times are seconds of its source.
    progress : Callable[[int], None] | None
        Called with the number of frames seen.
    """
    times: list[Fraction] = []

    def pictures(reader: VideoReader) -> Iterator[NDArray[Any]]:
        for frame in reader:
            times.append(frame.time)
            yield frame.image.pixels
            if progress is not None:
                progress(len(times))

    with VideoReader(job.source, start=job.start, end=job.end, tone_map=True, size=_THUMBNAIL) as reader:
        starts = scene_starts(pictures(reader))
    return times, [times[number] for number in starts[1:]]
