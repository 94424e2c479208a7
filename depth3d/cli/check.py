"""The command ``depth3d check``: measures stereo pictures and clips."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depth3d.cli.batch import Job
from depth3d.cli.options import OptionsCommand, both_eyes_needed, build, flags
from depth3d.cli.output import print_text
from depth3d.cli.progress import progress_bar
from depth3d.cli.run import Kinds, input_arguments, run_inputs
from depth3d.options import BatchOptions, CheckOptions, DepthOptions, OutputOptions

if TYPE_CHECKING:
    from depth3d.pipeline.check.report import StereoReport

__all__ = ["command"]

KINDS: Kinds = {"photo": (CheckOptions,), "clip": (CheckOptions,)}


@click.command("check", cls=OptionsCommand)
@input_arguments("PHOTO|CLIP|FOLDER...", "Also write a histogram of the disparities to this picture")
@both_eyes_needed
@flags(CheckOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Measure parallax, comfort and defects of stereo pictures and clips from any source."""
    run_inputs(inputs, output, values, KINDS, _preparer(values), results="all")


def _preparer(values: dict[str, Any]) -> Callable[[Path, Path | None, str], Job]:
    options, outputs = build(CheckOptions, values), build(OutputOptions, values)

    def prepare(path: Path, output: Path | None, media: str) -> Job:
        from depth3d.pipeline.inputs import check_depth_source

        check_depth_source(DepthOptions(second_eye=options.second_eye), media)
        if output is None:
            return Job((), lambda: _run(path, None, options, outputs))
        from depth3d.io.video.suffixes import PHOTO_SUFFIXES
        from depth3d.pipeline.targets import check_suffix, target_for

        target = target_for(path, output, f"{path.stem}_check.png")
        check_suffix(target, sorted(PHOTO_SUFFIXES), "pictures")
        return Job((target,), lambda: _run(path, target, options, outputs))

    return prepare


def _run(path: Path, target: Path | None, options: CheckOptions, outputs: OutputOptions) -> None:
    from depth3d.pipeline.check.measure import check

    with progress_bar(path.name, quiet=outputs.quiet) as progress:
        report = check(path, options, progress=progress)
    if target is not None:
        from depth3d.io.image.read import save_image
        from depth3d.pipeline.check.report import report_picture

        save_image(report_picture(report), target, force=outputs.force)
    print_text(json.dumps(report.facts()) if outputs.json else _as_text(path, report))


def _as_text(path: Path, report: StereoReport) -> str:
    lines = [
        f"{path.name}: {report.layout}, {report.width}x{report.height} each eye, {report.frames} frame(s)",
        "disparity  " + "  ".join(f"p{p} {v:+.2f} %" for p, v in report.disparity.items()),
        "as angles  " + "  ".join(f"p{p} {v:+.0f}'" for p, v in report.arc_minutes.items()) + f"  ({report.screen})",
        f"vertical   {report.vertical:+.2f} % of the height, worst {report.vertical_worst:.2f} %;"
        f" roll {report.roll:+.2f} degrees, scale {report.scale:.4f}",
        f"colors     {report.color:.1f} apart (Lab); {report.sure:.0%} of the picture matched",
        f"window     left {report.window[0]:.2f} %, right {report.window[1]:.2f} % in front of the screen",
    ]
    return "\n".join([*lines, *(f"-> {line}" for line in report.verdict)])
