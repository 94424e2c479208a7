"""Correct a stereo photo of any kind and write it in the layout of its source or another one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidOption
from depth3d.options import DepthOptions, FixOptions, StereoOptions
from depth3d.pipeline.eyes import find_eyes
from depth3d.pipeline.filenames import stereo_targets, written_files
from depth3d.pipeline.fix.correction import Correction, View
from depth3d.pipeline.fix.find import find_correction
from depth3d.pipeline.sphere import sphere_of
from depth3d.pipeline.stereowrite import Subject, write_format
from depth3d.stereoformats import FORMATS, find_format
from depth3d.stereopair import StereoPair, StereoRig

if TYPE_CHECKING:
    from depth3d.io.image.photofile import PhotoFile

__all__ = ["corrected_photo", "photo_format", "photo_targets", "plain_stem", "read_pair", "write_photo"]

_TWO_EYES = ("side", "stack", "rows", "columns", "checker", "anaglyph", "file", "pair", "wiggle")


def read_pair(file: PhotoFile, options: FixOptions) -> StereoPair:
    """Return the two eyes as the file stores them; raises ``FlatError`` where there is no second eye."""
    if options.layout is not None or options.second_eye is not None:
        found = find_eyes(file, DepthOptions(layout=options.layout, second_eye=options.second_eye))
        if found is not None:
            return found
    from depth3d.io.stereo.detect import read_stereo

    return read_stereo(file)


def photo_format(file: PhotoFile, options: FixOptions) -> str:
    """Return the format of the result: ``options.format``, else that of the source; full instead of half.

    Raises ``InvalidOption`` for formats that are not made of two eyes.
    """
    if options.format is not None:
        layout = find_format(options.format)
        if layout.packing not in _TWO_EYES:
            raise InvalidOption(
                "format", f"{layout.name} is not made of two eyes; `depth3d stereo` makes it from depth"
            )
        return layout.name
    if options.layout is not None:
        return options.layout.removesuffix("-half")
    if options.second_eye is not None:
        return "pair"
    from depth3d.io.image.read import open_image
    from depth3d.io.stereo.detect import find_kind
    from depth3d.io.stereo.layouts import named_layout, seen_layout
    from depth3d.io.stereo.registry import add_formats

    add_formats()
    kind = find_kind(file)
    if kind in FORMATS:  # a kind of stereo file that can be written; all others are packed in one picture
        return kind
    image = open_image(file)
    eyes = (None if file.path is None else named_layout(file.path, image.size, image)) or seen_layout(image)
    if eyes is None:
        return "sbs"
    return "tb" if eyes.packing == "stack" else "cross" if eyes.right_first else "sbs"


def plain_stem(source: Path) -> Path:
    """Return the source's path with a stem without layout tags and with ``_fixed``, for the name of the result."""
    from depth3d.io.stereo.registry import plain_name
    from depth3d.pipeline.clip.eyes import plain_stem as without_tags

    stem = plain_name(source)
    return source.with_name(f"{without_tags(stem)}_fixed{source.name.removeprefix(stem)}")


def photo_targets(source: Path, output: str | Path | None, format: str) -> list[Path]:
    """Return the files that ``write_photo`` writes; raises ``InvalidOption`` if one is the source."""
    return written_files(source, output, format, DepthOptions(flat=True), named_after=plain_stem(source))


def corrected_photo(pair: StereoPair, options: FixOptions) -> tuple[StereoPair, Correction]:
    """Return the corrected pair and what was corrected."""
    found = find_correction([pair], options)
    # Whole pixels, never nearer than found: an eye that is only cropped stays as it is.
    pixels = math.ceil(found.shift / 100 * pair.size.width - 1e-6)
    found = replace(found, shift=pixels / pair.size.width * 100)
    shown = found.apply(pair) if found.parallax is None else _new_right_eye(pair, found)
    return shown, found


def _new_right_eye(pair: StereoPair, found: Correction) -> StereoPair:
    """Render the right eye from the left one and the matched depth, with the lower disparity of ``found``."""
    from depth3d.depth.stereo.match import stereo_disparity
    from depth3d.pipeline.views import stereo_pair

    aligned = replace(found, window=(0.0, 0.0)).apply(pair, View.common([found], pair.size))
    matched = stereo_disparity(aligned.left, aligned.right, align=False)
    values = matched.disparity.values
    low, high = np.percentile(values[matched.sure] if matched.sure.any() else values, (1, 99))
    depth = DepthMap.from_disparity(matched.disparity, float(low), float(high))
    parallax, convergence = found.parallax or (0.0, 0.5)
    drawn = stereo_pair(aligned.left, depth, parallax, convergence, "right")
    return found.masked(replace(drawn, notes=pair.notes))


def write_photo(
    pair: StereoPair, source: Path, output: str | Path | None, format: str, *, force: bool = False
) -> list[Path]:
    """Write the corrected pair; returns the paths (two for separate eyes)."""
    rig, options = StereoRig(), StereoOptions(format=format)
    sphere = sphere_of(source, DepthOptions()) if format == "vr-photo" else None  # such eyes are on a sphere already
    subject = Subject(pair.left, None, rig, options, pair, sphere)
    ((target, layout),) = stereo_targets(source, output, format, named_after=plain_stem(source)).items()
    return write_format(subject, layout, target, force=force)
