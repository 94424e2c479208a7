"""What every command does with a clip: two passes with a bar each, the plan, the path that was written."""

from __future__ import annotations

import time
from pathlib import Path

from depth3d.cli.progress import bar, say, told
from depth3d.options import AnimateOptions, DepthOptions, OutputOptions, StabilizeOptions, StereoOptions, VideoOptions

__all__ = ["run_clip"]


def run_clip(
    source: Path,
    output: Path | None,
    *,
    speech: OutputOptions,
    video: VideoOptions | None = None,
    depth: DepthOptions | None = None,
    stereo: StereoOptions | None = None,
    animate: AnimateOptions | None = None,
    stabilize: StabilizeOptions | None = None,
    only_depth: bool = False,
    heatmap: str | None = None,
) -> Path:
    """Convert one clip and tell the path; see ``depth3d.pipeline.clip.convert.convert`` for what the options mean."""
    from depth3d.pipeline.clip.convert import convert_all

    began = time.monotonic()
    say(f"{source.name}: depth, then drawing; Ctrl-C stops, the same command goes on", quiet=speech.quiet)
    with bar(source.stem, quiet=speech.quiet) as update:

        def progress(stage: str, done: int, total: int) -> None:
            # One bar for both passes: each is half of the work.
            update(done if stage == "depth" else total + done, 2 * total)

        paths = convert_all(
            source,
            output,
            stereo=stereo,
            animate=animate,
            only_depth=only_depth,
            heatmap=heatmap,
            depth=depth,
            stabilize=stabilize,
            video=video,
            output_options=speech,
            progress=progress,
        )
    seconds = round(time.monotonic() - began, 2)
    if speech.json:
        several = {"outputs": [str(path) for path in paths]} if len(paths) > 1 else {}
        told(paths[0], as_json=True, seconds=seconds, **several)
        return paths[0]
    for path in paths:
        told(path, as_json=False)
    return paths[0]
