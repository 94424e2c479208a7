"""Work of a clip conversion in parts that run anywhere: in other processes, on other machines.

A part is a function with a small description: the job (path, range, options), the first frame, the number
of frames. It opens the clip by itself and stores its result in the work folder, which all machines share; frames and
networks do not travel. With a runner that ships, the packets of its frames travel too (see
`depth3d.pipeline.clip.parallel.shipping`). A part that is repeated after a failure stores the same result again.

Predictions are made in parts of the first pass's segments, with the same batches as in a run on one machine. They are
stabilized in one chain, whose state goes from frame to frame, by the process that started the conversion: stabilized
depth is the same as without a cluster, at cuts and between them. The second pass is made in its own segments.
"""

from __future__ import annotations

from dataclasses import replace

from depth3d.pipeline.clip.depth_pass import DepthSource, Predictions, Progress
from depth3d.pipeline.clip.hints import HintedDepth
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.output import Output
from depth3d.pipeline.clip.parallel.depth import PredictedDepth, in_parts
from depth3d.pipeline.clip.parallel.pictures import render_parts
from depth3d.pipeline.clip.parallel.runner import Runner
from depth3d.pipeline.clip.parallel.shipping import parts_for
from depth3d.pipeline.clip.parallel.storage import check_storage
from depth3d.pipeline.clip.parallel.times import frame_ticks
from depth3d.pipeline.clip.shots import ShotList
from depth3d.pipeline.clip.workspace import Checkpoint, WorkFolder

__all__ = ["Cluster"]


class Cluster:
    """One conversion whose parts run elsewhere.

    Raises ``VideoError`` if a worker does not see the clip or the work folder, or would take another network.

    Parameters
    ----------
    job : ClipJob
        The clip.
    work : WorkFolder
        Its work folder, on storage that all workers see.
    runner : Runner
        Runs the parts.
    """

    def __init__(self, job: ClipJob, work: WorkFolder, runner: Runner) -> None:
        check_storage(job, work, runner)
        self._job, self._work, self._parts = replace(job, source=job.source.absolute()), work, parts_for(runner)

    def predictions(self, checkpoint: Checkpoint) -> Predictions | None:
        """Return the predictions of the first pass; None for networks that are not cut into parts."""
        if not in_parts(self._job):
            return None
        return PredictedDepth(self._job, checkpoint, self._ticks(), self._parts).read

    def make(
        self, output: Output, depth: DepthSource, shots: ShotList, checkpoint: Checkpoint, progress: Progress | None
    ) -> None:
        """Render and encode all segments of one output, then mux them here."""
        given = self._job.depth.depth is not None and not output.renderer.both_eyes
        given = given and not isinstance(depth, HintedDepth)
        known = None if given and not self._parts.ships else depth  # the workers open a given depth file themselves
        segments = render_parts(self._job, self._ticks(), output, known, shots, checkpoint, self._parts, progress)
        output.join(segments, checkpoint)

    def _ticks(self) -> list[int]:
        return frame_ticks(self._job, self._work.checkpoint("times", self._job.key(), "reading"), self._parts)
