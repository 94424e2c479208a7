"""The command ``depth3d animate``: looping 3D animations of photos, camera paths for clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from depth3d.cli.batch import Job
from depth3d.cli.clip import prepare_clip
from depth3d.cli.options import OptionsCommand, build, flags
from depth3d.cli.output import log, print_result
from depth3d.cli.progress import progress_bar
from depth3d.cli.run import Kinds, input_arguments, run_inputs
from depth3d.options import (
    AnimateOptions,
    BatchOptions,
    ClusterOptions,
    DepthOptions,
    OutputOptions,
    StabilizeOptions,
    VideoOptions,
)

__all__ = ["command", "preparer"]

KINDS: Kinds = {
    "photo": (AnimateOptions, DepthOptions),
    "clip": (AnimateOptions, DepthOptions, StabilizeOptions, VideoOptions, ClusterOptions),
}


@click.command("animate", cls=OptionsCommand)
@input_arguments("PHOTO|CLIP|FOLDER...", "File to write: .mp4 .webm .gif .webp .png")
@flags(AnimateOptions, DepthOptions, StabilizeOptions, VideoOptions, ClusterOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Convert photos to looping 3D animations (NAME_3d.mp4); add a moving camera to clips."""
    run_inputs(inputs, output, values, KINDS, preparer(values))


def preparer(values: dict[str, Any]) -> Callable[[Path, Path | None, str], Job]:
    """Return the function that prepares the job of one photo or clip."""
    options, depth, outputs = build(AnimateOptions, values), build(DepthOptions, values), build(OutputOptions, values)

    def prepare(path: Path, output: Path | None, media: str) -> Job:
        if media == "clip":
            from depth3d.pipeline.clip.output import Product

            return prepare_clip(path, output, values, Product("animate", animate=options))
        from depth3d.pipeline.animate import animation_target

        target = animation_target(path, output, options, depth)
        return Job((target,), lambda: _run(path, target, options, depth, outputs))

    return prepare


def _run(path: Path, target: Path, options: AnimateOptions, depth: DepthOptions, outputs: OutputOptions) -> None:
    from depth3d.pipeline.animate import animate_scene, scene_to_animate

    scene = scene_to_animate(path, target, options, depth)
    for note in (*scene.image.notes, scene.how):
        log(f"{path.name}: {note}", quiet=outputs.quiet)
    with progress_bar(path.name, quiet=outputs.quiet) as progress:
        written = animate_scene(scene, target, options, force=outputs.force, progress=progress)
    print_result(written, as_json=outputs.json, input=path, depth=scene.how)
