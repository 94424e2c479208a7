"""Convert a clip to 3D: stable depth of every frame, both eyes rendered, all other tracks of the clip kept.

Two passes. The first predicts and stabilizes depth and stores it in the work folder; only then the depth range of
every scene is known. The second renders and encodes. Both resume where a stopped run left off, and the output file
appears when it is complete.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidInput, VideoError
from depth3d.frames import BT709
from depth3d.io.atomic import refuse_existing
from depth3d.io.image.read import save_image
from depth3d.io.video.companions import Span
from depth3d.io.video.encoders import choose
from depth3d.io.video.mux import Film, finish
from depth3d.io.video.stereo_metadata import StereoMetadata, stereo_metadata_for, write_stereo_metadata
from depth3d.options import (
    AnimateOptions,
    DepthOptions,
    OutputOptions,
    StabilizeOptions,
    StereoOptions,
    VideoOptions,
)
from depth3d.pipeline.clip.depth_files import given_depth, save_depth
from depth3d.pipeline.clip.depth_pass import DepthSource, Progress, StoredDepth, first_pass
from depth3d.pipeline.clip.job import ClipJob, plan_job
from depth3d.pipeline.clip.plan import make_plan
from depth3d.pipeline.clip.preview import (
    contact_sheet,
    find_places,
    pick_frames,
    preview_path,
    refuse_thumbnails,
    with_thumbnails,
)
from depth3d.pipeline.clip.render_pass import Segments, Style, render_segments
from depth3d.pipeline.clip.renderers import (
    DepthRenderer,
    FrameRenderer,
    PathRenderer,
    StereoRenderer,
    StereoStrength,
    moving_format,
)
from depth3d.pipeline.clip.shots import ShotList, measure_shots, read_shots, write_shots
from depth3d.pipeline.clip.sphere import SphereRenderer
from depth3d.pipeline.clip.workspace import Checkpoint, WorkFolder

__all__ = ["Product", "convert"]

log = logging.getLogger("depth3d.video")


@dataclass(frozen=True, slots=True)
class Product:
    """What a clip is turned into.

    Parameters
    ----------
    kind : str
        "stereo", "animate" (a moving camera over the playing clip) or "depth" (a depth clip).
    stereo, animate : StereoOptions, AnimateOptions
        Options of the first two.
    heatmap : str | None
        Colors of a depth clip, or None for gray.
    """

    kind: str = "stereo"
    stereo: StereoOptions = StereoOptions()
    animate: AnimateOptions = AnimateOptions()
    heatmap: str | None = None

    def key(self) -> dict[str, Any]:
        """All that the drawn pictures depend on, besides depth and clip."""
        if self.kind == "depth":
            return {"heatmap": self.heatmap}
        return asdict(self.animate if self.kind == "animate" else self.stereo)


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
) -> Path:
    """Turn a clip into a stereo clip (by default), a clip with a moving camera, or a depth clip; return its path.

    A stopped run (Ctrl-C, kill, full disk) goes on when called again with the same options.

    Raises ``ExistsError`` before any work is done, ``VideoError`` with the number of the frame that failed,
    and any other ``Depth3DError``.

    Parameters
    ----------
    input : str | Path
        A video file, a GIF, or the pattern of an image sequence (``img_%04d.png``).
    output : str | Path | None
        ``.mp4``, ``.mkv``, ``.mov``, ``.webm``; default ``NAME_LRF_Full_SBS.mp4`` and the like beside it.
    stereo : StereoOptions | None
        Format, parallax, convergence, eyes. One format; several: call again, the depth is predicted anew.
    animate : AnimateOptions | None
        A camera path instead of two eyes.
    only_depth : bool
        The depth as a clip, white = near, or with the color map ``heatmap``.
    depth : DepthOptions | None
        Where depth comes from; ``depth.depth`` may be a depth clip (``video.save_depth`` writes one) or a picture.
    stabilize, video, output_options : StabilizeOptions | None, VideoOptions | None, OutputOptions | None
        How depth is stabilized, how the clip is encoded, ``force``.
    progress : Progress | None
        Called with (stage, frames done, frames in all or 0).
    """
    video, outputs = video or VideoOptions(), output_options or OutputOptions()
    kind = "depth" if only_depth else "animate" if animate is not None else "stereo"
    if animate is not None and (animate.bokeh or animate.shutter or animate.vignette):
        raise InvalidInput("bokeh, shutter and vignette are for photos; a clip has its own from its camera")
    product = Product(kind, stereo or StereoOptions(), animate or AnimateOptions(), heatmap)
    source = Path(input)
    target = Path(output) if output is not None else default_target(source, product, video)
    if not video.dry_run:
        refuse_existing(preview_path(target) if video.preview else target, force=outputs.force)
    if video.shots is not None and not Path(video.shots).exists():
        refuse_thumbnails(Path(video.shots), force=outputs.force)
    job = plan_job(source, depth or DepthOptions(), stabilize or StabilizeOptions(), video)
    return _Conversion(job, product, target, outputs.force, progress).run()


def default_target(source: Path, product: Product, video: VideoOptions) -> Path:
    """Where the result goes if the user does not say."""
    tags = {"animate": "_3d", "depth": "_depth"}
    tag = tags.get(product.kind) or moving_format(product.stereo.format).tag
    stem = source.stem.split("%")[0].replace("*", "").rstrip("_-. ") or source.parent.name or "clip"
    suffix = {"ffv1": ".mkv", "libvpx-vp9": ".webm", "vp9": ".webm"}.get(video.codec.lower(), ".mp4")
    return source.with_name(f"{stem}{tag}{suffix}")


class _Conversion:
    """One run: the two passes and the last step."""

    def __init__(self, job: ClipJob, product: Product, target: Path, force: bool, progress: Progress | None) -> None:
        self._job, self._product, self._target, self._force = job, product, target, force
        self._progress = progress
        self._done = 0
        stereo = product.stereo
        self._auto = stereo.convergence == "auto"
        self._strength = StereoStrength(stereo.parallax, 0.5 if stereo.convergence == "auto" else stereo.convergence)
        for note in job.info.notes:
            log.info("%s: %s", job.source.name, note)

    def run(self) -> Path:
        """Do what is not done yet; raises ``KeyboardInterrupt`` after telling how to go on."""
        renderer, metadata = self._frame_renderer()
        self._drawn = renderer.size
        style = self._style(renderer, metadata)
        try:
            with WorkFolder(self._target.parent, self._target.name) as work:
                if self._job.video.dry_run:
                    return self._tell_plan(work, renderer, style)
                if not self._job.video.preview:  # a run that held the folder before may have written it meanwhile
                    refuse_existing(self._target, force=self._force)
                if self._job.video.preview:
                    return self._preview(renderer)
                return self._work(work, renderer, style, metadata)
        except KeyboardInterrupt:
            log.warning("stopped after %d frames; the same command goes on from there", self._done)
            raise

    def _work(self, work: WorkFolder, renderer: FrameRenderer, style: Style, metadata: StereoMetadata) -> Path:
        job = self._job
        depth = self._depth(work)
        shots = self._shots(depth)
        if shots is None:
            return Path(job.video.shots or "")
        strength = {"shots": [asdict(shot) for shot in shots.shots]} if shots.shots else asdict(self._strength)
        key = {**job.key(), **self._product.key(), **strength, "depth": job.depth.depth, **_style_key(style)}
        checkpoint = work.checkpoint("pictures", key, "drawing")
        with renderer:
            segments = render_segments(job, depth, renderer, shots.strength, style, checkpoint, self._report)
        self._finish(segments, style, metadata, checkpoint)
        checkpoint.remove()
        work.remove("depth")
        return self._target

    def _depth(self, work: WorkFolder) -> DepthSource:
        job = self._job
        if job.depth.depth is not None:
            return given_depth(Path(job.depth.depth), job)
        checkpoint = work.checkpoint("depth", self._depth_key(), "depth")
        stored = first_pass(job, checkpoint, self._report)
        if job.video.save_depth is not None:
            save_depth(stored, job, Path(job.video.save_depth), checkpoint, self._force)
        return stored

    def _depth_key(self) -> dict[str, Any]:
        job = self._job
        names = ("model", "engine", "invert_depth")
        return {**job.key(), **{name: getattr(job.depth, name) for name in names}, **asdict(job.stabilize)}

    def _shots(self, depth: DepthSource) -> ShotList | None:
        """Strength of the 3D of every shot; None if the list of shots was only to be written."""
        job = self._job
        path = Path(job.video.shots) if job.video.shots is not None else None
        if path is not None and path.exists():
            return read_shots(path, self._strength)
        if path is None and not self._auto:
            return ShotList([], self._strength)
        if not isinstance(depth, StoredDepth):
            raise InvalidInput("shots are found while depth is predicted: leave out --depth to write or measure them")
        end = (job.end or job.info.duration or Fraction(10**6)) - job.begin
        found = measure_shots(depth, job.time_base, end, self._strength, self._auto)
        if path is None:
            return ShotList(found, self._strength)
        write_shots(with_thumbnails(found, job, path, force=self._force), path, job.source.name)
        log.info("%d shots are in %s: edit it, then run the same command again", len(found), path)
        return None

    def _preview(self, renderer: FrameRenderer) -> Path:
        target = preview_path(self._target)
        picked = pick_frames(self._job, find_places(self._job), self._strength)
        return save_image(contact_sheet(picked, renderer, self._strength), target, force=self._force)

    def _tell_plan(self, work: WorkFolder, renderer: FrameRenderer, style: Style) -> Path:
        plan = make_plan(self._job, renderer, style, self._strength, self._target, work.progress())
        for line in plan.lines:
            log.info(line)
        return self._target

    def _frame_renderer(self) -> tuple[FrameRenderer, StereoMetadata]:
        job, product = self._job, self._product
        size, aspect = job.info.size, job.info.pixel_aspect
        if product.kind == "depth":
            return DepthRenderer(size, product.heatmap), StereoMetadata(aspect)
        if product.kind == "animate":
            return PathRenderer(size, product.animate), StereoMetadata(aspect)
        layout = moving_format(product.stereo.format)
        if layout.packing == "sphere":
            return SphereRenderer(size, product.stereo), stereo_metadata_for(layout, Fraction(1), self._target)
        return StereoRenderer(size, product.stereo, layout), stereo_metadata_for(layout, aspect, self._target)

    def _style(self, renderer: FrameRenderer, metadata: StereoMetadata) -> Style:
        info, video = self._job.info, self._job.video
        encoder, why = choose(video.codec, info, renderer.size, self._target.suffix.lower())
        if why is not None:
            log.info(why)
        if self._target.suffix.lower() not in encoder.containers:
            raise VideoError(
                f"{encoder.name} does not go into {self._target.suffix} files; use {' or '.join(encoder.containers)}"
            )
        color = BT709 if self._product.kind == "depth" else info.color
        bits = 16 if self._product.kind == "depth" and encoder.quality is None else min(info.bit_depth, 10)
        return Style(encoder, bits, color, metadata.pixel_aspect, video.crf, video.preset)

    def _report(self, stage: str, done: int, total: int) -> None:
        self._done = done
        if self._progress is not None:
            self._progress(stage, done, total)

    def _finish(self, segments: Segments, style: Style, metadata: StereoMetadata, checkpoint: Checkpoint) -> None:
        job = self._job
        times = _Times(segments.ticks, job.time_base)
        step = job.rate or job.info.rate
        end = usual = times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1 / step)
        if segments.end is not None:
            end = max(segments.end, segments.ticks[-1] + 1) * job.time_base
        length = None if job.end is None else job.end - job.begin
        aspect = None
        if metadata.container_aspect is not None:
            aspect = metadata.container_aspect * metadata.pixel_aspect * Fraction(*self._drawn)
        film = Film(
            segments.files,
            times,
            job.time_base,
            end=end if length is None else min(end, max(length, usual)),
            source=job.source if job.source.is_file() else None,
            span=Span(job.info.origin, job.begin, length),
            track=job.info.track,
            codec=style.encoder.name,
            tag=style.encoder.tag,
            stereo_mode=metadata.stereo_mode,
            container_aspect=aspect,
        )
        # In the work folder, where the next run finds and removes it if this one is killed.
        with checkpoint.result(self._target, force=self._force) as temporary:
            finish(film, temporary)
            write_stereo_metadata(temporary, metadata)


class _Times(Sequence[Fraction]):
    """Ticks as seconds, one at a time: a film has two hundred thousand, and a fraction takes a hundred bytes."""

    def __init__(self, ticks: Sequence[int], base: Fraction) -> None:
        self._ticks, self._base = ticks, base

    def __len__(self) -> int:
        return len(self._ticks)

    def __getitem__(self, place: Any) -> Any:
        return self._ticks[place] * self._base


def _style_key(style: Style) -> dict[str, Any]:
    return {
        "codec": style.encoder.name,
        "crf": style.crf,
        "preset": style.preset,
        "bits": style.bits,
        "aspect": style.pixel_aspect,
    }
