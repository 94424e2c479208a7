"""``depth3d stereo``: photos and clips for headsets, TVs, glasses, prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import build, flags
from depth3d.cli.progress import say, speak_plainly, told
from depth3d.errors import InvalidInput
from depth3d.options import DepthOptions, OutputOptions, StabilizeOptions, StereoOptions, VideoOptions

__all__ = ["command", "run", "run_all"]


def _list_formats(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from depth3d.stereoformats import FORMATS

    for card in FORMATS.values():
        click.echo(f"{card.name:20} {card.about}{' Clips too.' if card.moving else ''}")
    context.exit()


@click.command("stereo")
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO|CLIP...")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write (its stem, for several formats).")
@click.option("--list-formats", is_flag=True, is_eager=True, expose_value=False, callback=_list_formats)
@flags(StereoOptions, DepthOptions, StabilizeOptions, VideoOptions, OutputOptions)
def command(inputs: tuple[Path, ...], output: Path | None, **values: Any) -> None:
    """A photo or clip becomes side-by-side 3D, or any other stereo format.

    \b
    depth3d stereo photo.jpg                        photo_LRF_Full_SBS.jpg
    depth3d stereo photo.jpg --format mpo,anaglyph  photo.mpo and photo_redcyan.png from one depth
    depth3d stereo old.mpo -o new.jps               its own two eyes, aligned
    depth3d stereo clip.mp4 --format sbs-half       clip_LR.mp4 for 3D TVs
    depth3d stereo --list-formats                   all formats
    """
    run_all(inputs, output, build(StereoOptions, values), values)


def run_all(inputs: tuple[Path, ...], output: Path | None, options: StereoOptions, values: dict[str, Any]) -> None:
    """Do every input; ``values`` are the command's other settings."""
    depth, stabilize = build(DepthOptions, values), build(StabilizeOptions, values)
    video, speech = build(VideoOptions, values), build(OutputOptions, values)
    speak_plainly(quiet=speech.quiet)
    from depth3d.pipeline.scene import inputs as expanded

    paths = expanded(list(inputs))
    if output is not None and len(paths) > 1:
        raise InvalidInput(f"-o names one file, but there are {len(paths)} inputs; leave -o away")
    for path in paths:
        run(path, output, options, depth, video, speech, stabilize)


def run(
    path: Path,
    output: Path | None,
    options: StereoOptions,
    depth: DepthOptions,
    video: VideoOptions,
    speech: OutputOptions,
    stabilize: StabilizeOptions | None = None,
) -> None:
    """Do one photo or clip and tell the paths that were written."""
    from depth3d.io.video.suffixes import is_clip
    from depth3d.pipeline.stereo import clip_runs, stereo_photo

    if is_clip(path):
        from depth3d.cli.clip import run_clip

        for target, chosen in clip_runs(path, output, options):
            run_clip(path, target, speech=speech, video=video, depth=depth, stereo=chosen, stabilize=stabilize)
        return
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        say(line, quiet=speech.quiet)

    written = stereo_photo(path, output, options, depth, force=speech.force, tell=tell)
    if speech.json:
        told(written[0], as_json=True, outputs=[str(item) for item in written], input=path, notes=lines)
        return
    for item in written:
        told(item, as_json=False)
