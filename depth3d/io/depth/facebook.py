"""The pair of files that Facebook takes for a 3D photo: ``NAME.jpg`` and ``NAME_depth.jpg``."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageCms

from depth3d.depthmap import DepthMap
from depth3d.image import Image, Size
from depth3d.io.atomic import atomic_path, refuse_existing
from depth3d.io.depth.picture import gray_picture
from depth3d.io.image.exif import read_exif
from depth3d.io.image.read import encode_image, flatten

__all__ = ["facebook_names", "write_facebook_pair"]

_SMALLEST = 640  # long side; pictures below 400 x 500 are known to come out wrong


def facebook_names(photo: Path, output: Path | None = None, *, part: bool = False) -> tuple[Path, Path]:
    """Return the names of the pair: beside the photo, or under the name ``output``.

    A JPEG that Facebook takes as it is (upright, sRGB, large enough) stays and only its depth is written. Any other
    photo whose name equals that of the pair is not touched either: the pair is NAME_facebook.jpg.

    Parameters
    ----------
    photo : Path
        The photo's file.
    output : Path | None
        The first file of the pair, if not beside the photo.
    part : bool
        The picture of the pair is only a part of the file: the left eye of a stereo picture.
    """
    first = (output or photo).with_suffix(".jpg")
    if first.exists() and first.samefile(photo) and (part or not _is_fit(photo)):
        first = first.with_name(f"{first.stem}_facebook.jpg")
    return first, first.with_name(f"{first.stem}_depth.jpg")


def write_facebook_pair(
    image: Image,
    depth: DepthMap,
    photo: Path,
    output: Path | None = None,
    *,
    part: bool = False,
    force: bool = False,
) -> tuple[Path, Path]:
    """Write the pair and return both paths; see ``facebook_names`` for their names.

    Both have the same size and are upright 8-bit JPEGs in sRGB without a profile, white = near; photos below 640 pixels
    are enlarged. The user's own file is never replaced.

    Parameters
    ----------
    image : Image
        The scene's picture.
    depth : DepthMap
        Its depth, of any size.
    photo : Path
        The photo's file.
    output : Path | None
        The first file of the pair, if not beside the photo.
    part : bool
        ``image`` is only a part of the file.
    force : bool
        Replace existing files.
    """
    first, second = facebook_names(photo, output, part=part)
    own = first.exists() and first.samefile(photo)
    for target in (second,) if own else (first, second):
        refuse_existing(target, force=force)
    scale = 1.0 if own else max(1.0, _SMALLEST / max(image.size))
    size = Size(round(image.size.width * scale), round(image.size.height * scale))
    gray = encode_image(gray_picture(depth.resized(size)), ".jpg", name=second)
    if not own:
        pixels = flatten(image.eight_bit()).resized(size)
        with atomic_path(first, force=force) as temporary:
            temporary.write_bytes(encode_image(pixels, ".jpg", name=first))
    with atomic_path(second, force=force) as temporary:
        temporary.write_bytes(gray)
    return first, second


def _is_fit(photo: Path) -> bool:
    """Whether the file is an upright sRGB JPEG that is large enough."""
    with Pillow.open(photo) as picture:
        if picture.format not in ("JPEG", "MPO") or picture.mode not in ("RGB", "L"):
            return False
        profile = picture.info.get("icc_profile")
        return read_exif(picture)[1] == 1 and max(picture.size) >= _SMALLEST and _is_srgb(profile)


def _is_srgb(profile: bytes | None) -> bool:
    if not profile:
        return True
    try:
        return "sRGB" in (ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.profile_description or "")
    except (OSError, ImageCms.PyCMSError):
        return False
