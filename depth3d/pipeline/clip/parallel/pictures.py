"""Second pass in parts: every segment is rendered and encoded by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from depth3d.errors import VideoError
from depth3d.pipeline.clip.depth_files import ClipDepth, given_depth
from depth3d.pipeline.clip.depth_pass import DepthSource, Progress, StoredDepth, finished_depth
from depth3d.pipeline.clip.hints import HintedDepth
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.output import Output, Product
from depth3d.pipeline.clip.parallel.shipping import Needs, Parts, Times
from depth3d.pipeline.clip.render_pass import (
    SEGMENT,
    SegmentRange,
    Segments,
    finished_segments,
    is_finished,
    render_range,
)
from depth3d.pipeline.clip.shots import ShotList
from depth3d.pipeline.clip.workspace import Checkpoint

__all__ = ["render_parts"]


def render_parts(
    job: ClipJob,
    ticks: list[int],
    output: Output,
    depth: DepthSource | None,
    shots: ShotList,
    checkpoint: Checkpoint,
    parts: Parts,
    progress: Progress | None,
) -> Segments:
    """Render and encode all segments of the second pass that are missing, each as a part.

    Parameters
    ----------
    ticks : list[int]
        Times of all frames.
    output : Output
        The file that is made.
    depth : DepthSource | None
        Depth of every frame; None = the workers open the depth file of the job's options.
    shots : ShotList
        Stereo strength by time.
    checkpoint : Checkpoint
        Folder of the segments.
    """
    given = None if job.depth.depth is None else str(Path(job.depth.depth).absolute())
    job = replace(job, source=job.source.absolute(), depth=replace(job.depth, depth=given))
    place = _at_the_workers(depth, job, parts)
    rendering = _Rendering(job, output.product, output.target.absolute(), place, shots, checkpoint.folder.absolute())
    handed: dict[Any, int] = {}
    done = 0
    for number, first in enumerate(range(0, len(ticks), SEGMENT)):
        count = min(SEGMENT, len(ticks) - first)
        if is_finished(checkpoint, number, count):
            done += count
            continue
        last = ticks[first - 1] * job.time_base if first else None
        near = shots.between(ticks[first] * job.time_base, ticks[first + count - 1] * job.time_base)
        part = SegmentRange(number, first, last, count)
        needs = Needs(_clips_of(rendering, ticks, part), _files_of(place, part), rendering.folder)
        handed[parts.submit(_render, replace(rendering, shots=near), part, needs=needs)] = count
    for _, count in parts.completed(handed):
        done += count
        if progress is not None:
            progress("draw", done, len(ticks))
    result = finished_segments(checkpoint)
    if len(result.ticks) != len(ticks):
        raise VideoError(f"{checkpoint.folder}: segments are missing; run the same command again", len(result.ticks))
    checkpoint.write_json("all.json", {"frames": len(ticks)})
    return result


@dataclass(frozen=True, slots=True)
class _Rendering:
    """What all parts of one output have in common."""

    job: ClipJob
    product: Product
    target: Path
    depth: DepthSource | Path | None
    shots: ShotList
    folder: Path


def _at_the_workers(depth: DepthSource | None, job: ClipJob, parts: Parts) -> DepthSource | Path | None:
    """Return the depth as the workers get it: stored depth as its folder if they see it, else with absolute paths."""
    if not parts.ships:  # descriptions stay small: the ranges of a film's scenes are read from the work folder
        return depth.folder.absolute() if isinstance(depth, StoredDepth) else depth
    if isinstance(depth, HintedDepth):
        return replace(depth, inner=_absolute(depth.inner, job))
    return None if depth is None else _absolute(depth, job)


def _absolute(depth: DepthSource, job: ClipJob) -> DepthSource:
    if isinstance(depth, StoredDepth):
        return replace(depth, folder=depth.folder.absolute(), job=job)
    return replace(depth, path=depth.path.absolute()) if isinstance(depth, ClipDepth) else depth


def _clips_of(rendering: _Rendering, ticks: list[int], part: SegmentRange) -> tuple[tuple[Path, Times], ...]:
    """Return the clips that a part reads, with the times."""
    job = rendering.job
    first, last = ticks[max(0, part.first - 1)], ticks[part.first + (part.count or 1) - 1]
    film = job.source, (job.container_time(first), job.container_time(last))
    depth = rendering.depth.inner if isinstance(rendering.depth, HintedDepth) else rendering.depth
    if not isinstance(depth, ClipDepth):
        return (film,)
    begin, end = (tick * job.time_base + depth.offset for tick in (first, last))
    return film, (depth.path, (begin, end + 1))


def _files_of(depth: DepthSource | Path | None, part: SegmentRange) -> tuple[Path, ...]:
    """Return the small files that a part reads: stored depth, strokes."""
    if isinstance(depth, HintedDepth):
        return (depth.strokes, *_files_of(depth.inner, part))
    return depth.files(part.first, part.count or 1) if isinstance(depth, StoredDepth) else ()


def _render(rendering: _Rendering, part: SegmentRange) -> int:
    """Render and encode one segment; return its number."""
    output = Output(rendering.job, rendering.product, rendering.target, True)
    depth = _opened(rendering)
    checkpoint = Checkpoint.shared(rendering.folder)
    with output.renderer as renderer:
        render_range(rendering.job, depth, renderer, rendering.shots.strength, output.style, checkpoint, part)
    return part.number


def _opened(rendering: _Rendering) -> DepthSource:
    if isinstance(rendering.depth, Path):
        stored = finished_depth(Checkpoint.shared(rendering.depth), rendering.job)
        if stored is None:
            raise VideoError(f"{rendering.depth}: the depth of the first pass is not complete")
        return stored
    return rendering.depth or given_depth(Path(rendering.job.depth.depth or ""), rendering.job)
