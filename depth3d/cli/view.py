"""The command ``depth3d view``: converts photos to 3D web pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import OptionsCommand, build, flags
from depth3d.cli.output import log, print_result
from depth3d.cli.run import Job, Kinds, input_arguments, run_inputs
from depth3d.errors import InvalidOption
from depth3d.options import BatchOptions, DepthOptions, OutputOptions, ViewOptions

__all__ = ["command", "preparer"]

KINDS: Kinds = {"photo": (ViewOptions, DepthOptions)}


@click.command("view", cls=OptionsCommand)
@input_arguments("PHOTO|FOLDER...", "File to write: .html")
@flags(ViewOptions, DepthOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Convert photos to web pages that show them in 3D (NAME.html).

    \b
    The page is a single self-contained file: open it, mail it, or put it on any web server.
    Headset: depth3d view PHOTO --serve, then adb reverse tcp:8123 tcp:8123 and open the address in it.
    """
    run_inputs(inputs, output, values, KINDS, preparer(values, len(inputs)))


def preparer(values: dict[str, Any], count: int = 1) -> Callable[[Path, Path | None, str], Job]:
    """Return the function that prepares the job of one input."""
    options, depth, outputs = build(ViewOptions, values), build(DepthOptions, values), build(OutputOptions, values)

    def prepare(path: Path, output: Path | None, media: str) -> Job:
        from depth3d.pipeline.page import view_target

        if options.serve and (count > 1 or path.parent / path.name != path):
            raise InvalidOption(
                "serve", "needs exactly one photo; for several, write the pages to a folder and open them"
            )
        target = view_target(path, output, options, depth)
        return Job((target,), lambda: _run(path, target, options, depth, outputs))

    return prepare


def _run(path: Path, target: Path, options: ViewOptions, depth: DepthOptions, outputs: OutputOptions) -> None:
    from depth3d.io.pageserver import PageServer

    if not options.serve:
        _write(path, target, options, depth, outputs)
        return
    with PageServer(options.port) as server:  # before the work, so that a port in use is told at once
        written = _write(path, target, options, depth, outputs)
        server.serve(written, lambda address: log(f"{address}   (Ctrl-C ends)"))


def _write(path: Path, target: Path, options: ViewOptions, depth: DepthOptions, outputs: OutputOptions) -> Path:
    from depth3d.pipeline.page import view_scene
    from depth3d.pipeline.scene import load_scene

    scene = load_scene(path, depth)
    for note in (*scene.image.notes, scene.how):
        log(f"{path.name}: {note}", quiet=outputs.quiet)
    written = view_scene(scene, target, options, source=path, force=outputs.force)
    print_result(written, as_json=outputs.json, input=path, depth=scene.how, bytes=written.stat().st_size)
    return written
