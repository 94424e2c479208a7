"""The command ``depth3d view``: converts photos to 3D web pages."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from depth3d.cli.batch import Job
from depth3d.cli.options import OptionsCommand, build, flags, given
from depth3d.cli.output import log, print_result
from depth3d.cli.run import Kinds, from_settings, input_arguments, run_inputs
from depth3d.errors import InvalidOption
from depth3d.options import BatchOptions, DepthOptions, OutputOptions, ViewOptions
from depth3d.validation import field_names

__all__ = ["command", "preparer"]

KINDS: Kinds = {"photo": (ViewOptions, DepthOptions)}


@click.command("view", cls=OptionsCommand)
@input_arguments("PHOTO...|FOLDER|CLIP", "File to write: .html")
@flags(ViewOptions, DepthOptions, BatchOptions, OutputOptions)
def command(inputs: tuple[str, ...], output: str | None, **values: Any) -> None:
    """Convert photos to web pages that show them in 3D (NAME.html), or show a folder or clip in a player.

    \b
    The page is a single self-contained file: open it, mail it, or put it on any web server.
    Headset: depth3d view PHOTO --serve, then adb reverse tcp:8123 tcp:8123 and open the address in it.

    \b
    FOLDER or CLIP: a gallery (gallery.html in the folder) of photos, loops and stereo clips with subtitles, on the
    page, as anaglyph, side by side, or on a screen in a headset. FOLDER with -o OTHER/ makes a 3D page of each photo.
    In the home network: --serve --host 0.0.0.0 prints a link with a secret, and its QR code.
    """
    elsewhere = output is not None and (output.endswith(("/", os.sep)) or os.path.isdir(output))
    pages = elsewhere and os.path.isdir(inputs[0])
    if len(inputs) == 1 and os.path.exists(inputs[0]) and not pages:
        from depth3d.pipeline.gallery import is_gallery_input

        if is_gallery_input(Path(inputs[0])):
            _gallery(Path(inputs[0]), output, values)
            return
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
    with PageServer(
        options.port, options.host, options.certificate
    ) as server:  # before the work, so that a port in use is told at once
        written = _write(path, target, options, depth, outputs)
        server.serve(written, _announce(options))


def _announce(options: ViewOptions) -> Callable[[str], None]:
    """Return the function that prints the address, in the home network with its QR code."""

    def announce(address: str) -> None:
        log(f"{address}   (Ctrl-C ends)")
        if options.host is not None:
            import segno

            segno.make(address, micro=False).terminal(out=sys.stderr, compact=True)

    return announce


def _gallery(source: Path, output: str | None, values: dict[str, Any]) -> None:
    """Write the gallery page of a folder or clip, or serve it without writing a file."""
    from depth3d.io.atomic import refuse_existing
    from depth3d.io.gallery import gallery_html, is_gallery, write_gallery
    from depth3d.io.pageserver import PageServer
    from depth3d.pipeline.gallery import gallery_items, gallery_target
    from depth3d.pipeline.inputs import Input
    from depth3d.pipeline.targets import Destination

    options, outputs, batch = build(ViewOptions, values), build(OutputOptions, values), build(BatchOptions, values)
    _refuse_photo_options(values)
    target = gallery_target(source, output)
    title = options.title or source.resolve().name
    found = partial(gallery_items, source, recursive=batch.recursive, tell=lambda line: log(line, quiet=outputs.quiet))
    if options.serve and output is None:
        with PageServer(options.port, options.host, options.certificate) as server:
            items = found()
            page = gallery_html(items, [f"./{index}" for index in range(len(items))], title)
            server.serve(page.encode(), _announce(options), [item.path for item in items])
        return
    if options.serve:
        raise InvalidOption("serve", "serves a gallery from memory; omit `output`")
    force = outputs.force or is_gallery(target)  # a gallery of an earlier run, made anew
    destination = Destination.of(output)
    with destination.without_empty_folders():
        destination.for_input(Input(source))  # creates it
        refuse_existing(target, force=force)
        items = found()
        written = write_gallery(items, target, title, force=force)
    print_result(written, as_json=outputs.json, input=source, items=len(items), bytes=written.stat().st_size)


def _refuse_photo_options(values: dict[str, Any]) -> None:
    known = {"title", "serve", "port", "host", "certificate", *field_names(OutputOptions, BatchOptions)}
    for name in given(values):
        if name not in known and not from_settings(name):
            raise InvalidOption(name, "applies to 3D pages of photos, not to a gallery")


def _write(path: Path, target: Path, options: ViewOptions, depth: DepthOptions, outputs: OutputOptions) -> Path:
    from depth3d.pipeline.page import view_scene
    from depth3d.pipeline.scene import load_scene

    scene = load_scene(path, depth)
    for note in (*scene.image.notes, scene.how):
        log(f"{path.name}: {note}", quiet=outputs.quiet)
    written = view_scene(scene, target, options, source=path, force=outputs.force)
    print_result(written, as_json=outputs.json, input=path, depth=scene.how, bytes=written.stat().st_size)
    return written
