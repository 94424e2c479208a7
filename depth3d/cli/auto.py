"""The default command ``depth3d FILE...``: animations of photos, side-by-side 3D of clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from depth3d.cli import animate, stereo
from depth3d.cli.options import flags
from depth3d.cli.run import Job, Kinds, input_arguments, run_inputs
from depth3d.options import (
    AnimateOptions,
    BatchOptions,
    DepthOptions,
    OutputOptions,
    StabilizeOptions,
    StereoOptions,
    VideoOptions,
)

__all__ = ["command"]

KINDS: Kinds = {"photo": animate.KINDS["photo"], "clip": stereo.KINDS["clip"]}
_INSTEAD = {
    "photo": "; it is for `depth3d stereo` or for clips",
    "clip": "; `depth3d animate CLIP` adds a moving camera to a clip",
}


@click.command("auto")
@input_arguments("PHOTO|CLIP|FOLDER...", "File to write")
@flags(AnimateOptions, StereoOptions, DepthOptions, StabilizeOptions, VideoOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Convert photos to looping animations (NAME_3d.mp4) and clips to side-by-side 3D (NAME_LRF_Full_SBS.mp4).

    \b
    For photos: --path, --amount, --seconds, --focus and the other options of `depth3d animate`.
    For clips: --format, --parallax, --convergence, --preview and the other options of `depth3d stereo`.
    An option that does not apply to an input is refused.
    """
    run_inputs(inputs, output, values, KINDS, _preparer(values), lambda name, media: _INSTEAD[media])


def _preparer(values: dict[str, Any]) -> Callable[[Path, Path | None, str], Job]:
    prepare = {"photo": animate.preparer(values), "clip": stereo.preparer(values)}
    return lambda path, output, media: prepare[media](path, output, media)
