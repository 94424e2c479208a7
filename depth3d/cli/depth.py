"""The command ``depth3d depth``: writes depth maps of photos and clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from depth3d.cli.batch import Job
from depth3d.cli.clip import prepare_clip
from depth3d.cli.options import OptionsCommand, build, flags
from depth3d.cli.output import log, print_result
from depth3d.cli.run import Kinds, input_arguments, run_inputs
from depth3d.options import (
    BatchOptions,
    ClusterOptions,
    DepthMapOptions,
    DepthOptions,
    OutputOptions,
    StabilizeOptions,
    VideoOptions,
)

__all__ = ["command", "preparer"]

KINDS: Kinds = {
    "photo": (DepthMapOptions, DepthOptions),
    "clip": (DepthMapOptions, DepthOptions, StabilizeOptions, VideoOptions, ClusterOptions),
}


@click.command("depth", cls=OptionsCommand)
@input_arguments("PHOTO|CLIP|FOLDER...", "File to write")
@flags(DepthMapOptions, DepthOptions, VideoOptions, ClusterOptions, StabilizeOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Write the depth map of photos (NAME_depth.png) and clips (NAME_depth.mp4).

    \b
    White is near. The numbers are relative inverse depth: 1 = nearest, 0 = farthest, scale unknown.
    .png .tif 16-bit gray    .jpg .webp 8 bits    .npy .pfm .exr float32    --heatmap colors
    --preview of a photo also writes photo, depth and heat map side by side.
    """
    run_inputs(inputs, output, values, KINDS, preparer(values))


def preparer(values: dict[str, Any]) -> Callable[[Path, Path | None, str], Job]:
    """Return the function that prepares the job of one input."""
    options, depth, outputs = build(DepthMapOptions, values), build(DepthOptions, values), build(OutputOptions, values)

    def prepare(path: Path, output: Path | None, media: str) -> Job:
        if media == "clip":
            from depth3d.pipeline.clip.output import Product

            return prepare_clip(path, output, values, Product("depth", heatmap=options.heatmap))
        from depth3d.pipeline.depthmap import depth_files
        from depth3d.pipeline.inputs import check_depth_source

        check_depth_source(depth, "photo")
        return Job(depth_files(path, output, options), lambda: _run(path, output, options, depth, outputs))

    return prepare


def _run(
    path: Path,
    output: Path | None,
    options: DepthMapOptions,
    depth: DepthOptions,
    outputs: OutputOptions,
) -> None:
    from depth3d.pipeline.depthmap import save_depth

    written, scene = save_depth(path, output, options, depth, force=outputs.force)
    for note in (*scene.image.notes, scene.how):
        log(f"{path.name}: {note}", quiet=outputs.quiet)
    size = str(scene.depth.size)
    print_result(written[0], as_json=outputs.json, input=path, depth=scene.how, size=size, files=written)
    for other in () if outputs.json else written[1:]:
        print_result(other, as_json=False)
