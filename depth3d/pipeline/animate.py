"""A photo becomes a looping animation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from depth3d.options import AnimateOptions, DepthOptions, changed, frame_rate, nothing_left
from depth3d.pipeline.notebook import WrittenPath
from depth3d.pipeline.scene import Scene, load_scene
from depth3d.pipeline.size import output_size

__all__ = ["animate", "animate_scene"]


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
    """Turn a photo into a looping 3D animation; return the path written.

    Raises ``ExistsError`` before any work is done, and any other ``Depth3DError``.

    Parameters
    ----------
    photo : str | Path
        Any picture, also a stereo picture or one with depth inside or beside it.
    output : str | Path | None
        ``.mp4``, ``.webm``, ``.gif``, ``.webp`` or ``.png`` (APNG); default ``NAME_3d.mp4`` beside it.
    options, depth : AnimateOptions | None, DepthOptions | None
        All settings; single ones may be given by name instead (``amount=3, model="tiny"``).
    force : bool
        Replace an existing file.
    progress : Callable[[int, int], None] | None
        Called with (frames done, frames in all).
    **changes : Any
        Single settings by the names of the options, in place of the whole objects.
    """
    options = changed(options or AnimateOptions(), changes)
    depth = changed(depth or DepthOptions(), changes)
    nothing_left(changes, options, depth)
    photo = Path(photo)
    target = Path(output) if output is not None else photo.with_name(f"{photo.stem}_3d.mp4")
    from depth3d.io.animation import animation_format
    from depth3d.io.atomic import refuse_existing

    animation_format(target)
    refuse_existing(target, force=force)
    return WrittenPath(animate_scene(load_scene(photo, depth), target, options, force=force, progress=progress))


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
    from depth3d.pipeline.views import render_path

    rate = frame_rate(options.fps)
    size = output_size(options.size, scene.image.size, long_side=animation_format(target).long_side)
    count = max(2, round(options.seconds * rate))
    frames = render_path(
        flatten(scene.image),  # no clip has alpha, and what lies under transparent pixels is often garbage
        scene.depth,
        path=options.path,
        amount=options.amount,
        seconds=options.seconds,
        fps=rate,
        size=size,
        focus=options.focus,
        quality=options.quality,
        bokeh=options.bokeh,
        shutter=options.shutter,
        vignette=options.vignette,
        shake=options.shake,
    )
    report = None if progress is None else (lambda done: progress(done, count))
    return write_animation(frames, target, fps=rate, size=size, count=count, force=force, progress=report)
