"""Half spheres for VR: how many degrees a picture covers, and how many pixels its half sphere needs."""

from __future__ import annotations

import math

from depth3d.camera import Camera
from depth3d.image import Image, Size
from depth3d.options import StereoOptions

__all__ = ["degrees_across", "sphere_side"]


def degrees_across(options: StereoOptions, size: Size, photo: Image | None = None) -> float:
    """Degrees that the picture covers across its width: as told, from EXIF, or what a phone sees."""
    if options.field_of_view is not None:
        camera = Camera(field_of_view=options.field_of_view)
    else:
        camera = Camera() if photo is None else Camera.of_photo(photo)
    return math.degrees(2 * math.atan(0.5 / camera.focal(size.aspect)))


def sphere_side(size: Size, across: float, largest: int = 4096) -> int:
    """Pixels of a half sphere's side that keep the picture's sharpness in its middle; even, 1024 at least."""
    density = size.width / (2 * math.tan(math.radians(across) / 2)) * math.pi
    return 2 * round(min(max(density, 1024), largest) / 2)
