"""Converts a photo to a looping 3D animation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from depth3d.errors import InvalidOption, ReadError
from depth3d.options import AnimateOptions, DepthOptions, OutputOptions, StabilizeOptions, VideoOptions, frame_rate
from depth3d.pipeline.inputs import check_depth_source, media_of
from depth3d.pipeline.notebook import WrittenPath
from depth3d.pipeline.scene import Scene, load_scene
from depth3d.pipeline.size import output_size, side_needed
from depth3d.pipeline.targets import check_suffix, target_for
from depth3d.quantities import as_path
from depth3d.validation import changed, nearest, nothing_left, require, require_function

__all__ = ["animate", "animate_scene", "animation_target", "scene_to_animate"]


def animate(
    photo: str | Path,
    output: str | Path | None = None,
    options: AnimateOptions | None = None,
    depth: DepthOptions | None = None,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **changes: Any,
) -> Path:
    """Turn a photo into a looping 3D animation, or move a camera through a clip; return the path written.

    Raises ``ExistsError`` before any work is done, and any other ``Depth3DError``.

    Parameters
    ----------
    photo : str | Path
        Any picture, also a stereo picture or one with depth inside or beside it; or a clip.
    output : str | Path | None
        ``.mp4``, ``.webm``, ``.gif``, ``.webp`` or ``.png`` (APNG); default ``NAME_3d.mp4`` beside it.
    options, depth : AnimateOptions | None, DepthOptions | None
        All settings; single ones may be given by name instead (``amount=3, model="tiny"``), for a clip also those of
        ``VideoOptions`` and ``StabilizeOptions``.
    force : bool
        Replace an existing file.
    progress : Callable[[int, int], None] | None
        Called with (frames done, frames in all).
    **changes : Any
        Single settings by the names of the options, in place of the whole objects.
    """
    options = changed(require(options, AnimateOptions, "options"), changes)
    depth = changed(require(depth, DepthOptions, "depth"), changes)
    photo = as_path(photo, "photo")
    require_function(progress, "progress")
    if media_of(photo) == "clip":
        return WrittenPath(_clip(photo, output, options, depth, changes, force=force, progress=progress))
    nothing_left(changes, options, depth)
    target = animation_target(photo, output, options, depth)
    from depth3d.io.atomic import refuse_existing

    refuse_existing(target, force=force)
    scene = scene_to_animate(photo, target, options, depth)
    return WrittenPath(animate_scene(scene, target, options, force=force, progress=progress))


def scene_to_animate(photo: Path, target: Path, options: AnimateOptions, depth: DepthOptions) -> Scene:
    """Load a photo for ``animate_scene``; JPEGs are decoded no larger than the animation needs.

    Parameters
    ----------
    photo, target : Path, Path
        The photo, and the file that the animation is written to.
    options, depth : AnimateOptions, DepthOptions
        All settings.
    """
    from depth3d.io.animation import animation_format
    from depth3d.io.image.photofile import open_photo
    from depth3d.io.image.read import picture_size

    file = open_photo(photo)
    full = picture_size(file)
    if full is not None:
        file.long_side = side_needed(options.size, full, long_side=animation_format(target).long_side)
    return load_scene(file, depth)


def animation_target(photo: Path, output: str | Path | None, options: AnimateOptions, depth: DepthOptions) -> Path:
    """Return the file that ``animate`` writes for a photo, after all checks that need no picture.

    Raises ``InvalidOption``, ``ContextError`` without OpenGL, or ``ReadError`` for a missing depth or path file.
    """
    from depth3d.geometry.camera.paths import PATHS
    from depth3d.io.animation import FORMATS
    from depth3d.render.context import require_opengl

    if options.path.lower().endswith(".json"):
        if not Path(options.path).is_file():
            raise ReadError(options.path, "no such file of keyframes")
    elif options.path not in (*PATHS, "auto"):
        raise InvalidOption("path", f"{options.path!r} is unknown{nearest(options.path, [*PATHS, 'auto'])}")
    check_depth_source(depth, "photo")
    require_opengl()
    return check_suffix(target_for(photo, output, f"{photo.stem}_3d.mp4"), list(FORMATS), "animations")


def _clip(
    clip: Path,
    output: str | Path | None,
    options: AnimateOptions,
    depth: DepthOptions,
    changes: dict[str, Any],
    *,
    force: bool,
    progress: Callable[[int, int], None] | None,
) -> Path:
    """Move a camera through a clip; ``changes`` may hold fields of ``VideoOptions`` and ``StabilizeOptions``."""
    from depth3d.pipeline.clip.convert import convert

    video, stabilize = changed(VideoOptions(), changes), changed(StabilizeOptions(), changes)
    nothing_left(changes, options, depth, video, stabilize)
    if options.size != "auto":
        video = replace(video, size=options.size)  # both have a size; a name given goes to the first one
    report = None if progress is None else (lambda _stage, done, total: progress(done, total))
    return convert(
        clip,
        output,
        animate=options,
        depth=depth,
        stabilize=stabilize,
        video=video,
        output_options=OutputOptions(force=force),
        progress=report,
    )


def animate_scene(
    scene: Scene,
    target: Path,
    options: AnimateOptions,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Render and write the animation of a photo that is loaded already, alpha on white; see ``animate``."""
    from depth3d.io.animation import animation_format, write_animation
    from depth3d.io.image.read import flatten
    from depth3d.pipeline.views import animation_frames

    rate = frame_rate(options.fps)
    size = output_size(options.size, scene.image.size, long_side=animation_format(target).long_side)
    count = max(2, round(options.seconds * rate))
    # No clip has alpha, and the colors of transparent pixels are often garbage.
    frames = animation_frames(flatten(scene.image), scene.depth, options, options.path, size)
    report = None if progress is None else (lambda done: progress(done, count))
    return write_animation(frames, target, fps=rate, size=size, count=count, force=force, progress=report)
