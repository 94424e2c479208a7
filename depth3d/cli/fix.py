"""The command ``depth3d fix``: corrects stereo photos and clips, measured before and after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depth3d.cli.batch import Job
from depth3d.cli.options import OptionsCommand, both_eyes_needed, build, flags
from depth3d.cli.output import log, print_result
from depth3d.cli.progress import progress_bar
from depth3d.cli.run import Kinds, input_arguments, run_inputs
from depth3d.options import BatchOptions, DepthOptions, FixOptions, OutputOptions, VideoOptions

if TYPE_CHECKING:
    from depth3d.pipeline.check.report import StereoReport
    from depth3d.pipeline.fix.files import FixReport

__all__ = ["command"]

KINDS: Kinds = {"photo": (FixOptions,), "clip": (FixOptions, VideoOptions)}


@click.command("fix", cls=OptionsCommand)
@input_arguments("PHOTO|CLIP|FOLDER...", "File to write")
@both_eyes_needed
@flags(FixOptions, VideoOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Correct stereo photos and clips from any source: alignment, colors, swapped eyes, comfort.

    \b
    depth3d fix old.mpo                           old_fixed.mpo, and what was measured before and after
    depth3d fix film_SBS.mp4                      film_fixed_LRF_Full_SBS.mp4, corrected shot by shot
    depth3d fix card.jpg --format anaglyph        the corrected pair as an anaglyph
    depth3d fix film.mp4 --no-comfort --order keep   keep both real eyes, never exchange them
    """
    run_inputs(inputs, output, values, KINDS, _preparer(values), results="stereo")


def _preparer(values: dict[str, Any]) -> Callable[[Path, Path | None, str], Job]:
    options, video, outputs = build(FixOptions, values), build(VideoOptions, values), build(OutputOptions, values)

    def prepare(path: Path, output: Path | None, media: str) -> Job:
        from depth3d.pipeline.fix.files import fix_targets
        from depth3d.pipeline.inputs import check_depth_source

        check_depth_source(DepthOptions(second_eye=options.second_eye), media)
        targets = fix_targets(path, output, options, video)
        return Job(targets, lambda: _run(path, output, options, video if media == "clip" else None, outputs))

    return prepare


def _run(
    path: Path, output: Path | None, options: FixOptions, video: VideoOptions | None, outputs: OutputOptions
) -> None:
    from depth3d.pipeline.fix.files import fix

    with progress_bar(path.name, quiet=outputs.quiet) as update:
        report = fix(
            path, output, options, video, force=outputs.force, progress=lambda _stage, done, total: update(done, total)
        )
    if outputs.json:
        files = [str(file) for file in report.paths]
        print_result(report.path, as_json=True, input=str(path), outputs=files, **report.facts())
        return
    for line in _as_text(path, report):
        log(line, quiet=outputs.quiet)
    for file in report.paths:
        print_result(file, as_json=False)


def _as_text(path: Path, report: FixReport) -> list[str]:
    lines = [f"{path.name}: {line}" for line in report.corrections or ("nothing had to be corrected",)]
    after = _values(report.after) if report.after is not None else None
    lines.append(f"{'':26}{'before':>12}{'after':>12}")
    for name, value in _values(report.before).items():
        lines.append(f"{name:26}{value:>12}{after[name] if after is not None else '-':>12}")
    told = report.before.verdict if report.after is None else report.after.verdict
    return [*lines, *(f"-> {line}" for line in told)]


def _values(report: StereoReport) -> dict[str, str]:
    return {
        "vertical, worst": f"{report.vertical_worst * report.height / 100:.2f} px",
        "rotation": f"{report.roll:+.2f} deg",
        "scale": f"{report.scale:.4f}",
        "colors apart (Lab)": f"{report.color:.1f}",
        "eyes": "swapped" if report.swapped else "in order",
        "nearest point": f"{report.nearest:+.2f} %",
        "farthest point": f"{report.farthest:+.2f} %",
        "window violation": f"{max(report.window):.2f} %",
    }
