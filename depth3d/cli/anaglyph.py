"""The command ``depth3d anaglyph``: anaglyphs for colored glasses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from depth3d.cli.options import OptionsCommand, build, flags, given
from depth3d.cli.run import input_arguments
from depth3d.cli.stereo import run_stereo
from depth3d.errors import InvalidOption
from depth3d.options import (
    BatchOptions,
    ClusterOptions,
    DepthOptions,
    OutputOptions,
    StabilizeOptions,
    StereoOptions,
    VideoOptions,
)

__all__ = ["command"]

_KINDS = ("dubois", "color", "half", "gray", "optimized", "crt")


@click.command("anaglyph", cls=OptionsCommand)
@input_arguments("PHOTO|CLIP|FOLDER...", "File to write")
@click.option(
    "--glasses",
    type=click.Choice(("red-cyan", "green-magenta", "amber-blue")),
    default="red-cyan",
    show_default=True,
    help="Colors of the left and right lens.",
)
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    default="dubois",
    show_default=True,
    help="How colors are mixed: dubois has the least ghosting; optimized and crt are for red-cyan only.",
)
@flags(StereoOptions, DepthOptions, StabilizeOptions, VideoOptions, ClusterOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, glasses: str, kind: str, **values: Any) -> None:
    """Convert photos and clips to anaglyphs for colored glasses (NAME_redcyan.png, NAME_redcyan.mp4)."""
    from depth3d.stereoformats import FORMATS

    options = build(StereoOptions, values)
    name = glasses if kind == "dubois" else f"{glasses}-{kind}"
    if name not in FORMATS:
        raise InvalidOption("kind", f"{kind} is for red-cyan glasses only; {glasses} has dubois, color, half, gray")
    # The default of `--format` follows the glasses.
    run_stereo(inputs, output, options if "format" in given(values) else replace(options, format=name), values)
