"""The command ``depth3d live``: a camera, the screen or a stream in 3D."""

from __future__ import annotations

from typing import Any

import click

from depth3d.cli.options import OptionsCommand, build, flags
from depth3d.cli.output import log, print_text, setup_logging
from depth3d.errors import Depth3DError
from depth3d.options import DepthOptions, LiveOptions

__all__ = ["command"]


@click.command("live", cls=OptionsCommand)
@click.argument("source", metavar="camera|screen|ADDRESS|CLIP")
@flags(LiveOptions)
@click.option("--quiet", is_flag=True, help="Print errors and the address only.")
@click.option("--json", "as_json", is_flag=True, help="Print the last report as one line of JSON at the end.")
def command(source: str, quiet: bool, as_json: bool, **values: Any) -> None:
    """Show a camera, the screen or a stream in 3D, on a page of this machine only. Ctrl-C ends it.

    \b
    depth3d live camera                           the first camera, for red-cyan glasses (camera:1: the second one)
    depth3d live screen --format sbs              the screen, side by side
    depth3d live udp://127.0.0.1:5000             a stream: udp, tcp, http, https, rtp, rtsp, srt
    depth3d live clip.mp4 --format tb             a clip at its own speed
    """
    options = build(LiveOptions, values)
    setup_logging(quiet=quiet)
    try:
        from depth3d.studio.broadcast import serve_live
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise Depth3DError(f'the live page needs {error.name}: pip install "depth3d[studio]"') from None
    from depth3d.pipeline.inputs import check_depth_source

    check_depth_source(DepthOptions(model=options.model))  # before a page is opened
    report = serve_live(
        source,
        options,
        announce=lambda address: log(f"{address}   (Ctrl-C ends)"),
        tell=lambda line: log(line, quiet=quiet),
    )
    if report is None:
        return
    log(f"{report.frames} frames: {report.line()}", quiet=quiet)
    if as_json:
        import json

        print_text(json.dumps({"source": source, **report.facts()}))
