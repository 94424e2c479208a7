"""Convert a clip to 3D: predict stable depth, render every frame, keep all other tracks.

The first pass predicts and stabilizes depth and stores it in the work folder; after it the depth range of every scene
is known. The second pass renders and encodes, once per output. Both resume after a stopped run. Output files are
written atomically.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, InvalidOption, VideoError
from depth3d.io.atomic import refuse_existing
from depth3d.io.image.read import save_image
from depth3d.options import (
    AnimateOptions,
    DepthOptions,
    OutputOptions,
    StabilizeOptions,
    StereoOptions,
    VideoOptions,
)
from depth3d.pipeline.clip.depth_files import StillDepth, check_depth_clip, given_depth, save_depth
from depth3d.pipeline.clip.depth_pass import DepthSource, Progress, first_pass, kept_frames
from depth3d.pipeline.clip.hints import hint_file, hints_key, track_hints
from depth3d.pipeline.clip.job import ClipJob, plan_job
from depth3d.pipeline.clip.memory import keep_freed_memory
from depth3d.pipeline.clip.output import Output, Product, targets_of
from depth3d.pipeline.clip.parallel.cluster import Cluster
from depth3d.pipeline.clip.parallel.runner import Runner
from depth3d.pipeline.clip.plan import make_plan
from depth3d.pipeline.clip.preview import (
    contact_sheet,
    find_places,
    pick_frames,
    preview_path,
    refuse_thumbnails,
)
from depth3d.pipeline.clip.shots import ShotList
from depth3d.pipeline.clip.space import check_space
from depth3d.pipeline.clip.strength import ShotStrength
from depth3d.pipeline.clip.workspace import WorkFolder
from depth3d.quantities import as_path, described, text_of
from depth3d.validation import require, require_flag, require_function

__all__ = ["Product", "convert", "convert_all"]

log = logging.getLogger("depth3d.video")


def convert(
    input: str | Path,
    output: str | Path | None = None,
    *,
    stereo: StereoOptions | None = None,
    animate: AnimateOptions | None = None,
    only_depth: bool = False,
    heatmap: str | None = None,
    depth: DepthOptions | None = None,
    stabilize: StabilizeOptions | None = None,
    video: VideoOptions | None = None,
    output_options: OutputOptions | None = None,
    progress: Progress | None = None,
    runner: Runner | None = None,
) -> Path:
    """Turn a clip into a stereo clip (by default), a clip with a moving camera, or a depth clip; return its path.

    A stopped run (Ctrl-C, kill, full disk) is resumed by calling again with the same options. ``convert_all`` does the
    same and returns the paths of several formats.

    Raises ``ExistsError`` before any work is done, ``VideoError`` with the number of the failed frame,
    and any other ``Depth3DError``.

    Parameters
    ----------
    input : str | Path
        A video file, a GIF, or the pattern of an image sequence (``img_%04d.png``).
    output : str | Path | None
        ``.mp4``, ``.mkv``, ``.mov``, ``.webm``; default ``NAME_LRF_Full_SBS.mp4`` or similar beside the input.
    stereo : StereoOptions | None
        Format, parallax, convergence, eyes.
    animate : AnimateOptions | None
        Options of a camera path, which replaces the two eyes.
    only_depth : bool
        Write the depth as a clip, white = near.
    heatmap : str | None
        Color map of a depth clip; None = gray.
    depth : DepthOptions | None
        Source of the depth.
    stabilize, video, output_options : StabilizeOptions | None, VideoOptions | None, OutputOptions | None
        How depth is stabilized, how the clip is encoded, ``force``.
    progress : Progress | None
        Called with (stage, frames done, total frames or 0 if unknown).
    runner : Runner | None
        Does the work in other processes or on other machines: ``depth3d.contrib.dask.connect("tcp://host:8786")``.
    """
    kind = "depth" if require_flag(only_depth, "only_depth") else "animate" if animate is not None else "stereo"
    return convert_all(
        input,
        output,
        Product(
            kind,
            require(stereo, StereoOptions, "stereo"),
            require(animate, AnimateOptions, "animate"),
            None if heatmap is None else text_of("heatmap", heatmap),
        ),
        depth=depth,
        stabilize=stabilize,
        video=video,
        output_options=output_options,
        progress=progress,
        runner=runner,
    )[0]


def convert_all(
    input: str | Path,
    output: str | Path | None,
    product: Product,
    *,
    depth: DepthOptions | None = None,
    stabilize: StabilizeOptions | None = None,
    video: VideoOptions | None = None,
    output_options: OutputOptions | None = None,
    progress: Progress | None = None,
    runner: Runner | None = None,
) -> list[Path]:
    """Convert a clip and return the paths of all formats of ``product``; the other arguments are those of ``convert``.

    Raises ``ExistsError`` before any work is done, ``VideoError`` with the number of the failed frame,
    and any other ``Depth3DError``.

    Parameters
    ----------
    product : Product
        What is made. Several stereo formats are separated by commas (``format="sbs,anaglyph,tb"``); their tags are
        appended to the stem of ``output``.
    """
    video, outputs = require(video, VideoOptions, "video"), require(output_options, OutputOptions, "output_options")
    depth, stabilize = require(depth, DepthOptions, "depth"), require(stabilize, StabilizeOptions, "stabilize")
    require_function(progress, "progress")
    if runner is not None and not callable(getattr(runner, "everywhere", None)):
        raise InvalidOption("runner", f"{described(runner)}, expected one as depth3d.contrib.dask.connect makes it")
    source = as_path(input, "input")
    products = product.suited(source, output, depth.flat).split()
    targets = targets_of(source, output, products, video)
    for path in (*targets, video.save_depth):
        if path is not None and source.exists() and Path(path).resolve() == source.resolve():
            raise InvalidInput(f"{path}: the output would overwrite the input; choose another name")
    for target in targets:
        if not video.dry_run and (
            video.preview or len(targets) == 1
        ):  # several targets: a stopped run may have finished some
            refuse_existing(preview_path(target) if video.preview else target, force=outputs.force)
    if video.save_depth is not None:
        check_depth_clip(video.save_depth, targets)
    begun = any(WorkFolder(target.parent, target.name).folder.exists() for target in targets)
    if video.save_depth is not None and not video.dry_run and not begun:  # a stopped run may have written it
        refuse_existing(Path(video.save_depth), force=outputs.force)
    if video.shots is not None and not Path(video.shots).exists():
        refuse_existing(Path(video.shots), force=False)  # its folder
        refuse_thumbnails(Path(video.shots), force=outputs.force)
    if product.kind != "depth" and runner is None and not video.dry_run:
        from depth3d.render.context import require_opengl

        require_opengl()  # told before the depth of a whole clip is computed
    own_eyes = products[0].stereo.own_eyes
    canvas = product.stereo.canvas if product.kind == "stereo" else None
    job = plan_job(source, depth, stabilize, video, own_eyes=own_eyes, canvas=canvas)
    made = [Output(job, product, target, outputs.force) for product, target in zip(products, targets, strict=True)]
    return _Conversion(job, made, outputs.force, progress, runner).run()


class _Conversion:
    """One run: the first pass, then the second pass for each output."""

    def __init__(
        self, job: ClipJob, outputs: list[Output], force: bool, progress: Progress | None, runner: Runner | None
    ) -> None:
        self._job, self._outputs, self._force = job, outputs, force
        self._progress, self._runner = progress, runner
        self._cluster: Cluster | None = None
        product = outputs[0].product
        self._strength = ShotStrength(job, product, force=force)
        notes = list(job.info.notes)
        self._needs_depth = not all(output.renderer.both_eyes for output in outputs)
        if product.kind == "stereo" and product.stereo.floating_window and not self._needs_depth:
            notes.append("`floating_window` does not apply: its two eyes are kept; `depth3d fix` draws one")
        for note in notes:
            log.info("%s: %s", job.source.name, note)

    def run(self) -> list[Path]:
        """Do all unfinished work; on ``KeyboardInterrupt`` log how to resume, then raise it again."""
        first = self._outputs[0].target
        with WorkFolder(first.parent, first.name) as work, keep_freed_memory():
            if self._job.video.dry_run:
                return [self._tell_plan(work, output) for output in self._outputs]
            if self._job.video.preview:
                return self._previews()
            check_space(self._job, self._outputs, work.folder)
            try:
                self._cluster = None if self._runner is None else Cluster(self._job, work, self._runner)
                return self._work(work)
            except VideoError as error:
                if error.frame is None:
                    raise
                raise error.at(self._job.film_frame(error.frame)) from error
            except KeyboardInterrupt:
                depth, pictures = kept_frames(work)
                kept = f"depth of {depth} and pictures of {pictures} frames are kept"
                log.warning("stopped; %s: run the same command to resume", kept)
                raise

    def _work(self, work: WorkFolder) -> list[Path]:
        for output in self._outputs:  # another run may have written one in the meantime
            if not work.has_finished(output.target):
                refuse_existing(output.target, force=self._force)
        if self._needs_depth:
            depth = self._depth(work)
            shots = self._strength.of_shots(depth)
        else:
            depth = StillDepth(DepthMap(np.zeros((1, 1), np.float32)))  # not used
            shots = ShotList([], self._strength.usual)
        if shots is None:
            return [Path(self._job.video.shots or "")]
        strength = {"shots": [asdict(shot) for shot in shots.shots]} if shots.shots else asdict(shots.otherwise)
        hints = hint_file(self._job) if self._needs_depth else None
        strength |= hints_key(hints)
        if hints is not None:
            key = {**self._depth_key(), **hints_key(hints)}
            depth = track_hints(self._job, depth, hints, work.checkpoint("hints", key, "tracking of the strokes"))
        for number, output in enumerate(self._outputs):
            key = output.key(strength)
            if work.has_finished(output.target, key):
                continue
            name = "pictures" if len(self._outputs) == 1 else f"pictures-{output.product.stereo.format}"
            make = output.make if self._cluster is None else partial(self._cluster.make, output)
            make(depth, shots, work.checkpoint(name, key, "rendering"), self._reporter(number))
            if len(self._outputs) > 1:
                work.note_finished(output.target, key)
        for name in ("depth", "times", "hints"):
            work.remove(name)
        work.forget_finished()
        return [output.target for output in self._outputs]

    def _depth(self, work: WorkFolder) -> DepthSource:
        job = self._job
        if job.depth.depth is not None:
            return given_depth(Path(job.depth.depth), job)
        checkpoint = work.checkpoint("depth", self._depth_key(), "depth")
        predictions = None if self._cluster is None else self._cluster.predictions(checkpoint)
        stored = first_pass(job, checkpoint, self._report, predictions)
        if job.video.save_depth is not None:
            save_depth(stored, job, Path(job.video.save_depth), checkpoint, self._force)
        return stored

    def _depth_key(self) -> dict[str, Any]:
        job = self._job
        names = ("model", "engine", "invert_depth")
        return {**job.key(), **{name: getattr(job.depth, name) for name in names}, **asdict(job.stabilize)}

    def _previews(self) -> list[Path]:
        picked = pick_frames(self._job, find_places(self._job), self._strength.of_frame)
        return [
            save_image(
                contact_sheet(self._job, picked, output.renderer),
                preview_path(output.target),
                force=self._force,
            )
            for output in self._outputs
        ]

    def _tell_plan(self, work: WorkFolder, output: Output) -> Path:
        usual, kept = self._strength.usual, kept_frames(work)
        plan = make_plan(self._job, output.renderer, output.style, usual, output.target, kept)
        for line in plan.lines:
            log.info(line)
        return output.target

    def _report(self, stage: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(stage, done, total)

    def _reporter(self, number: int) -> Progress:
        """Return a progress callback for output ``number`` that counts all outputs as one."""

        def report(stage: str, done: int, total: int) -> None:
            self._report(stage, (number * max(total, done) + done) // len(self._outputs), total)

        return report
