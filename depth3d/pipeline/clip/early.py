"""Validate a clip conversion before decoding: output name, folders of side files, option values."""

from __future__ import annotations

from pathlib import Path

from depth3d.errors import InvalidOption, WriteError
from depth3d.geometry.camera.paths import PATHS
from depth3d.io.video.encoders import ENCODERS, check_settings
from depth3d.options import DepthOptions, StabilizeOptions, VideoOptions
from depth3d.pipeline.clip.depth_files import check_depth_clip
from depth3d.pipeline.clip.output import Product, targets_of
from depth3d.pipeline.clip.preview import preview_path
from depth3d.pipeline.inputs import check_depth_source, check_stabilizer
from depth3d.pipeline.targets import check_suffix
from depth3d.validation import nearest

__all__ = ["check_clip"]


def check_clip(
    source: Path,
    output: str | Path | None,
    video: VideoOptions,
    stabilize: StabilizeOptions,
    depth: DepthOptions,
    product: Product,
) -> tuple[Path, ...]:
    """Return the files that a conversion will write; same arguments as ``convert_all``.

    Raises ``InvalidOption`` for options that cannot work, ``WriteError`` for side files that cannot be written.
    """
    path = product.animate.path
    if product.kind == "animate" and path not in PATHS:
        hint = nearest(path, list(PATHS))
        raise InvalidOption("path", f"{path!r} is not a camera path of clips{hint}")
    check_depth_source(depth)
    check_stabilizer(stabilize)
    targets = targets_of(source, output, product.suited(source, output, depth.flat).split(), video)
    suffixes = dict.fromkeys(suffix for card in ENCODERS.values() for suffix in card.containers)
    for target in targets:
        check_suffix(target, list(suffixes), "clips")
        check_settings(video.codec, target.suffix.lower(), video.crf, video.preset)
    for name, file in (("save_depth", video.save_depth), ("shots", video.shots)):
        if file is not None and not Path(file).absolute().parent.is_dir():
            raise WriteError(file, f"the folder {Path(file).parent} does not exist; create it first (`{name}`)")
    if video.save_depth is not None:
        check_depth_clip(video.save_depth, targets)
    return tuple(preview_path(target) if video.preview else target for target in targets)
