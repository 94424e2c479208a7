"""Write the depth map of a photo to files, as the renderer uses it."""

from __future__ import annotations

from pathlib import Path

from depth3d.options import DepthMapOptions, DepthOptions
from depth3d.pipeline.scene import Scene, load_scene
from depth3d.pipeline.targets import check_suffix, target_for

__all__ = ["depth_files", "save_depth"]


def depth_files(photo: Path, output: str | Path | None, options: DepthMapOptions) -> tuple[Path, ...]:
    """Return the files that ``save_depth`` writes, the depth map first.

    Raises ``InvalidOption`` for a suffix that is not a depth format.
    """
    from depth3d.io.depth.facebook import facebook_names
    from depth3d.io.depth.registry import depth_formats

    writable = [suffix for kind in depth_formats() if kind.write is not None for suffix in kind.suffixes]
    target = target_for(photo, output, f"{photo.stem}_depth.png")
    if options.embed:
        target = target_for(photo, output, f"{photo.stem}_{options.embed}.jpg")
        check_suffix(target, (".jpg", ".jpeg"), "a photo with its depth inside")
    elif options.facebook:
        target = facebook_names(photo, _facebook_photo(photo, output))[1]
    else:
        check_suffix(target, list(dict.fromkeys(writable)), "depth maps")
    sheet = target.with_name(f"{target.stem}_preview.jpg")
    return (target, sheet) if options.preview else (target,)


def _facebook_photo(photo: Path, output: str | Path | None) -> Path | None:
    """Return the path of the photo of a Facebook pair, or None for the photo itself."""
    if output is None:
        return None
    named = target_for(photo, output, f"{photo.stem}_depth.png")
    return named.with_name(named.stem.removesuffix("_depth") + ".jpg")


def save_depth(
    photo: str | Path,
    output: str | Path | None = None,
    options: DepthMapOptions | None = None,
    depth: DepthOptions | None = None,
    *,
    force: bool = False,
) -> tuple[list[Path], Scene]:
    """Write the depth map of a photo; return the paths written, the map first, and the scene.

    If the map belongs only to a part of the file (the left eye of a stereo picture), that part is written next to it as
    ``NAME_left.jpg``.

    Raises ``ExistsError`` before any work is done, and any other ``Depth3DError``.

    Parameters
    ----------
    photo : str | Path
        Any picture.
    output : str | Path | None
        A file (.png .tif 16 bits; .jpg .webp 8 bits; .npy .pfm .exr float32) or a folder; default ``NAME_depth.png``
        in the folder of the photo.
    options : DepthMapOptions | None
        Heat map, Facebook pair, or the photo with embedded depth (``embed``: ``NAME_gdepth.jpg``); ``preview`` also
        writes ``NAME_depth_preview.jpg``: photo, depth and heat map side by side.
    depth : DepthOptions | None
        Source of the depth. A depth map that will be overwritten is not read.
    """
    from depth3d.io.atomic import refuse_existing
    from depth3d.io.depth.embed import write_embedded
    from depth3d.io.depth.facebook import facebook_names, write_facebook_pair
    from depth3d.io.depth.write import contact_picture, write_depth
    from depth3d.io.image.read import save_image

    photo, options = Path(photo), options or DepthMapOptions()
    target, *sheets = files = depth_files(photo, output, options)
    for path in files:
        refuse_existing(path, force=force)
    scene = load_scene(photo, depth, ignore=target)
    if options.facebook and scene.part:
        # The photo of the pair is the picture of the scene, only a part of the file.
        target = facebook_names(photo, _facebook_photo(photo, output), part=True)[1]
        refuse_existing(target, force=force)
    if options.embed:
        source = None if scene.file is None else scene.file.data
        written = [write_embedded(scene.image, scene.depth, target, options.embed, source=source, force=force)]
    elif options.facebook:
        first = _facebook_photo(photo, output)
        image, partner = write_facebook_pair(scene.image, scene.depth, photo, first, part=bool(scene.part), force=force)
        written = [partner, image]
    else:
        written = [write_depth(scene.depth, target, heatmap=options.heatmap, force=force)]
        if scene.part:
            written.append(_part_picture(scene, photo, target, force=force))
    for sheet in sheets:
        picture = contact_picture(scene.image, scene.depth, heatmap=options.heatmap or "inferno")
        written.append(save_image(picture, sheet, force=force))
    return written, scene


def _part_picture(scene: Scene, photo: Path, target: Path, *, force: bool) -> Path:
    """Write the picture that the map belongs to (NAME_left.jpg); keep an existing file."""
    from depth3d.io.image.read import save_image

    path = target.with_name(f"{photo.stem}_{scene.part}.jpg")
    if path.exists() and not force:
        return path
    return save_image(scene.image, path, force=force)
