"""The command ``depth3d stereo``: converts photos and clips to stereo formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    DepthOptions,
    OutputOptions,
    StabilizeOptions,
    StereoOptions,
    VideoOptions,
)

__all__ = ["command", "preparer", "run_stereo"]

KINDS: Kinds = {
    "photo": (StereoOptions, DepthOptions),
    "clip": (StereoOptions, DepthOptions, StabilizeOptions, VideoOptions, ClusterOptions),
}


def _list_formats(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from depth3d.io.stereo.registry import add_formats
    from depth3d.stereoformats import FORMATS

    add_formats()
    for card in FORMATS.values():
        click.echo(f"{card.name:20} {card.about}{' Clips too.' if card.moving else ''}")
    context.exit()


@click.command("stereo", cls=OptionsCommand)
@input_arguments("PHOTO|CLIP|FOLDER...", "File to write (for several formats: its name before the tag)")
@click.option(
    "--list-formats",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_formats,
    help="Print all stereo formats and exit.",
)
@flags(StereoOptions, DepthOptions, StabilizeOptions, VideoOptions, ClusterOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Convert photos and clips to side-by-side 3D or any other stereo format.

    \b
    depth3d stereo photo.jpg                        photo_LRF_Full_SBS.jpg
    depth3d stereo photo.jpg --format mpo,anaglyph  photo.mpo and photo_redcyan.png from one depth map
    depth3d stereo old.mpo -o new.jps               the two eyes in the file, aligned
    depth3d stereo clip.mp4 --format sbs-half       clip_LR.mp4 for 3D TVs
    depth3d stereo --list-formats                   all formats
    """
    run_stereo(inputs, output, build(StereoOptions, values), values)


def run_stereo(inputs: Sequence[str], output: str | None, options: StereoOptions, values: dict[str, Any]) -> None:
    """Convert all inputs; ``values``: the options of the command, None if not given."""
    run_inputs(inputs, output, values, KINDS, preparer(values, options))


def preparer(values: dict[str, Any], options: StereoOptions | None = None) -> Callable[[Path, Path | None, str], Job]:
    """Return the function that prepares the job of one photo or clip."""
    wanted = build(StereoOptions, values) if options is None else options
    depth, outputs = build(DepthOptions, values), build(OutputOptions, values)

    def prepare(path: Path, output: Path | None, media: str) -> Job:
        if media == "clip":
            from depth3d.pipeline.clip.output import Product
            from depth3d.pipeline.stereo import clip_runs

            runs = clip_runs(path, output, wanted)
            jobs = [prepare_clip(path, file, values, Product("stereo", each)) for file, each in runs]
            written = tuple(target for job in jobs for target in job.targets)
            return Job(written, lambda: _run_each(jobs), space=jobs[0].space)
        from depth3d.pipeline.filenames import written_files
        from depth3d.pipeline.inputs import check_depth_source

        check_depth_source(depth, "photo")
        return Job(
            tuple(written_files(path, output, wanted.format, depth)), lambda: _run(path, output, wanted, depth, outputs)
        )

    return prepare


def _run_each(jobs: list[Job]) -> None:
    for job in jobs:
        job.run()


def _run(path: Path, output: Path | None, options: StereoOptions, depth: DepthOptions, outputs: OutputOptions) -> None:
    from depth3d.pipeline.stereo import stereo_photo

    lines: list[str] = []

    def note(line: str) -> None:
        lines.append(line)
        log(line, quiet=outputs.quiet)

    written = stereo_photo(path, output, options, depth, force=outputs.force, tell=note)
    if outputs.json:
        print_result(written[0], as_json=True, outputs=[str(item) for item in written], input=path, notes=lines)
        return
    for item in written:
        print_result(item, as_json=False)
