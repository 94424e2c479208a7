"""Field of view of a picture and pixel size of its half sphere, for VR180 and VR photos."""

from __future__ import annotations

import math

from depth3d.camera import Camera
from depth3d.image import Image, Size
from depth3d.options import StereoOptions

__all__ = ["degrees_across", "sphere_side"]


def degrees_across(options: StereoOptions, size: Size, photo: Image | None = None) -> float:
    """Horizontal field of view in degrees: as given, else from EXIF, else that of a typical phone."""
    if options.field_of_view is not None:
        camera = Camera(field_of_view=options.field_of_view)
    else:
        camera = Camera() if photo is None else Camera.of_photo(photo)
    return math.degrees(2 * math.atan(0.5 / camera.focal(size.aspect)))


def sphere_side(size: Size, across: float, largest: int = 4096) -> int:
    """Side of a half sphere in pixels that keeps the picture's resolution at its center; even, at least 1024."""
    density = size.width / (2 * math.tan(math.radians(across) / 2)) * math.pi
    return 2 * round(min(max(density, 1024), largest) / 2)
