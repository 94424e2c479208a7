"""``depth3d view``: a photo becomes a web page that shows it in 3D."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import build, flags
from depth3d.cli.progress import say, speak_plainly, told
from depth3d.options import DepthOptions, OutputOptions, ViewOptions

__all__ = ["command"]


@click.command("view")
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write: .html")
@flags(ViewOptions, DepthOptions, OutputOptions)
def command(photo: Path, output: Path | None, **values: Any) -> None:
    """A photo becomes a web page that shows it in 3D (NAME.html beside it).

    \b
    The page is one file with everything in it: open it, mail it, put it on any web space.
    Headset: depth3d view PHOTO --serve, then adb reverse tcp:8123 tcp:8123 and open the address in it.
    """
    options, depth = build(ViewOptions, values), build(DepthOptions, values)
    speech = build(OutputOptions, values)
    speak_plainly(quiet=speech.quiet)
    from depth3d.io.atomic import refuse_existing
    from depth3d.io.viewer import serve_page
    from depth3d.pipeline.export import view_scene
    from depth3d.pipeline.scene import load_scene

    target = output or photo.with_suffix(".html")
    refuse_existing(target, force=speech.force)
    scene = load_scene(photo, depth)
    for note in (*scene.image.notes, scene.how):
        say(f"{photo.name}: {note}", quiet=speech.quiet)
    written = view_scene(scene, target, options, source=photo, force=speech.force)
    told(written, as_json=speech.json, input=photo, depth=scene.how, bytes=written.stat().st_size)
    if options.serve:
        serve_page(written, options.port, announce=lambda address: say(f"{address}   (Ctrl-C ends)", quiet=False))
