"""``depth3d animate``: a photo becomes a looping 3D animation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import build, flags
from depth3d.cli.progress import bar, say, speak_plainly, told
from depth3d.errors import InvalidInput
from depth3d.options import AnimateOptions, DepthOptions, OutputOptions, VideoOptions

__all__ = ["command", "run"]


@click.command("animate")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO...")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write: .mp4 .webm .gif .webp .png")
@flags(AnimateOptions, DepthOptions, OutputOptions)
def command(photos: tuple[Path, ...], output: Path | None, **values: Any) -> None:
    """A photo becomes a looping 3D animation (NAME_3d.mp4 beside it)."""
    options, depth = build(AnimateOptions, values), build(DepthOptions, values)
    speech = build(OutputOptions, values)
    speak_plainly(quiet=speech.quiet)
    from depth3d.pipeline.scene import inputs

    paths = inputs(list(photos))
    if output is not None and len(paths) > 1:
        raise InvalidInput(f"-o names one file, but there are {len(paths)} inputs; leave -o away")
    for path in paths:
        run(path, output, options, depth, speech)


def run(path: Path, output: Path | None, options: AnimateOptions, depth: DepthOptions, speech: OutputOptions) -> None:
    """Animate one photo (or clip) and tell the path that was written."""
    from depth3d.io.video.suffixes import is_clip

    if is_clip(path):
        from depth3d.cli.clip import run_clip

        # A clip keeps its own frame rate; only another size can be asked for.
        video = VideoOptions(size=None if options.size == "auto" else options.size)
        run_clip(path, output, speech=speech, video=video, depth=depth, animate=options)
        return
    from depth3d.io.animation import animation_format
    from depth3d.io.atomic import refuse_existing
    from depth3d.pipeline.animate import animate_scene
    from depth3d.pipeline.scene import load_scene

    target = output or path.with_name(f"{path.stem}_3d.mp4")
    animation_format(target)
    refuse_existing(target, force=speech.force)
    scene = load_scene(path, depth)
    for note in (*scene.image.notes, scene.how):
        say(f"{path.name}: {note}", quiet=speech.quiet)
    with bar(path.name, quiet=speech.quiet) as progress:
        written = animate_scene(scene, target, options, force=speech.force, progress=progress)
    told(written, as_json=speech.json, input=path, depth=scene.how)
