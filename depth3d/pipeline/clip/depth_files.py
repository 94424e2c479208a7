"""Read the depth of a clip from a file, and save it as one, so that it need not be predicted again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.image import Size
from depth3d.io.atomic import atomic_path, refuse_existing
from depth3d.pipeline.clip.depth_pass import ClipDepth, DepthSource, StillDepth, StoredDepth
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.workspace import Checkpoint

__all__ = ["given_depth", "save_depth"]


def given_depth(path: Path, job: ClipJob) -> DepthSource:
    """The depth file a user gave: a depth clip, or one picture for a static camera.

    Raises ``ReadError`` if it is neither.
    """
    from depth3d.io.video.suffixes import is_clip

    if is_clip(path):
        return ClipDepth(path, job.depth.invert_depth)
    from depth3d.io.depth.read import read_depth

    return StillDepth(read_depth(path, invert=job.depth.invert_depth, size=job.info.size))


def sampled_depth(depth: DepthSource, job: ClipJob, count: int = 12) -> list[DepthMap]:
    """``count`` depth maps at most, spread evenly over the clip; at a quarter of their size."""
    step = max(1, job.frames_about // count)
    found: list[DepthMap] = []
    for number, one in enumerate(depth.read(0)):
        if number % step == 0:
            found.append(DepthMap(one.values[::4, ::4]))
        if len(found) == count or isinstance(depth, StillDepth) or number + 1 >= job.frames_about > 0:
            break
    return found


def save_depth(depth: StoredDepth, job: ClipJob, path: Path, checkpoint: Checkpoint, force: bool) -> None:
    """Write the stabilized depth as a lossless 16-bit clip; once, however often the run is stopped.

    Raises ``ExistsError`` if the file is there, is not from this run and ``force`` is false.
    """
    from depth3d.io.video.depth_clip import DepthClipWriter

    if checkpoint.read_json("saved.json") == str(path.resolve()) and path.is_file():
        return
    refuse_existing(path, force=force)
    writer: DepthClipWriter | None = None
    rate = job.rate or job.info.rate
    with atomic_path(path, force=force) as temporary:
        for record in depth.records():
            values = depth.ranges[record.scene].normalize(record.values.astype(np.float32))
            if writer is None:
                height, width = record.values.shape
                writer = DepthClipWriter(temporary, Size(width, height), rate=rate, time_base=job.time_base)
            writer.write(values, record.ticks * job.time_base)
        if writer is not None:
            writer.close()
    checkpoint.write_json("saved.json", str(path.resolve()))
