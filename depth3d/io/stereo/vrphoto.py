"""Google VR photos (``.vr.jpg``): the left eye is the JPEG, the right eye is in its extended XMP.

Source: Google's VR photo format (GPano and GImage namespaces).
"""

from __future__ import annotations

import base64
from pathlib import Path

from depth3d.errors import ReadError
from depth3d.image import Size
from depth3d.io.atomic import atomic_path
from depth3d.io.image.jpeg import insert_segments
from depth3d.io.image.panorama import GPANO
from depth3d.io.image.photofile import PhotoFile, Source, open_photo
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.image.xmp import decode_base64, xmp_segments
from depth3d.io.stereo.registry import StereoFile
from depth3d.stereopair import StereoPair

__all__ = ["FORMAT", "has_right_eye", "read_vr_photo", "write_vr_photo"]

_GIMAGE = "http://ns.google.com/photos/1.0/image/"


def write_vr_photo(pair: StereoPair, path: str | Path, *, degrees: float, force: bool = False) -> Path:
    """Write equirectangular eyes as a VR photo; return the path.

    Raises ``ExistsError`` or ``WriteError``.

    Parameters
    ----------
    pair : StereoPair
        Both eyes in equirectangular projection, the horizon in the middle row.
    path : str | Path
        The file to write.
    degrees : float
        Horizontal angle that the pictures span, at most 360.
    force : bool
        Replace an existing file.
    """
    left, right = (encode_image(eye, ".jpg", quality=92) for eye in (pair.left, pair.right))
    crop = {f"GPano:{name}": value for name, value in _crop(pair.size, degrees).items()}
    eye = {"GImage:Data": base64.b64encode(right).decode("ascii")}
    segments = xmp_segments(
        {"GPano": GPANO, "GImage": _GIMAGE},
        {**crop, "GImage:Mime": "image/jpeg"},
        extended=({"GImage": _GIMAGE}, eye),
    )
    with atomic_path(path, force=force) as temporary:
        temporary.write_bytes(insert_segments(left, segments))
    return Path(path)


def read_vr_photo(source: Source) -> StereoPair:
    """Read both eyes of a VR photo.

    Raises ``ReadError`` if it has no right eye inside or that is damaged.

    Parameters
    ----------
    source : Source
        The file.
    """
    photo = open_photo(source)
    encoded = _right_eye(photo)
    if encoded is None:
        raise ReadError(photo.name, "has no second eye in its XMP (GImage:Data)")
    data = decode_base64(encoded)
    if not data:
        raise ReadError(photo.name, "the second eye in its XMP is damaged")
    try:
        right = open_image(photo.partner(data))
    except ReadError as error:
        raise ReadError(photo.name, f"the second eye in its XMP is damaged: {error.reason}") from error
    left = open_image(photo)
    if left.size != right.size:
        raise ReadError(photo.name, f"its eyes have different sizes ({left.size} and {right.size})")
    return StereoPair(left, right)


def has_right_eye(source: Source) -> bool:
    """Return True if the XMP of a JPEG holds a second eye.

    Parameters
    ----------
    source : Source
        The file.
    """
    return _right_eye(open_photo(source)) is not None


def _right_eye(photo: PhotoFile) -> str | None:
    xmp = photo.xmp
    # Phones also keep a JPEG of other things there; a VR photo is a panorama, too.
    if not xmp.has(GPANO) or not xmp.value(_GIMAGE, "Mime"):
        return None
    return xmp.value(_GIMAGE, "Data")


def _crop(size: Size, degrees: float) -> dict[str, str]:
    """Where the picture lies on the whole sphere."""
    full = Size(round(size.width * 360 / degrees), round(size.width * 180 / degrees))
    return {
        "ProjectionType": "equirectangular",
        "CroppedAreaLeftPixels": str((full.width - size.width) // 2),
        "CroppedAreaTopPixels": str((full.height - size.height) // 2),
        "CroppedAreaImageWidthPixels": str(size.width),
        "CroppedAreaImageHeightPixels": str(size.height),
        "FullPanoWidthPixels": str(full.width),
        "FullPanoHeightPixels": str(full.height),
        "InitialViewHeadingDegrees": "180",
    }


FORMAT = StereoFile(
    "vr-photo",
    "Google VR photo: the right eye in the XMP of the left one",
    (".vr.jpg",),
    lambda photo: (photo.is_jpeg and has_right_eye(photo)) or None,
    lambda photo, _: read_vr_photo(photo),
    write_sphere=lambda pair, path, degrees, force: write_vr_photo(pair, path, degrees=degrees, force=force),
    other_suffixes=(".jpg", ".jpeg"),
    order=30,
)
