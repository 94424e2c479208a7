"""Convert a photo or clip to one or more stereo formats with one depth prediction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from depth3d.errors import InvalidInput, InvalidOption
from depth3d.image import Image
from depth3d.options import DepthOptions, OutputOptions, StabilizeOptions, StereoOptions, VideoOptions
from depth3d.pipeline.canvas import check_canvas
from depth3d.pipeline.comfort import border_disparity, floating_window, rig_of, viewing_of, window_warning
from depth3d.pipeline.eyes import refuse_inversion
from depth3d.pipeline.filenames import files_of, stereo_targets
from depth3d.pipeline.inputs import check_depth_source, media_of
from depth3d.pipeline.notebook import WrittenPath
from depth3d.pipeline.scene import Scene, load_scene, photo_pair
from depth3d.pipeline.size import check_texture_size
from depth3d.pipeline.sphere import sphere_formats, sphere_of
from depth3d.pipeline.stereowrite import Subject, write_format
from depth3d.quantities import as_file, as_path
from depth3d.stereoformats import find_formats
from depth3d.stereopair import CROSSED_LIMIT, StereoPair, StereoRig
from depth3d.validation import changed, field_names, nothing_left, require, require_function

if TYPE_CHECKING:
    from depth3d.io.image.photofile import PhotoFile

__all__ = ["own_pair", "stereo", "stereo_photo"]

log = logging.getLogger("depth3d.stereo")

# Packings that draw smaller views, or none.
_SMALL = ("quilt", "print", "strip", "depth")


def stereo(
    source: str | Path,
    output: str | Path | None = None,
    options: StereoOptions | None = None,
    depth: DepthOptions | None = None,
    video: VideoOptions | None = None,
    stabilize: StabilizeOptions | None = None,
    *,
    force: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    **changes: Any,
) -> Path:
    """Convert a photo or clip to stereo; return the path written (the first of several).

    Exceeded comfort limits are logged as warnings; values are never clamped.

    Raises ``ExistsError`` before any work is done, and any other ``Depth3DError``.

    Parameters
    ----------
    source : str | Path
        Any picture or clip. The two eyes of a stereo picture are aligned and converted (``own_eyes=False`` renders new
        ones from its depth).
    output : str | Path | None
        Default: the name of the source with the tag that players detect (``NAME_LRF_Full_SBS.jpg``). With several
        formats only its stem is used.
    options, depth : StereoOptions | None, DepthOptions | None
        All settings; single ones may be given by name (``format="mpo", parallax=1.5``).
    video, stabilize : VideoOptions | None, StabilizeOptions | None
        Settings of clips; single ones may be given by name (``look_ahead=4``). Refused for a photo.
    force : bool
        Replace existing files.
    progress : Callable[[str, int, int], None] | None
        Clips: called with (stage, frames done, total frames).
    **changes : Any
        Single options by name, instead of option objects.
    """
    source = as_path(source, "source")
    require_function(progress, "progress")
    output = None if output is None else as_file("output", output)
    options = changed(require(options, StereoOptions, "options"), changes)
    depth = changed(require(depth, DepthOptions, "depth"), changes)
    if media_of(source) == "clip":
        video = changed(require(video, VideoOptions, "video"), changes)
        stabilize = changed(require(stabilize, StabilizeOptions, "stabilize"), changes)
        nothing_left(changes, options, depth, video, stabilize)
        made = _clip(source, output, options, depth, video, stabilize, force=force, progress=progress)
        return WrittenPath(made)
    for kind in (VideoOptions, StabilizeOptions):
        for name in changes:
            if name in field_names(kind):
                raise InvalidOption(name, f"applies to clips; {source.name} is a photo")
    nothing_left(changes, options, depth)
    check_depth_source(depth, "photo")
    return WrittenPath(stereo_photo(source, output, options, depth, force=force)[0])


def stereo_photo(
    source: Path,
    output: str | Path | None,
    options: StereoOptions,
    depth: DepthOptions | None = None,
    *,
    force: bool = False,
    tell: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write a photo in every format of ``options.format`` from one depth and one rendering; see ``stereo``.

    ``tell`` is called with notes for the user: source of the depth, detected layout of the file.
    """
    from depth3d.io.atomic import refuse_existing

    depth = depth or DepthOptions()
    tell = tell or (lambda line: log.info("%s", line))
    options = replace(options, format=sphere_formats(source, output, options.format, depth))
    targets = stereo_targets(source, output, options.format)
    for target, layout in targets.items():
        check_canvas(options.canvas, layout)
        for file in files_of(target, layout):
            refuse_existing(file, force=force)
    subject = _subject(source, options, depth, tell)
    if all(layout.packing not in _SMALL for layout in targets.values()):
        subject = subject.eyes_only()
    written: list[Path] = []
    for number, (target, layout) in enumerate(targets.items(), 1):
        written += write_format(subject, layout, target, force=force, last=number == len(targets))
    return written


def _subject(source: Path, options: StereoOptions, depth: DepthOptions, tell: Callable[[str], None]) -> Subject:
    from depth3d.io.image.photofile import open_photo

    pair, file = None, open_photo(source)
    # A given depth file, network, relief or unchanged eye requires new eyes.
    asked = depth.depth is not None or depth.model != "auto" or depth.hints not in (None, "none") or depth.relief > 0
    if options.own_eyes and not asked and options.eyes == "both":
        pair = photo_pair(file, depth)
    if pair is None:
        if any(layout.packing not in _SMALL for layout in find_formats(options.format)):
            _check_size(file, options, depth)
        scene = load_scene(file, depth)
        for note in (*scene.image.notes, scene.how):
            tell(f"{source.name}: {note}")
        rig = rig_of(options, scene.image.size.aspect, scene.depth)
        sphere = sphere_of(file, depth)
        if sphere is not None:
            return Subject(scene.image, scene.depth, rig, options, sphere=sphere)
        if "vr360" in options.format:
            raise InvalidOption("format", f"vr360 is for 360-degree photos, {source.name} is flat; try vr180")
        _warn(rig, options, scene)
        return Subject(scene.image, scene.depth, rig, options)
    for note in (*pair.notes, "the two eyes in the file are used (`own_eyes=False` renders new ones from its depth)"):
        tell(f"{source.name}: {note}")
    return _own_subject(pair, options, depth, source.name)


def _check_size(file: PhotoFile, options: StereoOptions, depth: DepthOptions) -> None:
    from depth3d.io.image.read import open_image

    size = open_image(file).size
    check_texture_size(file.name, size, rig_of(options, size.aspect), sphere_of(file, depth))


def _own_subject(pair: StereoPair, options: StereoOptions, depth: DepthOptions, name: str) -> Subject:
    from depth3d.depth.stereo.match import stereo_disparity
    from depth3d.depthmap import DepthMap

    refuse_inversion(depth)
    aligned = own_pair(pair)
    found = stereo_disparity(aligned.left, aligned.right, depth.matcher, align=False)
    values = found.disparity.values
    low, high = (float(value) for value in np.percentile(values[found.sure] if found.sure.any() else values, (1, 99)))
    normal = DepthMap.from_disparity(found.disparity, low, high)
    width = aligned.size.width
    # The parallax is measured; the option is not used.
    rig = rig_of(replace(options, parallax=min(50.0, (high - low) / width * 100), arc_minutes=None), 1.0, normal)
    _warn(rig, options, Scene(aligned.left, normal, name), hint=" (of this stereo picture)")
    on_screen = low + (high - low) * rig.convergence
    shown = _shifted(aligned, round(on_screen))
    if options.floating_window:
        kept = values[:, max(0, round(on_screen)) :][:, : shown.size.width]
        shown = floating_window(shown, kept - np.float32(round(on_screen)))
    return Subject(aligned.left, normal, rig, options, shown)


def own_pair(pair: StereoPair) -> StereoPair:
    """Align the right eye to the left one: vertical offset, roll, scale and tone."""
    from depth3d.depth.stereo.alignment import match_tone, measure_alignment

    right = measure_alignment(pair.left, pair.right).apply(pair.right)
    return StereoPair(pair.left, match_tone(pair.left, right), pair.notes)


def _shifted(pair: StereoPair, disparity: int) -> StereoPair:
    """Move points with this disparity (px) to the screen plane, by cropping both eyes."""
    if disparity == 0 or abs(disparity) >= pair.size.width // 2:
        return pair
    keep_left = slice(disparity, None) if disparity > 0 else slice(None, disparity)
    keep_right = slice(None, -disparity) if disparity > 0 else slice(-disparity, None)
    return StereoPair(_columns(pair.left, keep_left), _columns(pair.right, keep_right), pair.notes)


def _columns(eye: Image, keep: slice) -> Image:
    alpha = None if eye.alpha is None else eye.alpha[:, keep]
    return Image(eye.pixels[:, keep], alpha, eye.focal_35mm, eye.notes)


def _warn(rig: StereoRig, options: StereoOptions, scene: Scene, hint: str = "") -> None:
    viewing = viewing_of(options, scene.image.size.aspect)
    for line in rig.warnings(viewing):
        log.warning("%s%s", line, hint)
    if viewing is not None:
        angle = viewing.arc_minutes(rig.parallax)
        log.info("on this screen the parallax of %.2g %% is %.0f arc-minutes", rig.parallax, angle)
    width = scene.image.size.width
    disparity = (scene.depth.values - np.float32(rig.convergence)) * np.float32(rig.parallax / 100 * width)
    worst = max(border_disparity(disparity)) / width * 100
    told = window_warning(worst)
    if told is not None and not options.floating_window:
        log.warning(told)


def _clip(
    source: Path,
    output: str | Path | None,
    options: StereoOptions,
    depth: DepthOptions,
    video: VideoOptions,
    stabilize: StabilizeOptions,
    *,
    force: bool,
    progress: Callable[[str, int, int], None] | None,
) -> Path:
    from depth3d.pipeline.clip.convert import convert

    written, forced = None, OutputOptions(force=force)
    settings: dict[str, Any] = {"depth": depth, "video": video, "stabilize": stabilize, "output_options": forced}
    for target, chosen in clip_runs(source, output, options):
        made = convert(source, target, stereo=chosen, progress=progress, **settings)
        written = written or made
    if written is None:
        raise InvalidInput(f"{source}: no format was given")
    return written


def clip_runs(
    source: Path, output: str | Path | None, options: StereoOptions
) -> list[tuple[str | Path | None, StereoOptions]]:
    """Return (target, options) for ``convert``: arc minutes converted to percent; logs exceeded comfort limits.

    Raises ``InvalidInput`` for formats that do not support clips.
    """
    layouts = find_formats(options.format)
    for layout in layouts:
        if not layout.moving:
            raise InvalidOption("format", f"{layout.name} does not apply to a clip ({source.name})")
    rig = told = rig_of(options, 16 / 9)
    if options.convergence == "auto" and rig.parallax > 0:  # then no shot is nearer than the limit
        told = replace(rig, convergence=max(rig.convergence, 1 - CROSSED_LIMIT / rig.parallax))
    for line in told.warnings(viewing_of(options, 16 / 9)):
        log.warning("%s", line)
    names = ",".join(layout.name for layout in layouts)
    return [(output, replace(options, format=names, parallax=rig.parallax, arc_minutes=None))]
