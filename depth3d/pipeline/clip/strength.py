"""Stereo strength of every shot of a clip: as asked, from a shot list, or measured in its depth."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.frames import Frame
from depth3d.io.video.spool import DepthRecord
from depth3d.pipeline.clip.depth_files import sampled_depth
from depth3d.pipeline.clip.depth_pass import DepthSource, StoredDepth
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.output import Product
from depth3d.pipeline.clip.preview import with_thumbnails
from depth3d.pipeline.clip.renderers import StereoStrength, moving_format
from depth3d.pipeline.clip.shots import ShotList, measure_shots, read_shots, write_shots
from depth3d.pipeline.comfort import auto_convergence, border_depth, window_warning

__all__ = ["ShotStrength"]

log = logging.getLogger("depth3d.video")


class ShotStrength:
    """Stereo strength of the shots of a clip. A shot list is read at once, all else when the depth is known.

    Raises ``ReadError`` or ``InvalidInput`` for a shot list with mistakes.

    Parameters
    ----------
    job : ClipJob
        The clip.
    product : Product
        What is made of it.
    force : bool
        Replace thumbnails of an earlier shot list.
    """

    def __init__(self, job: ClipJob, product: Product, *, force: bool) -> None:
        self._job, self._force = job, force
        wanted = product.animate.focus if product.kind == "animate" else product.stereo.convergence
        self._auto = product.kind != "depth" and wanted == "auto"
        self._windows = product.kind == "stereo" and product.stereo.floating_window
        # Whether there is a frame on a screen that can cut off what stands before it.
        unframed = job.sphere is not None or moving_format(product.stereo.format).packing in ("sphere", "depth")
        self._framed = product.kind == "stereo" and not unframed
        still = 0.5 if wanted == "auto" else float(wanted)
        # A moving camera has no stereo parallax: only the depth of its fixed plane is used.
        self.usual = StereoStrength(0.0 if product.kind == "animate" else product.stereo.parallax, still)
        self._path = Path(job.video.shots) if job.video.shots is not None else None
        self._listed = read_shots(self._path, self.usual) if self._path is not None and self._path.exists() else None

    def of_shots(self, depth: DepthSource) -> ShotList | None:
        """Return the stereo strength of every shot; None if only the shot list was written."""
        shots = self._measured(depth) if self._listed is None else self._listed
        if self._windows:
            shots = shots.with_windows(self._borders(depth))
        elif self._framed and isinstance(depth, StoredDepth):
            told = window_warning(shots.worst_violation(self._stored_borders(depth, depth.some_records())))
            if told is not None:
                log.warning("%s: %s", self._job.source.name, told)
        if self._path is None or self._listed is not None:
            return shots
        found = with_thumbnails(shots.shots, self._job, self._path, force=self._force)
        write_shots(found, self._path, self._job.source.name)
        many = f"{len(found)} shot{'s' if len(found) > 1 else ''}"
        log.info("%s written to %s: edit the file, then run the same command again", many, self._path)
        return None

    def of_frame(self, frame: Frame, depth: DepthMap) -> StereoStrength:
        """Return the stereo strength of a single frame, as if it were a whole shot."""
        if self._listed is not None:
            shots = self._listed
        else:
            still = auto_convergence([depth], self.usual.parallax) if self._auto else self.usual.convergence
            shots = ShotList([], replace(self.usual, convergence=still))
        if self._windows:
            shots = shots.with_windows([(None, border_depth(depth))])
        return shots.strength(frame.time)

    def _measured(self, depth: DepthSource) -> ShotList:
        """Return the shots of the depth where one may need settings of its own, or the list is to be written."""
        job = self._job
        if self._path is None and not self._auto and not self._windows:
            return ShotList([], self.usual)
        if isinstance(depth, StoredDepth):
            end = (job.end or job.info.duration or Fraction(10**6)) - job.begin
            return ShotList(measure_shots(depth, job.time_base, end, self.usual, self._auto), self.usual)
        if self._path is not None:
            raise InvalidInput("a new shot list needs predicted depth: omit `depth` to write one")
        if not self._auto:
            return ShotList([], self.usual)
        still = auto_convergence(sampled_depth(depth, job), self.usual.parallax)
        return ShotList([], replace(self.usual, convergence=still))

    def _borders(self, depth: DepthSource) -> Iterator[tuple[Fraction | None, tuple[float, float]]]:
        """Return the times and the depth at the edges of all frames; of depth that is given, of some frames."""
        if isinstance(depth, StoredDepth):
            return self._stored_borders(depth, depth.records())
        return ((None, border_depth(one)) for one in sampled_depth(depth, self._job))

    def _stored_borders(
        self, depth: StoredDepth, records: Iterable[DepthRecord]
    ) -> Iterator[tuple[Fraction, tuple[float, float]]]:
        return ((record.ticks * self._job.time_base, border_depth(depth.inside(record))) for record in records)
