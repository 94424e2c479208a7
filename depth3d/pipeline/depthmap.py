"""Write a photo's depth map to files, exactly as the renderer uses it."""

from __future__ import annotations

from pathlib import Path

from depth3d.errors import InvalidInput
from depth3d.options import DepthMapOptions, DepthOptions
from depth3d.pipeline.scene import Scene, load_scene

__all__ = ["depth_target", "save_depth"]


def depth_target(photo: Path, output: Path | None = None) -> Path:
    """Where the depth map goes: NAME_depth.png beside the photo, in the folder ``output``, or the file ``output``."""
    if output is None:
        return photo.with_name(f"{photo.stem}_depth.png")
    return output / f"{photo.stem}_depth.png" if output.is_dir() else output


def save_depth(
    photo: str | Path,
    output: str | Path | None = None,
    options: DepthMapOptions | None = None,
    depth: DepthOptions | None = None,
    *,
    preview: bool = False,
    force: bool = False,
) -> tuple[list[Path], Scene]:
    """Write the depth map of a photo; return the paths written, the map first, and the scene.

    Where the map belongs to a part of the file only (the left eye of a stereo picture), that part is written beside it
    as ``NAME_left.jpg``.

    Raises ``ExistsError`` before any work is done, and any other ``Depth3DError``.

    Parameters
    ----------
    photo : str | Path
        Any picture.
    output : str | Path | None
        A file (.png .tif 16 bits; .jpg .webp 8 bits; .npy .pfm .exr float32) or a folder; default ``NAME_depth.png``
        beside the photo.
    options : DepthMapOptions | None
        Heat map, Facebook pair, or the photo with its depth inside (``embed``: ``NAME_gdepth.jpg``).
    depth : DepthOptions | None
        Where the depth comes from. A depth map that is about to be replaced is not read as the photo's depth.
    preview : bool
        Also write ``NAME_depth_preview.jpg``: photo, depth and heat map side by side.
    """
    from depth3d.io.atomic import refuse_existing
    from depth3d.io.depth.embed import write_embedded
    from depth3d.io.depth.facebook import facebook_names, write_facebook_pair
    from depth3d.io.depth.write import contact_picture, write_depth
    from depth3d.io.image.read import save_image

    photo, options = Path(photo), options or DepthMapOptions()
    target = depth_target(photo, None if output is None else Path(output))
    if options.embed:
        target = _embed_target(photo, options.embed, None if output is None else Path(output))
    elif options.facebook:
        first = None if output is None else target.with_name(target.stem.removesuffix("_depth") + ".jpg")
        target = facebook_names(photo, first)[1]
    sheet = target.with_name(f"{target.stem}_preview.jpg")
    for path in (target, sheet) if preview else (target,):
        refuse_existing(path, force=force)
    scene = load_scene(photo, depth, ignore=target)
    if options.facebook and scene.part:
        # The pair is the scene's picture, which is only a part of the file.
        target = facebook_names(photo, first, part=True)[1]
        refuse_existing(target, force=force)
    if options.embed:
        source = None if scene.file is None else scene.file.data
        written = [write_embedded(scene.image, scene.depth, target, options.embed, source=source, force=force)]
    elif options.facebook:
        image, partner = write_facebook_pair(scene.image, scene.depth, photo, first, part=bool(scene.part), force=force)
        written = [partner, image]
    else:
        written = [write_depth(scene.depth, target, heatmap=options.heatmap, force=force)]
        if scene.part:
            written.append(_part_picture(scene, photo, target, force=force))
    if preview:
        picture = contact_picture(scene.image, scene.depth, heatmap=options.heatmap or "inferno")
        written.append(save_image(picture, sheet, force=force))
    return written, scene


def _part_picture(scene: Scene, photo: Path, target: Path, *, force: bool) -> Path:
    """Write the picture that the map belongs to beside it (NAME_left.jpg); one that is there already is kept."""
    from depth3d.io.image.read import save_image

    path = target.with_name(f"{photo.stem}_{scene.part}.jpg")
    if path.exists() and not force:
        return path
    return save_image(scene.image, path, force=force)


def _embed_target(photo: Path, kind: str, output: Path | None) -> Path:
    """NAME_gdepth.jpg or NAME_dynamic.jpg: beside the photo, in the folder ``output``, or the file ``output``."""
    name = f"{photo.stem}_{kind}.jpg"
    if output is None:
        return photo.with_name(name)
    if output.is_dir():
        return output / name
    if output.suffix.lower() not in (".jpg", ".jpeg"):
        raise InvalidInput(f"{output}: --embed writes a JPEG; name it .jpg")
    return output
