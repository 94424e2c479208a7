"""Names the files that stereo photos are written to, by the formats asked for."""

from __future__ import annotations

from pathlib import Path

from depth3d.errors import InvalidInput, InvalidOption
from depth3d.io.stereo.registry import add_formats, implied_format, plain_name, stereo_file
from depth3d.options import DepthOptions, StereoOptions
from depth3d.pipeline.sphere import sphere_formats
from depth3d.pipeline.stereowrite import eye_files
from depth3d.pipeline.targets import Destination, check_length, check_suffix
from depth3d.stereoformats import FORMATS, StereoFormat, find_formats

__all__ = ["files_of", "stereo_targets", "written_files"]

# Packed eyes can be saved as any of these; crossed ones also in stereo files that hold a packed picture.
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif")


def _suffixes(layout: StereoFormat) -> list[str]:
    """Return the file suffixes that support this format for photos."""
    if layout.packing == "wiggle":
        from depth3d.io.animation import FORMATS as ANIMATIONS

        return list(ANIMATIONS)
    kind = stereo_file(Path(), layout.name)
    if kind is not None:
        return [*kind.suffixes, *kind.other_suffixes]
    crossed = layout.packing == "side" and layout.right_first and not layout.half
    packed = [
        card.suffix for card in FORMATS.values() if crossed and (card.packing, card.right_first) == ("side", True)
    ]
    return list(dict.fromkeys((layout.suffix, *_PICTURES, *packed)))


def written_files(
    source: Path,
    output: str | Path | None,
    names: str,
    depth: DepthOptions | None = None,
    *,
    named_after: Path | None = None,
) -> list[Path]:
    """Return the files that ``stereo_photo`` writes, before any depth is computed; see ``stereo_targets``."""
    formats = sphere_formats(source, output, names, depth or DepthOptions())
    targets = stereo_targets(source, output, formats, named_after=named_after)
    return [file for target, layout in targets.items() for file in files_of(target, layout)]


def files_of(target: Path, layout: StereoFormat) -> tuple[Path, ...]:
    """Return the files of one result: two for separate eyes."""
    return eye_files(target) if layout.packing == "pair" else (target,)


def stereo_targets(
    source: Path, output: str | Path | None, names: str, *, named_after: Path | None = None
) -> dict[Path, StereoFormat]:
    """Return {output path: format} for a photo; a suffix like .mpo implies its format if none is given.

    ``named_after``: a path that outputs without a name of their own are named after; default the photo's.

    Raises ``InvalidInput`` if an output would overwrite the photo, or for unknown formats.
    """
    add_formats()
    try:
        layouts = find_formats(names)
    except InvalidInput as error:
        raise InvalidOption("format", str(error)) from None
    place = Destination.of(output)
    base = named_after or source
    base = place.path / base.name if place.path is not None and place.folder else base
    output = None if place.folder else place.path
    if output is not None and len(layouts) == 1:
        implied = implied_format(output) if layouts[0].name == StereoOptions.format else None
        targets = {output: implied or layouts[0]}
    else:
        base = base if output is None else output
        targets = {base.with_name(f"{plain_name(base)}{layout.tag}{layout.suffix}"): layout for layout in layouts}
    for target, layout in targets.items():
        check_suffix(target, _suffixes(layout), f"the stereo format {layout.name}")
        check_length(target)
        if any(file.resolve() == source.resolve() for file in files_of(target, layout)):
            raise InvalidOption("output", f"{target}: the output would overwrite the photo; choose another name")
    return targets
