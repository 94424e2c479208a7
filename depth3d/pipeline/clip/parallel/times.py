"""Times of all frames of a clip, read in parts."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from depth3d.errors import VideoError
from depth3d.io.video.reader import VideoReader
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.parallel.shipping import Needs, Parts
from depth3d.pipeline.clip.workspace import Checkpoint

__all__ = ["frame_ticks"]

_CHUNK_SECONDS = 60  # of the clip, whose frame times one part reads
_SENT_SECONDS = 10  # the same where the packets are sent


def frame_ticks(job: ClipJob, checkpoint: Checkpoint, parts: Parts) -> list[int]:
    """Return the times of all wanted frames, in ticks; in parts, every frame is decoded once and dropped."""
    stored = checkpoint.read_json("ticks.json")
    if isinstance(stored, list) and stored and all(isinstance(one, int) for one in stored):
        return stored
    length = job.info.duration
    if job.rate is not None or not job.source.is_file() or length is None:
        spans: list[tuple[Fraction | None, Fraction | None]] = [(None, None)]
    else:
        stop = min(length, job.end or length)
        count = max(1, int((stop - job.begin) // (_SENT_SECONDS if parts.ships else _CHUNK_SECONDS)))
        edges = [job.begin + (stop - job.begin) * number / count for number in range(1, count)]
        spans = list(zip([None, *edges], [*edges, None], strict=True))
    if len(spans) == 1 and parts.ships:  # the whole clip would travel
        ticks = _ticks_of(job, spans[0])
    else:
        handed = [parts.submit(_ticks_of, job, span, needs=_needs(job, span)) for span in spans]
        ticks = [tick for part in handed for tick in part.result()]
    if not ticks:
        raise VideoError(f"{job.source}: no frame could be decoded")
    if any(after <= before for before, after in pairwise(ticks)):
        raise VideoError(f"{job.source}: the frame times are not in order; convert this clip without `cluster`")
    checkpoint.write_json("ticks.json", ticks)
    return ticks


def _needs(job: ClipJob, span: tuple[Fraction | None, Fraction | None]) -> Needs:
    begin, end = (None if time is None else time + job.info.origin for time in span)
    return Needs(((job.source, (begin if begin is not None else job.begin + job.info.origin, end)),))


def _ticks_of(job: ClipJob, span: tuple[Fraction | None, Fraction | None]) -> list[int]:
    begin, end = span
    if job.rate is not None or not job.source.is_file():
        return [round(frame.time / job.time_base) for frame in job.frames()]
    found = []
    with VideoReader(job.source, start=job.start, end=job.end, seen=False) as reader:
        for decoded in reader.decoded(begin if begin is not None else job.begin):
            if decoded.time < (job.start or 0) or (begin is not None and decoded.time < begin):
                continue
            if (end is not None and decoded.time >= end) or (job.end is not None and decoded.time >= job.end):
                break
            found.append(round((decoded.time - job.begin) / job.time_base))
    return found
