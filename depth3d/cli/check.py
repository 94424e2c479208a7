"""``depth3d check``: measures the 3D of any stereo file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import build, flags
from depth3d.cli.progress import bar, speak_plainly
from depth3d.options import OutputOptions

__all__ = ["command"]


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also draw the disparities: report.png")
@click.option("--screen", metavar="LENGTH", help="Diagonal of the viewer's screen.  [default: 55in]")
@click.option("--distance", metavar="LENGTH", help="How far away the viewer sits.  [default: 2.5m]")
@click.option("--frames", default=12, show_default=True, metavar="N", help="Clips: how many frames are looked at.")
@click.option("--layout", metavar="NAME", help="sbs, sbs-half, cross, tb, tb-half: where name and marks mislead.")
@flags(OutputOptions)
def command(
    file: Path,
    output: Path | None,
    screen: str | None,
    distance: str | None,
    frames: int,
    layout: str | None,
    **values: Any,
) -> None:
    """Measure parallax, comfort and faults of any stereo picture or clip, also of other programs'."""
    speech = build(OutputOptions, values)
    speak_plainly(quiet=speech.quiet)
    from depth3d.io.atomic import refuse_existing
    from depth3d.pipeline.check.measure import check

    if output is not None:
        refuse_existing(output, force=speech.force)
    with bar(file.name, quiet=speech.quiet) as progress:
        report = check(file, screen=screen, distance=distance, frames=frames, layout=layout, progress=progress)
    if output is not None:
        from depth3d.io.image.read import save_image
        from depth3d.pipeline.check.report import report_picture

        save_image(report_picture(report), output, force=speech.force)
    if speech.json:
        click.echo(json.dumps(report.facts()))
        return
    lines = [
        f"{file.name}: {report.layout}, {report.width}x{report.height} each eye, {report.frames} frame(s)",
        "disparity  " + "  ".join(f"p{p} {v:+.2f} %" for p, v in report.disparity.items()),
        "as angles  " + "  ".join(f"p{p} {v:+.0f}'" for p, v in report.arc_minutes.items()) + f"  ({report.screen})",
        f"vertical   {report.vertical:+.2f} % of the height, worst {report.vertical_worst:.2f} %;"
        f" roll {report.roll:+.2f} degrees, scale {report.scale:.4f}",
        f"colors     {report.color:.1f} apart (Lab); both eyes agree on {report.sure:.0%} of the picture",
        f"window     left {report.window[0]:.2f} %, right {report.window[1]:.2f} % in front of the screen",
    ]
    click.echo("\n".join([*lines, *(f"-> {line}" for line in report.verdict)]))
