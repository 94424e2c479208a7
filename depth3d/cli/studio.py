"""The command ``depth3d studio``: the local page."""

from __future__ import annotations

from typing import Any

import click

from depth3d.cli.options import build, flags
from depth3d.cli.output import log, setup_logging
from depth3d.errors import Depth3DError
from depth3d.options import DepthOptions, StudioOptions

__all__ = ["command"]


@click.command("studio")
@click.argument("inputs", nargs=-1, metavar="[PHOTO|CLIP|FOLDER]...")
@flags(StudioOptions)
def command(inputs: tuple[str, ...], **values: Any) -> None:
    """Open a page in the browser that turns photos and clips into 3D by drop, slide and brush.

    \b
    The page is served on this machine only, at an address with a secret part. Nothing leaves the computer.
    Results are written beside the files given here, those of files dropped into the page to Downloads. Ctrl-C ends it.
    """
    options = build(StudioOptions, values)
    setup_logging(quiet=False)
    try:
        from depth3d.studio.serve import serve
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise Depth3DError(f'the studio needs {error.name}: pip install "depth3d[studio]"') from None
    from depth3d.pipeline.inputs import check_depth_source, expand, media_of

    check_depth_source(DepthOptions(model=options.model))
    found = [item.path for item in expand(inputs)] if inputs else []
    for path in found:
        media_of(path)  # a missing file is an error before anything starts
    serve(found, options, announce=lambda address: log(f"{address}   (Ctrl-C ends)"))
