"""Convert a clip for any command: one progress bar for both passes, then print the output path."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth3d.cli.batch import Job
from depth3d.cli.options import build
from depth3d.cli.output import log, print_result
from depth3d.cli.progress import progress_bar
from depth3d.options import ClusterOptions, DepthOptions, OutputOptions, StabilizeOptions, VideoOptions

if TYPE_CHECKING:
    from depth3d.pipeline.clip.output import Product
    from depth3d.pipeline.clip.space import Space

__all__ = ["prepare_clip"]


def prepare_clip(source: Path, output: str | Path | None, values: dict[str, Any], product: Product) -> Job:
    """Validate the conversion of one clip and return it as a job.

    Parameters
    ----------
    source : Path
        The clip.
    output : str | Path | None
        A file or an existing folder; None = the clip's folder.
    values : dict[str, Any]
        The options of the command, None where not given.
    product : Product
        What is made of it.
    """
    from depth3d.pipeline.clip.early import check_clip

    video, outputs = build(VideoOptions, values), build(OutputOptions, values)
    stabilize, depth = build(StabilizeOptions, values), build(DepthOptions, values)
    cluster = build(ClusterOptions, values)
    targets = check_clip(source, output, video, stabilize, depth, product)
    written = () if video.dry_run else targets

    def run() -> None:
        options = {"product": product, "video": video, "stabilize": stabilize, "depth": depth}
        if cluster.cluster is None or video.dry_run or video.preview:
            _convert(source, output, outputs, options)
            return
        from depth3d.contrib.dask import connect

        with connect(cluster.cluster, ship=cluster.ship) as runner:
            _convert(source, output, outputs, {**options, "runner": runner})

    def space() -> Space:
        from depth3d.pipeline.clip.space import expected_space

        return expected_space(source, targets, product.suited(source, output, depth.flat), video, depth)

    # With several formats, a stopped run may have finished some; the conversion handles those.
    return Job(written, run, len(written) > 1, None if not written or video.preview else space)


def _convert(source: Path, output: str | Path | None, outputs: OutputOptions, options: dict[str, Any]) -> None:
    from depth3d.pipeline.clip.convert import convert_all

    began = time.monotonic()
    log(f"{source.name}: depth, then rendering; stop with Ctrl-C, resume with the same command", quiet=outputs.quiet)
    with progress_bar(source.stem, quiet=outputs.quiet) as update:
        paths = convert_all(source, output, output_options=outputs, progress=_both_passes(update), **options)
    seconds = round(time.monotonic() - began, 2)
    if outputs.json:
        several = {"outputs": [str(path) for path in paths]} if len(paths) > 1 else {}
        print_result(paths[0], as_json=True, seconds=seconds, **several)
        return
    for path in paths:
        print_result(path, as_json=False)


def _both_passes(update: Callable[[int, int], None]) -> Callable[[str, int, int], None]:
    """Return a callback that shows both passes in one progress bar, half each."""

    def progress(stage: str, done: int, total: int) -> None:
        update(done if stage == "depth" else total + done, 2 * total)

    return progress
