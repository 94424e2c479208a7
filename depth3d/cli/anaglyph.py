"""``depth3d anaglyph``: stereo for coloured glasses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import build, flags
from depth3d.cli.stereo import run_all
from depth3d.errors import InvalidInput
from depth3d.options import DepthOptions, OutputOptions, StabilizeOptions, StereoOptions, VideoOptions

__all__ = ["command"]

_KINDS = ("dubois", "color", "half", "gray", "optimized", "crt")


@click.command("anaglyph")
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO|CLIP...")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.")
@click.option(
    "--glasses",
    type=click.Choice(("red-cyan", "green-magenta", "amber-blue")),
    default="red-cyan",
    show_default=True,
    help="Colours of the left and right glass.",
)
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    default="dubois",
    show_default=True,
    help="How colours are mixed: dubois = least ghosting; optimized and crt are for red-cyan only.",
)
@flags(StereoOptions, DepthOptions, StabilizeOptions, VideoOptions, OutputOptions)
def command(inputs: tuple[Path, ...], output: Path | None, glasses: str, kind: str, **values: Any) -> None:
    """A photo or clip for coloured glasses (NAME_redcyan.png beside it)."""
    from depth3d.stereoformats import FORMATS

    options = build(StereoOptions, values)
    name = glasses if kind == "dubois" else f"{glasses}-{kind}"
    if name not in FORMATS:
        raise InvalidInput(f"{kind} is for red-cyan glasses only; {glasses} has dubois, color, half, gray")
    # `--format` of the stereo command is known here too: the default becomes the glasses asked for.
    run_all(inputs, output, replace(options, format=name) if options.format == "sbs" else options, values)
