"""One output file of a conversion: its frame renderer, encoder and stereo metadata, and the final muxing.

A conversion has one output or several (``format="sbs,anaglyph,tb"``); all share the depth of the first pass.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidInput, VideoError
from depth3d.frames import BT709
from depth3d.io.stereo.registry import implied_format
from depth3d.io.video.companions import Span
from depth3d.io.video.encoders import choose
from depth3d.io.video.mux import Film, finish
from depth3d.io.video.stereo_metadata import StereoMetadata, stereo_metadata_for, write_stereo_metadata
from depth3d.io.video.suffixes import is_sequence, sequence_stem
from depth3d.options import AnimateOptions, StereoOptions, VideoOptions
from depth3d.pipeline.canvas import canvas_sizes, check_canvas
from depth3d.pipeline.clip.bars import Bars
from depth3d.pipeline.clip.bars_renderer import BarsRenderer
from depth3d.pipeline.clip.canvas_renderer import CanvasRenderer
from depth3d.pipeline.clip.depth_pass import DepthSource, Progress
from depth3d.pipeline.clip.eyes import plain_stem
from depth3d.pipeline.clip.fixed_eyes import FixedEyesRenderer, ShotCorrection
from depth3d.pipeline.clip.job import ClipJob
from depth3d.pipeline.clip.own_eyes import OwnEyesRenderer
from depth3d.pipeline.clip.panorama import find_clip_sphere
from depth3d.pipeline.clip.render_pass import Segments, Style, render_segments
from depth3d.pipeline.clip.renderers import DepthRenderer, FrameRenderer, PathRenderer, StereoRenderer, moving_format
from depth3d.pipeline.clip.shots import ShotList
from depth3d.pipeline.clip.sphere import SphereRenderer, SphericalRenderer
from depth3d.pipeline.clip.workspace import Checkpoint
from depth3d.pipeline.targets import Destination, target_for
from depth3d.quantities import as_path
from depth3d.stereoformats import find_formats

__all__ = ["Output", "Product", "targets_of"]

log = logging.getLogger("depth3d.video")


@dataclass(frozen=True, slots=True)
class Product:
    """Kind of output of a clip conversion and its options.

    Parameters
    ----------
    kind : str
        "stereo", "animate" (a moving camera over the playing clip), "depth" (a depth clip) or "fix" (the corrected eyes
        of a stereo clip).
    stereo, animate : StereoOptions, AnimateOptions
        Options of the kinds "stereo" and "animate".
    heatmap : str | None
        Color map of a depth clip; None = gray.
    shots : tuple[ShotCorrection, ...]
        Corrections of the kind "fix".
    bars : Bars
        Black bars that are drawn around both corrected eyes.
    """

    kind: str = "stereo"
    stereo: StereoOptions = StereoOptions()
    animate: AnimateOptions = AnimateOptions()
    heatmap: str | None = None
    shots: tuple[ShotCorrection, ...] = ()
    bars: Bars = Bars()

    def key(self) -> dict[str, Any]:
        """Return the options that the rendered pictures depend on, besides depth and clip."""
        if self.kind == "depth":
            return {"heatmap": self.heatmap}
        if self.kind == "fix":
            shots = [asdict(shot) for shot in self.shots]
            return {"format": self.stereo.format, "shots corrected": shots, "bars drawn": self.bars}
        return asdict(self.animate if self.kind == "animate" else self.stereo)

    def split(self) -> list[Product]:
        """Return one product per format of ``stereo.format``; raises ``InvalidInput`` for formats of photos only."""
        if self.kind != "stereo":
            return [self]
        names = [moving_format(layout.name).name for layout in find_formats(self.stereo.format)]
        return [replace(self, stereo=replace(self.stereo, format=name)) for name in names]

    def suited(self, source: Path, output: str | Path | None, flat: bool) -> Product:
        """Return the product in the format that suits the clip: spherical ones become VR if no format is given."""
        named = output is not None and implied_format(as_path(output, "output")) is not None
        if self.kind != "stereo" or self.stereo.format != StereoOptions.format or named or flat:
            return self
        sphere = find_clip_sphere(source)
        if sphere is None:
            return self
        return replace(self, stereo=replace(self.stereo, format="vr360" if sphere.closed else "vr180"))

    @property
    def keeps_eyes(self) -> bool:
        """Whether a stereo clip whose eyes are matched keeps them: ``own_eyes``, all else is usual, two are shown."""
        usual, asked = StereoOptions(), self.stereo
        same = (asked.parallax, asked.arc_minutes, asked.eyes) == (usual.parallax, None, usual.eyes) and asked.own_eyes
        return self.kind == "stereo" and same and moving_format(asked.format).packing not in ("sphere", "depth")

    @property
    def tag(self) -> str:
        """Suffix of the default file stem, in the form that players detect."""
        fixed = "_fixed" if self.kind == "fix" else ""
        return {"animate": "_3d", "depth": "_depth"}.get(self.kind) or fixed + moving_format(self.stereo.format).tag


def targets_of(source: Path, output: str | Path | None, products: list[Product], video: VideoOptions) -> list[Path]:
    """The file of every product: ``output`` itself for one, its stem with the format's tag for several.

    If ``output`` is a folder, the default names in it.

    Raises ``InvalidInput`` if two would have the same name.
    """
    place = Destination.of(output)
    if place.path is not None and not place.folder:
        file = place.path
        names = [f"{file.stem}{product.tag}{file.suffix}" for product in products] if len(products) > 1 else [file.name]
        targets = [target_for(source, file.with_name(name), name) for name in names]
    else:
        stem = sequence_stem(source) if is_sequence(source) else source.stem
        stem = stem or source.resolve().parent.name or "clip"
        suffix = {"ffv1": ".mkv", "libvpx-vp9": ".webm", "vp9": ".webm"}.get(video.codec.lower(), ".mp4")
        stem = plain_stem(stem) if products[0].stereo.own_eyes else stem
        names = [f"{stem}{product.tag}{suffix}" for product in products]
        # The default name for "film_SBS.mp4" could be the source itself.
        names = [name if name != source.name else f"{Path(name).stem}_new{suffix}" for name in names]
        targets = [target_for(source, output, name) for name in names]
    for number, target in enumerate(targets):
        if target in targets[:number]:
            formats = [product.stereo.format for product, path in zip(products, targets, strict=True) if path == target]
            raise InvalidInput(f"the formats {' and '.join(formats)} need the same file {target.name}; name one")
    return targets


class Output:
    """One output file and the steps that produce it.

    Parameters
    ----------
    job : ClipJob
        The clip.
    product : Product
        Kind of output, in one format.
    target : Path
        The output file.
    force : bool
        Replace an existing file.
    """

    def __init__(self, job: ClipJob, product: Product, target: Path, force: bool) -> None:
        self._job, self.product, self.target, self._force = job, product, target, force
        renderer, self._metadata = self._make_renderer()
        keeps_bars = job.bars is not None and not (isinstance(renderer, SphereRenderer) or renderer.both_eyes)
        self.renderer: FrameRenderer = BarsRenderer(renderer, job, self._eyes) if keeps_bars else renderer
        canvas = product.stereo.canvas if product.kind == "stereo" else None
        if canvas is not None:
            layout, whole = moving_format(product.stereo.format), canvas_sizes(canvas, job.info.size)[1]
            check_canvas(canvas, layout)
            self.renderer = CanvasRenderer(self.renderer, layout, whole)
            if target.suffix.lower() in (".mp4", ".m4v", ".mov"):
                # A television takes a half picture for one of its own shape; Matroska's StereoMode wants wide pixels.
                self._metadata = replace(self._metadata, pixel_aspect=Fraction(1))
        self._drawn = self.renderer.size
        self.style = self._make_style()

    def key(self, strength: dict[str, Any]) -> dict[str, Any]:
        """Return everything that the encoded pictures depend on; ``strength``: stereo strength or shots."""
        style = self.style
        encoding = {
            "codec": style.encoder.name,
            "crf": style.crf,
            "preset": style.preset,
            "tuned": style.encoder.tuned,
            "bits": style.bits,
            "aspect": style.pixel_aspect,
        }
        return {**self._job.key(), **self.product.key(), **strength, "depth": self._job.depth.depth, **encoding}

    def make(self, depth: DepthSource, shots: ShotList, checkpoint: Checkpoint, progress: Progress | None) -> None:
        """Render, encode and mux all unfinished work; writes the file ``target``."""
        with self.renderer:
            segments = render_segments(
                self._job, depth, self.renderer, shots.strength, self.style, checkpoint, progress
            )
        self.join(segments, checkpoint)

    def join(self, segments: Segments, checkpoint: Checkpoint) -> None:
        """Mux the encoded segments and all other tracks into the file ``target``; the segments are deleted."""
        self._finish(segments, checkpoint)
        checkpoint.remove()

    @property
    def _eyes(self) -> str:
        """How the output arranges two pictures of the clip's size: "side", "stack", or "" for one."""
        if self.product.kind != "stereo":
            return ""
        packing = moving_format(self.product.stereo.format).packing
        return "side" if packing == "depth" else packing if packing in ("side", "stack") else ""

    def _make_renderer(self) -> tuple[FrameRenderer, StereoMetadata]:
        job, product = self._job, self.product
        size, aspect = job.info.size, job.info.pixel_aspect
        if product.kind == "depth":
            return DepthRenderer(size, product.heatmap), StereoMetadata(aspect)
        if product.kind == "animate":
            return PathRenderer(size, product.animate, float(job.rate or job.info.rate)), StereoMetadata(aspect)
        layout = moving_format(product.stereo.format)
        if job.eyes is not None and product.kind == "fix":
            fixed = FixedEyesRenderer(size, job.eyes, layout, product.shots, product.bars)
            return fixed, stereo_metadata_for(layout, aspect, self.target)
        if job.eyes is not None and job.matched and product.keeps_eyes:
            return OwnEyesRenderer(size, job.eyes, layout), stereo_metadata_for(layout, aspect, self.target)
        if layout.name == "vr360" and (job.sphere is None or not job.sphere.closed):
            raise InvalidInput(f"{job.source}: vr360 needs a clip of 360 degrees; use vr180, which shows flat clips")
        if layout.name == "vr180" and job.sphere is not None and job.sphere.closed:
            raise InvalidInput(f"{job.source}: a clip of 360 degrees; use vr360, or `flat=True` for a flat clip")
        if job.sphere is not None and layout.packing != "depth":
            spherical = SphericalRenderer(size, product.stereo, layout, job.sphere)
            return spherical, stereo_metadata_for(layout, aspect, self.target)
        if layout.packing == "sphere":
            return SphereRenderer(size, product.stereo), stereo_metadata_for(layout, Fraction(1), self.target)
        return StereoRenderer(size, product.stereo, layout), stereo_metadata_for(layout, aspect, self.target)

    def _make_style(self) -> Style:
        info, video = self._job.info, self._job.video
        encoder, why = choose(video.codec, info, self._drawn, self.target.suffix.lower())
        if why is not None:
            log.info(why)
        if self.target.suffix.lower() not in encoder.containers:
            raise VideoError(
                f"{encoder.name} is not supported in {self.target.suffix} files; use {' or '.join(encoder.containers)}"
            )
        color = BT709 if self.product.kind == "depth" else info.color
        bits = 16 if self.product.kind == "depth" and encoder.quality is None else min(info.bit_depth, 10)
        return Style(encoder, bits, color, self._metadata.pixel_aspect, video.crf, video.preset)

    def _finish(self, segments: Segments, checkpoint: Checkpoint) -> None:
        job, metadata, style = self._job, self._metadata, self.style
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
        # In the work folder, so that the next run deletes it if this one is killed.
        with checkpoint.result(self.target, force=self._force) as temporary:
            finish(film, temporary)
            write_stereo_metadata(temporary, metadata)


class _Times(Sequence[Fraction]):
    """Times in seconds, computed on access from ticks: a film has 200,000 frames, a Fraction takes 100 bytes."""

    def __init__(self, ticks: Sequence[int], base: Fraction) -> None:
        self._ticks, self._base = ticks, base

    def __len__(self) -> int:
        return len(self._ticks)

    def __getitem__(self, place: Any) -> Any:
        return self._ticks[place] * self._base
