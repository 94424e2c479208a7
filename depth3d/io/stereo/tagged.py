"""Packed stereo pictures known by the tags in their names: ``x_Full_SBS.jpg``, ``x_LR.png``, ``x_TB.jpg``."""

from __future__ import annotations

from depth3d.image import Image
from depth3d.io.image.photofile import PhotoFile
from depth3d.io.image.read import open_image
from depth3d.io.stereo.layouts import EyeLayout, confirms, named_layout, unpack_noted
from depth3d.io.stereo.registry import StereoFile

__all__ = ["FORMAT"]


def _detect(photo: PhotoFile) -> EyeLayout | None:
    if photo.path is None:
        return None
    image = open_image(photo)
    named = named_layout(photo.path, image.size, image)
    return named if named is not None and _halves_alike(named, image) else None


def _halves_alike(layout: EyeLayout, image: Image) -> bool:
    if min(image.size) < 4:
        return False
    pair = layout.unpack(image)
    return confirms(pair.left, pair.right)


FORMAT = StereoFile(
    "tagged",
    "side by side or top-bottom, named as players want it (SBS, LR, TB, OU, half or full)",
    (),
    _detect,
    lambda photo, layout: unpack_noted(layout, open_image(photo), "its name"),
    order=70,
)
