"""Read and write the depth of a clip as a depth clip, or read one depth picture for a static camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, InvalidOption, VideoError
from depth3d.frames import Frame
from depth3d.image import Size
from depth3d.io.atomic import atomic_path, refuse_existing
from depth3d.io.video.depth_clip import TimedDepth
from depth3d.io.video.encoders import ENCODERS
from depth3d.io.video.packets import last_frame_time
from depth3d.io.video.reader import probe
from depth3d.pipeline.clip.bars import Bars
from depth3d.pipeline.clip.depth_pass import DepthSource, StoredDepth
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.letterbox import inside_depth
from depth3d.pipeline.clip.workspace import Checkpoint

__all__ = ["ClipDepth", "StillDepth", "check_depth_clip", "given_depth", "save_depth"]


_ROUNDING = Fraction(1, 500)  # seconds


@dataclass(frozen=True, slots=True)
class ClipDepth:
    """Depth source: an existing depth clip (option ``depth``)."""

    path: Path
    invert: bool
    offset: Fraction = Fraction(0)  # time in the depth clip where the wanted part of the source starts, seconds
    crop: Bars = Bars()  # bars that are cropped, pixels of the source
    whole: Size = Size(1, 1)  # of the source, with them

    def read(self, first: int) -> Iterator[DepthMap]:
        """Yield the depth maps of the wanted part from number ``first``, at the rate of the depth clip."""
        from depth3d.io.video.depth_clip import read_depth_clip

        maps = read_depth_clip(self.path, begin=self.offset, invert=self.invert)
        return (inside_depth(shown.depth, self.crop, self.whole) for shown in islice(maps, first, None))

    def follow(self, frames: Iterator[Frame], first: int) -> Iterator[tuple[Frame, DepthMap]]:
        """Yield each frame with the depth map at its time.

        Raises ``VideoError`` if the depth clip ends before the source.
        """
        from depth3d.io.video.depth_clip import read_depth_clip

        shown: TimedDepth | None = None
        following: TimedDepth | None = None
        depths: Iterator[TimedDepth] | None = None
        for frame in frames:
            wanted = frame.time + self.offset
            if depths is None:
                begin = max(Fraction(0), wanted - _ROUNDING)
                depths = iter(read_depth_clip(self.path, begin=begin, invert=self.invert))
                shown, following = next(depths, None), next(depths, None)
            # Containers round times to milliseconds: a depth map may start slightly after its frame.
            while following is not None and following.time <= wanted + _ROUNDING:
                shown, following = following, next(depths, None)
            if shown is None or (following is None and wanted > shown.end + _ROUNDING):
                raise VideoError(f"{self.path} ends at {float(wanted):.2f} s; the clip is longer", frame.index)
            yield frame, inside_depth(shown.depth, self.crop, self.whole)


@dataclass(frozen=True, slots=True, eq=False)
class StillDepth:
    """Depth source: one depth picture for all frames of a static camera."""

    depth: DepthMap

    def read(self, first: int) -> Iterator[DepthMap]:
        """Yield the same depth map endlessly."""
        while True:
            yield self.depth

    def follow(self, frames: Iterator[Frame], first: int) -> Iterator[tuple[Frame, DepthMap]]:
        """Yield every frame with the same depth map."""
        for frame in frames:
            yield frame, self.depth


def given_depth(path: Path, job: ClipJob) -> DepthSource:
    """Open the depth file of the option ``depth``: a depth clip, or one picture for a static camera.

    Raises ``ReadError`` if it is neither, ``InvalidInput`` if a depth clip is shorter than the wanted part.
    """
    from depth3d.io.video.suffixes import is_clip

    whole = probe(job.source).size if any(job.crop) else Size(1, 1)
    if is_clip(path):
        return ClipDepth(path, job.depth.invert_depth, _offset(path, job), job.crop, whole)
    from depth3d.io.depth.read import read_depth

    size = None if any(job.crop) else job.info.size
    return StillDepth(inside_depth(read_depth(path, invert=job.depth.invert_depth, size=size), job.crop, whole))


def sampled_depth(depth: DepthSource, job: ClipJob, count: int = 12) -> list[DepthMap]:
    """Return at most ``count`` depth maps, spread evenly over the clip, at a quarter of their width and height."""
    step = max(1, job.frames_about // count)
    found: list[DepthMap] = []
    for number, one in enumerate(depth.read(0)):
        if number % step == 0:
            found.append(DepthMap(one.values[::4, ::4]))
        if len(found) == count or isinstance(depth, StillDepth) or number + 1 >= job.frames_about > 0:
            break
    return found


def _offset(path: Path, job: ClipJob) -> Fraction:
    """Return the time in a depth clip, seconds, where the wanted part of the source starts.

    Depth clips of depth3d store the source time of their start. Any other clip is assumed to cover the whole source if
    it is long enough, else the wanted part.
    """
    from depth3d.io.video.depth_clip import depth_clip_info

    info = depth_clip_info(path)
    source = job.info
    stop = _stop(job)
    # The last frames may be displayed slightly longer than their depth.
    tolerance = 3 / source.rate
    offset = job.begin if info.start is None else job.begin - info.start
    if info.length is None or stop is None:
        return max(offset, Fraction(0))
    needed = stop - job.begin - (source.start if job.begin == 0 else 0)
    if info.start is None and info.length < offset + needed - tolerance:
        offset = Fraction(0)
    if offset < 0 or (info.length < offset + needed - tolerance and info.length < offset + _last_begin(job)):
        raise InvalidInput(
            f"{path.name} holds {float(info.length):.2f} s of depth"
            f"{'' if not info.start else f' from second {float(info.start):g} on'}, but {float(needed):.2f} s from"
            f" second {float(job.begin):g} on are needed; omit `depth` to predict it"
        )
    return offset


def _stop(job: ClipJob) -> Fraction | None:
    """Return the end of the wanted part, seconds of the source; None = unknown."""
    whole = job.info.duration
    return job.end if whole is None else min(whole, job.end or whole)


def _last_begin(job: ClipJob) -> Fraction:
    """Return when the last wanted frame begins, seconds after the first one: its depth may be held as long as it is."""
    last = last_frame_time(job.source) if job.rate is None and job.source.is_file() else None
    if last is None:
        return Fraction(10**9)  # unknown, or it is repeated to its end
    begin = last - job.info.origin
    return (begin if job.end is None else min(begin, job.end)) - job.begin - (job.info.start if job.begin == 0 else 0)


def check_depth_clip(path: str | Path, targets: Sequence[Path]) -> None:
    """Raise ``InvalidOption`` for a name under which ``save_depth`` cannot write.

    Parameters
    ----------
    path : str | Path
        The option ``save_depth``.
    targets : Sequence[Path]
        The files that the run writes.
    """
    path, suffixes = Path(path), ENCODERS["ffv1"].containers
    if path.suffix.lower() not in suffixes:
        raise InvalidOption("save_depth", f"{path.name}: depth clips are {' or '.join(suffixes)} files")
    if path.resolve() in [target.resolve() for target in targets]:
        raise InvalidOption("save_depth", f"{path.name}: the converted clip gets this name; choose another one")


def save_depth(depth: StoredDepth, job: ClipJob, path: Path, checkpoint: Checkpoint, force: bool) -> None:
    """Write the stabilized depth as a lossless 16-bit clip; a resumed run does not write it again.

    Raises ``ExistsError`` if the file exists, was not written by this run and ``force`` is false.
    """
    from depth3d.io.video.depth_clip import DepthClipWriter

    if checkpoint.read_json("saved.json") == str(path.resolve()) and path.is_file():
        return
    refuse_existing(path, force=force)
    writer: DepthClipWriter | None = None
    rate = job.rate or job.info.rate
    end = _stop(job)
    with atomic_path(path, force=force) as temporary:
        for record in depth.records():
            values = depth.normalized(record)
            if writer is None:
                size = values.size
                writer = DepthClipWriter(temporary, size, rate=rate, time_base=job.time_base, start=job.begin)
            values = values if values.size == size else values.resized(size)
            time = record.ticks * job.time_base
            # The last map lasts as long as the last frame; else the file would be too short for its own clip.
            left = None if end is None or record.index < depth.frames - 1 else end - job.begin - time
            writer.write(values, time, left if left is None else max(left, 1 / rate))
        if writer is not None:
            writer.close()
    checkpoint.write_json("saved.json", str(path.resolve()))
