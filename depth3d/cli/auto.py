"""``depth3d FILE...``: photos become animations, clips become side-by-side 3D."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import build, flags
from depth3d.cli.progress import say, speak_plainly
from depth3d.errors import Depth3DError, InvalidInput
from depth3d.options import AnimateOptions, DepthOptions, OutputOptions

__all__ = ["command"]


@click.command("auto")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO|CLIP|FOLDER...")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write (one input only).")
@flags(AnimateOptions, DepthOptions, OutputOptions)
def command(files: tuple[Path, ...], output: Path | None, **values: Any) -> None:
    """A photo becomes NAME_3d.mp4, a clip NAME_LRF_Full_SBS.mp4; folders work too."""
    options, depth = build(AnimateOptions, values), build(DepthOptions, values)
    speech = build(OutputOptions, values)
    speak_plainly(quiet=speech.quiet)
    from depth3d.pipeline.scene import inputs

    paths = inputs(list(files))
    if output is not None and len(paths) > 1:
        raise InvalidInput(f"-o names one file, but there are {len(paths)} inputs; leave -o away")
    failed = [path for path in paths if not _one(path, output, options, depth, speech, alone=len(paths) == 1)]
    if failed:
        raise InvalidInput(f"{len(failed)} of {len(paths)} inputs could not be done")


def _one(
    path: Path,
    output: Path | None,
    options: AnimateOptions,
    depth: DepthOptions,
    speech: OutputOptions,
    *,
    alone: bool,
) -> bool:
    """Do one input; in a batch an error is told and the others still run."""
    from depth3d.io.video.suffixes import is_clip

    try:
        if is_clip(path):
            from depth3d.cli.stereo import run as run_stereo
            from depth3d.options import StereoOptions, VideoOptions

            run_stereo(path, output, StereoOptions(), depth, VideoOptions(), speech)
        else:
            from depth3d.cli.animate import run as run_animate

            run_animate(path, output, options, depth, speech)
    except Depth3DError as error:
        if alone:
            raise
        say(f"depth3d: {error}", quiet=False)
        return False
    return True
