"""``depth3d depth``: only the depth map, as a picture, numbers, a clip or a Facebook pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import build, flags
from depth3d.cli.progress import say, speak_plainly, told
from depth3d.errors import Depth3DError, InvalidInput
from depth3d.options import DepthMapOptions, DepthOptions, OutputOptions, StabilizeOptions, VideoOptions

__all__ = ["command"]


@click.command("depth")
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO|CLIP|FOLDER...")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write, or an existing folder.")
@flags(DepthMapOptions, DepthOptions, VideoOptions, StabilizeOptions, OutputOptions)
def command(inputs: tuple[Path, ...], output: Path | None, **values: Any) -> None:
    """The depth map of a photo (NAME_depth.png beside it) or of a clip (NAME_depth.mp4).

    \b
    White = near. The numbers are relative inverse depth: 1 = nearest, 0 = farthest, scale unknown.
    .png .tif 16-bit grey    .jpg .webp 8 bits    .npy .pfm .exr float32    --heatmap colours
    --preview (photos) also writes photo, depth and heat map side by side.
    """
    options, depth, speech = build(DepthMapOptions, values), build(DepthOptions, values), build(OutputOptions, values)
    video, steady = build(VideoOptions, values), build(StabilizeOptions, values)
    speak_plainly(quiet=speech.quiet)
    from depth3d.pipeline.scene import inputs as found_in

    paths = found_in(list(inputs))
    if output is not None and len(paths) > 1 and not output.is_dir():
        raise InvalidInput(
            f"-o names one file, but there are {len(paths)} inputs; name an existing folder or leave -o away"
        )
    failed = 0
    for path in paths:
        try:
            _one(path, output, options, depth, video, steady, speech)
        except Depth3DError as error:
            if len(paths) == 1:
                raise
            say(f"depth3d: {error}", quiet=False)
            failed += 1
    if failed:
        raise InvalidInput(f"{failed} of {len(paths)} inputs could not be done")


def _one(
    path: Path,
    output: Path | None,
    options: DepthMapOptions,
    depth: DepthOptions,
    video: VideoOptions,
    steady: StabilizeOptions,
    speech: OutputOptions,
) -> None:
    from depth3d.io.video.suffixes import is_clip

    if is_clip(path):
        from depth3d.cli.clip import run_clip

        if options.facebook:
            raise InvalidInput(f"{path.name} is a clip; --facebook is for photos")
        target = output / f"{path.stem}_depth.mp4" if output is not None and output.is_dir() else output
        run_clip(
            path,
            target,
            speech=speech,
            video=video,
            depth=depth,
            stabilize=steady,
            only_depth=True,
            heatmap=options.heatmap,
        )
        return
    from depth3d.pipeline.depthmap import save_depth

    written, scene = save_depth(path, output, options, depth, preview=video.preview, force=speech.force)
    for note in (*scene.image.notes, scene.how):
        say(f"{path.name}: {note}", quiet=speech.quiet)
    told(written[0], as_json=speech.json, input=path, depth=scene.how, size=str(scene.depth.size), files=written)
    if not speech.json:
        for other in written[1:]:
            click.echo(str(other))
