"""A photo and its depth, from wherever the depth comes: a file, the photo itself, a second eye, a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.io.video.suffixes import CLIP_SUFFIXES, PHOTO_SUFFIXES
from depth3d.options import DepthOptions

if TYPE_CHECKING:
    from depth3d.io.image.photofile import PhotoFile

__all__ = ["Scene", "inputs", "load_scene"]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A photo with depth.

    Parameters
    ----------
    image : Image
        The photo.
    depth : DepthMap
        Its depth at any size, 1 = nearest.
    how : str
        One line that tells where the depth came from and how it was read.
    file : PhotoFile | None
        The opened file of the photo, so that no step reads it again.
    distances : tuple[float, float] | None
        Meters to the nearest and the farthest point, if the depth has a known scale.
    """

    image: Image
    depth: DepthMap
    how: str
    file: PhotoFile | None = None
    distances: tuple[float, float] | None = None


def inputs(paths: list[Path]) -> list[Path]:
    """Folders replaced by the photos and clips in them (sorted, not deeper), depth files and results left out.

    Raises ``InvalidInput`` if a folder holds none.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(item for item in path.iterdir() if _is_input(item))
        if not inside:
            raise InvalidInput(f"{path}: no photo and no clip in this folder")
        found += inside
    return found


def _is_input(path: Path) -> bool:
    suffixes = PHOTO_SUFFIXES | CLIP_SUFFIXES
    stem = path.stem.lower()
    result = stem.endswith(("_3d", "_depth", "-depth", "_depth_preview", "_disparity", "_full_sbs", "_redcyan"))
    return path.is_file() and path.suffix.lower() in suffixes and not path.name.startswith(".") and not result


def load_scene(
    path: str | Path | PhotoFile, options: DepthOptions | None = None, *, ignore: Path | None = None
) -> Scene:
    """Open a photo and find its depth.

    Looked for in this order: ``options.depth``; a file beside the photo (``NAME_depth.png`` ...) or
    depth inside the photo; the second eye, if it is a stereo picture; the network ``options.model``.
    A network named on purpose (other than "auto") goes before what lies beside the photo. ``ignore`` is
    a depth file that is not used, as it is about to be replaced.

    Raises ``ReadError`` for files that cannot be read, ``ModelError`` for networks that cannot run.
    """
    from depth3d.io.depth.read import find_depth, load_depth
    from depth3d.io.image.photofile import open_photo
    from depth3d.io.image.read import open_image

    options = options or DepthOptions()
    file = open_photo(path)
    if options.depth is not None:
        image = open_image(file)
        found = load_depth(Path(options.depth), invert=options.invert_depth, size=image.size)
        return Scene(image, found.depth, found.how, file)
    if options.model == "auto":
        image = open_image(file)
        beside = find_depth(file, size=image.size, invert=options.invert_depth, ignore=ignore)
        if beside is not None:
            return Scene(image, beside.depth, beside.how, file)
        from depth3d.io.stereo.detect import find_pair

        pair = find_pair(file)
        if pair is not None:
            from depth3d.depth.stereo.match import match_stereo

            depth = match_stereo(pair.left, pair.right, matcher=options.matcher)
            how = f"depth from the two eyes of {file.title} ({options.matcher})"
            return Scene(pair.left, depth, "; ".join((*pair.notes, how)), file)
    return _from_network(open_image(file), options, file)


def _from_network(image: Image, options: DepthOptions, file: PhotoFile) -> Scene:
    from depth3d.depth.estimator import estimate_with_distances, open_estimator
    from depth3d.io.image.read import flatten

    choices: dict[str, Any] = {
        "device": options.device,
        "engine": options.engine,
        "threads": options.threads,
        "precision": options.precision,
    }
    # Kept by the estimator's room, so that asking for its name first costs nothing.
    name = open_estimator(options.model, **choices).card.name
    depth, distances = estimate_with_distances(flatten(image), options.model, **choices)
    if options.invert_depth:
        depth, distances = depth.inverted(), None
    return Scene(image, depth, f"depth from the network {name}", file, distances)
