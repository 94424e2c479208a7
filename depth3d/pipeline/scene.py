"""Load a photo with its depth: from a file, embedded in the photo, from a second eye, or from a network."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.options import DepthOptions

if TYPE_CHECKING:
    from depth3d.io.image.photofile import PhotoFile
    from depth3d.stereopair import StereoPair

__all__ = ["Scene", "load_scene", "photo_pair", "with_relief", "without_frame"]

log = logging.getLogger("depth3d")


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A photo with depth.

    Parameters
    ----------
    image : Image
        The photo.
    depth : DepthMap
        Its depth at any size, 1 = nearest, 0 = farthest.
    how : str
        One line on the source of the depth and how it was interpreted.
    file : PhotoFile | None
        The open photo file, so that it is read only once.
    distances : tuple[float, float] | None
        Meters to the nearest and the farthest point, if the depth has a known scale.
    part : str
        Part of the file that the photo is, for file names: "left" (eye), "photo" (of photo and depth in one picture),
        "original" (without artificial blur); "" = the whole picture.
    """

    image: Image
    depth: DepthMap
    how: str
    file: PhotoFile | None = None
    distances: tuple[float, float] | None = None
    part: str = ""


def load_scene(
    path: str | Path | PhotoFile, options: DepthOptions | None = None, *, ignore: Path | None = None
) -> Scene:
    """Open a photo and load or predict its depth, repaired by its manual hints if there are any.

    Sources in this order: ``options.depth``; a file next to the photo (``NAME_depth.png`` ...); depth embedded in the
    photo; a depth map in the other half of the picture; the second eye of a stereo picture; the network
    ``options.model``. A network given explicitly (not "auto") has priority over all but ``options.depth``. The depth
    map of a stereo picture belongs to its left eye, that of the right file of a couple to the right eye; with
    ``options.stereo`` off, a picture of two eyes is an ordinary one.

    Raises ``ReadError`` for files that cannot be read, ``ModelError`` for networks that cannot run.

    Parameters
    ----------
    path : str | Path | PhotoFile
        The photo.
    options : DepthOptions | None
        Source of the depth.
    ignore : Path | None
        A depth file to ignore, because it will be overwritten.
    """
    from depth3d.io.image.photofile import open_photo

    options = options or DepthOptions()
    file = open_photo(path)
    return with_relief(_with_hints(_loaded(file, options, ignore), options), options.relief)


def _loaded(file: PhotoFile, options: DepthOptions, ignore: Path | None) -> Scene:
    from depth3d.io.depth.read import depth_beside
    from depth3d.io.image.read import open_image

    if options.depth is not None:
        return _with_map(file, Path(options.depth), options)
    asked = options.second_eye is not None or options.layout is not None or options.from_anaglyph
    if options.model != "auto":
        return _of_left_eye(file, options) or _from_network(open_image(file), options, file)
    beside = depth_beside(file, ignore=ignore)
    if beside is not None and not asked:
        return _with_map(file, beside, options)
    found = _from_eyes(file, options) if asked else _of_one_file(file, options)
    return found or _from_network(open_image(file), options, file)


def _of_one_file(file: PhotoFile, options: DepthOptions) -> Scene | None:
    return _from_within(file, options) or _from_eyes(file, options) or _of_right_eye(file, options)


def with_relief(scene: Scene, strength: float) -> Scene:
    """Return the scene with amplified relief inside surfaces; see ``depth.relief``."""
    if strength == 0:
        return scene
    from depth3d.depth.relief import strengthen_relief

    return replace(scene, depth=strengthen_relief(scene.depth, strength), how=f"{scene.how}; relief {strength:g}")


def without_frame(scene: Scene) -> tuple[Image, DepthMap, bytes | None]:
    """Return the picture inside the photo's frame or bars for scenes that have no border, such as pages and meshes.

    The picture has 8 bits, alpha on white; its depth; the bytes of the photo's JPEG if they are this picture.

    Parameters
    ----------
    scene : Scene
        A photo with depth.
    """
    from depth3d.geometry.background.frame import crop_depth, crop_frame, find_frame
    from depth3d.io.image.jpeg import own_jpeg
    from depth3d.io.image.read import flatten

    image = flatten(scene.image.eight_bit())
    frame = find_frame(scene.image)
    if any(frame):
        return crop_frame(image, frame), crop_depth(scene.depth.resized(image.size), frame), None
    return image, scene.depth, None if scene.file is None else own_jpeg(scene.file.data, scene.image)


def _with_hints(scene: Scene, options: DepthOptions) -> Scene:
    """Apply ``options.hints``, or the hint file beside the photo."""
    from depth3d.io.hints import hints_beside, read_hints

    photo = None if scene.file is None else scene.file.path
    path = Path(options.hints) if options.hints not in (None, "none") else None
    if path is None and options.hints is None and photo is not None:
        path = hints_beside(photo)
    if path is None:
        return scene
    from depth3d.depth.hints import apply_hints
    from depth3d.io.image.read import flatten

    hints = read_hints(path)
    picture = flatten(scene.image.eight_bit())
    depth = apply_hints(scene.depth.resized(picture.size), hints, picture)
    count = len(hints.strokes)
    what = f"{count} stroke{'' if count == 1 else 's'}" if count else "the painted strokes"
    return replace(scene, depth=depth, how=f"{scene.how}; repaired by {what} of {path.name}")


def photo_pair(file: PhotoFile, options: DepthOptions) -> StereoPair | None:
    """Return the two eyes of a stereo photo, or None for a flat one; see ``pipeline.eyes``.

    Parameters
    ----------
    file : PhotoFile
        The photo.
    options : DepthOptions
        Options ``layout``, ``second_eye``, ``swap_eyes`` and ``stereo``.
    """
    from depth3d.pipeline.eyes import find_eyes

    asked = (options.stereo, options.layout, options.second_eye, options.swap_eyes, options.from_anaglyph)
    key = f"eyes {asked}"
    if key not in file.memo:
        file.memo[key] = find_eyes(file, options)
    pair: StereoPair | None = file.memo[key]
    return pair


def _with_map(file: PhotoFile, path: Path, options: DepthOptions) -> Scene:
    """Return the scene of a depth file; of the left eye if the photo is a stereo picture and the map matches it."""
    from depth3d.io.depth.read import load_depth
    from depth3d.io.image.photofile import open_photo
    from depth3d.io.image.read import open_image
    from depth3d.pipeline.eyes import refuse_anaglyph

    map_file = open_photo(path)
    image, part = open_image(file), ""
    pair = photo_pair(file, options)
    if pair is not None and pair.left is not image:
        raw = load_depth(map_file, invert=options.invert_depth).depth
        if _belongs_to_eye(raw, pair.left, image):
            image, part = pair.left, "left"
    if not part and options.depth is None and options.stereo:
        refuse_anaglyph(file, image)
    found = load_depth(map_file, invert=options.invert_depth, image=image)
    how = f"{found.how}, of the left eye" if part else found.how
    return Scene(image, found.depth, how, file, part=part)


def _belongs_to_eye(depth: DepthMap, eye: Image, whole: Image) -> bool:
    from depth3d.io.depth.fit import edge_agreement, same_shape

    fits = same_shape(depth.size, eye.size), same_shape(depth.size, whole.size)
    if fits[0] != fits[1]:
        return fits[0]
    return edge_agreement(depth, eye) >= edge_agreement(depth, whole)


def _from_within(file: PhotoFile, options: DepthOptions) -> Scene | None:
    """Return the scene with embedded depth, or with the depth in the other half of the picture."""
    from depth3d.io.depth.fit import same_shape
    from depth3d.io.depth.read import depth_inside
    from depth3d.io.depth.rgbd import split_rgbd
    from depth3d.io.image.exif import upright
    from depth3d.io.image.read import open_image

    image = open_image(file)
    found = depth_inside(file, image=image, invert=options.invert_depth)
    if found is not None and found.original is not None:
        try:
            sharp = open_image(file.partner(found.original))
        except ReadError as error:
            log.warning("%s: its embedded sharp original cannot be read (%s)", file.title, error.reason)
            return Scene(image, found.depth, found.how, file)
        if not same_shape(sharp.size, image.size):  # without an orientation of its own
            sharp = replace(sharp, pixels=upright(sharp.pixels, file.orientation), alpha=None)
        if same_shape(sharp.size, image.size):
            sharp = replace(sharp, focal_35mm=image.focal_35mm, notes=())
            return Scene(sharp, found.depth, f"{found.how}; its sharp original is used", file, part="original")
    if found is not None:
        return Scene(image, found.depth, found.how, file)
    halves = split_rgbd(image, file.path)
    if halves is None:
        return None
    depth = halves.depth.inverted() if options.invert_depth else halves.depth
    return Scene(halves.image, depth, f"depth from {file.title}: {halves.how}", file, part="photo")


def _from_eyes(file: PhotoFile, options: DepthOptions) -> Scene | None:
    pair = photo_pair(file, options)
    if pair is None:
        return None
    from depth3d.depth.stereo.match import match_stereo
    from depth3d.io.image.read import open_image
    from depth3d.pipeline.eyes import refuse_inversion

    refuse_inversion(options)

    depth = match_stereo(pair.left, pair.right, matcher=options.matcher)
    how = f"depth from the two eyes of {file.title} ({options.matcher})"
    part = "" if pair.left is open_image(file) else "left"
    return Scene(pair.left, depth, "; ".join((*pair.notes, how)), file, part=part)


def _of_left_eye(file: PhotoFile, options: DepthOptions) -> Scene | None:
    """Return the left eye of a stereo picture with the depth of the network; None for other pictures."""
    from depth3d.io.image.panorama import find_sphere
    from depth3d.io.image.read import open_image

    pair = None if find_sphere(file) is not None else photo_pair(file, options)
    if pair is None or pair.left is open_image(file):
        return None
    found = _from_network(pair.left, options, file)
    return replace(found, how="; ".join((*pair.notes, f"{found.how}, of the left eye")), part="left")


def _of_right_eye(file: PhotoFile, options: DepthOptions) -> Scene | None:
    """Return the right eye of a couple with the depth of that eye, matched in both pictures as a mirror shows them."""
    from depth3d.depth.stereo.match import match_stereo
    from depth3d.io.image.read import open_image
    from depth3d.io.stereo.couple import right_eye
    from depth3d.pipeline.eyes import refuse_inversion

    pair = right_eye(file) if options.stereo else None
    if pair is None:
        return None
    refuse_inversion(options)
    left, right = (replace(eye, pixels=np.ascontiguousarray(eye.pixels[:, ::-1])) for eye in (pair.left, pair.right))
    values = match_stereo(right, left, matcher=options.matcher).values[:, ::-1]
    image = open_image(file)
    beyond = image.size.height - values.shape[0], image.size.width - values.shape[1]  # the left eye may be smaller
    values = np.pad(values, ((0, max(0, beyond[0])), (0, max(0, beyond[1]))), mode="edge")
    how = f"depth from the two eyes of {file.title}, which is the right one ({options.matcher})"
    return Scene(image, DepthMap(values), "; ".join((*pair.notes, how)), file)


def _from_network(image: Image, options: DepthOptions, file: PhotoFile) -> Scene:
    from depth3d.depth.estimator import estimate_with_distances, open_estimator
    from depth3d.geometry.background.frame import crop_frame, find_frame, pad_depth
    from depth3d.io.image.panorama import find_sphere
    from depth3d.io.image.read import flatten
    from depth3d.pipeline.eyes import refuse_anaglyph
    from depth3d.pipeline.sphere import sphere_depth

    if options.stereo:
        refuse_anaglyph(file, image)
    if file.enough is not None and max(image.size) >= 1.6 * file.enough:
        file.decoded.clear()  # the whole picture is needed no more
        image = image.resized(image.size.fit(file.enough))
    choices: dict[str, Any] = {
        "device": options.device,
        "engine": options.engine,
        "threads": options.threads,
        "precision": options.precision,
    }
    # The estimator is cached, so that opening it for its name costs nothing.
    name = open_estimator(options.model, **choices).card.name
    sphere, how = None if options.flat else find_sphere(file), f"depth from the network {name}"
    if sphere is None:
        flat = flatten(image)
        frame = find_frame(flat)  # bars and frames are in no statistic of the depth
        depth, distances = estimate_with_distances(crop_frame(flat, frame), options.model, **choices)
        depth = pad_depth(depth, frame)
    else:
        flat, distances = flatten(image), None
        depth = sphere_depth(flat, sphere, lambda whole: estimate_with_distances(whole, options.model, **choices)[0])
        how = f"{sphere.across:.0f} degrees across (by {sphere.how}; `flat=True` takes it for a flat photo); {how}"
    if options.invert_depth:
        depth, distances = depth.inverted(), None
    return Scene(image, depth, how, file, distances)
