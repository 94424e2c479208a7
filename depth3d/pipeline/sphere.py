"""Spherical pictures: seamless depth and two eyes of 360 and 180 degree photos; half spheres of flat ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.image import Image, Size
from depth3d.io.stereo.registry import implied_format
from depth3d.options import DepthOptions, StereoOptions
from depth3d.stereopair import StereoPair

if TYPE_CHECKING:
    from depth3d.io.image.panorama import Sphere
    from depth3d.io.image.photofile import PhotoFile

__all__ = [
    "continued",
    "degrees_across",
    "sphere_depth",
    "sphere_formats",
    "sphere_of",
    "sphere_pair",
    "sphere_side",
    "toward_poles",
    "without_seam",
]


def degrees_across(options: StereoOptions, size: Size, photo: Image | None = None) -> float:
    """Horizontal field of view in degrees: as given, else from EXIF, else that of a typical phone."""
    if options.field_of_view is not None:
        camera = Camera(field_of_view=options.field_of_view)
    else:
        camera = Camera() if photo is None else Camera.of_photo(photo)
    return camera.angles(size.aspect)[0]


def sphere_side(size: Size, across: float, largest: int = 4096) -> int:
    """Side of a half sphere in pixels that keeps the picture's resolution at its center; even, at least 1024."""
    density = size.width / (2 * math.tan(math.radians(across) / 2)) * math.pi
    return 2 * round(min(max(density, 1024), largest) / 2)


def sphere_of(photo: Path | PhotoFile, depth: DepthOptions) -> Sphere | None:
    """Return the part of the sphere that a photo covers, or None for flat photos and for ``flat=True``."""
    from depth3d.io.image.panorama import find_sphere

    return None if depth.flat else find_sphere(photo)


def sphere_formats(source: Path | PhotoFile, output: str | Path | None, names: str, depth: DepthOptions) -> str:
    """Return the formats to write: spherical photos become VR pictures unless another format is asked for.

    Parameters
    ----------
    source : Path | PhotoFile
        The photo.
    output : str | Path | None
        The output, whose suffix may ask for a format.
    names : str
        The formats of the options.
    depth : DepthOptions
        ``flat`` is used.
    """
    named = output is not None and implied_format(Path(output)) is not None
    if names != StereoOptions.format or named:
        return names
    sphere = sphere_of(source, depth)
    if sphere is None:
        return names
    return "vr360" if sphere.closed else "vr180"


def sphere_depth(image: Image, sphere: Sphere, estimate: Callable[[Image], DepthMap]) -> DepthMap:
    """Return the depth of a spherical photo; the left and right border of a closed one agree.

    The picture is continued over its seam by a quarter on each side, and both predictions of a place are blended.

    Parameters
    ----------
    image : Image
        The equirectangular picture.
    sphere : Sphere
        The part of the sphere that it covers.
    estimate : Callable[[Image], DepthMap]
        Predicts the depth of a picture.
    """
    if not sphere.closed:
        return estimate(image)
    more = image.size.width // 4
    found = estimate(continued(image, more)).resized(Size(image.size.width + 2 * more, image.size.height)).values
    result = without_seam(found, more)
    low, high = float(result.min()), float(result.max())
    return DepthMap(np.clip((result - low) / max(high - low, 1e-6), 0, 1).astype(np.float32))


def without_seam(found: NDArray[np.float32], more: int) -> NDArray[np.float32]:
    """Return values of a closed picture, (H, W), from those of its continuation, (H, W + 2 * more).

    Both values of a place near the seam are blended.
    """
    width = found.shape[1] - 2 * more
    result = found[:, more : more + width].copy()
    inner = (0.5 + 0.5 * (np.arange(more, dtype=np.float32) + 0.5) / more)[None, :]
    result[:, :more] = inner * result[:, :more] + (1 - inner) * found[:, more + width :]
    result[:, -more:] = inner[:, ::-1] * result[:, -more:] + (1 - inner[:, ::-1]) * found[:, :more]
    return result


def toward_poles(sphere: Sphere, height: int) -> NDArray[np.float32]:
    """Return the (height, 1) factor of the disparity: 1 up to 60 degrees of latitude, fading to 0 at the poles."""
    rows = (np.arange(height) + 0.5) / height
    latitude = np.abs(sphere.top + (sphere.bottom - sphere.top) * rows)
    calm = np.clip((90 - latitude) / 30, 0, 1)
    return np.asarray(calm * calm * (3 - 2 * calm), np.float32)[:, None]


def sphere_pair(image: Image, depth: DepthMap, sphere: Sphere, options: StereoOptions) -> StereoPair:
    """Render both eyes of a spherical photo: every point is shifted along its circle of latitude.

    The farthest point has no disparity, so that the eyes look parallel at it. The disparity fades to zero from
    60 degrees of latitude to the poles, where a shift would be a rotation.

    Parameters
    ----------
    image : Image
        The equirectangular picture.
    depth : DepthMap
        Its depth.
    sphere : Sphere
        The part of the sphere that it covers.
    options : StereoOptions
        ``eyes`` and ``quality`` are used; ``parallax`` is the disparity of the nearest point in percent of a view of
        90 degrees.
    """
    from depth3d.pipeline.views import stereo_pair

    width = image.size.width
    share = options.parallax * 90 / sphere.across / 100
    more = round(width * (2 * share + 0.05)) if sphere.closed else 0
    fading = toward_poles(sphere, image.size.height)
    values = np.pad(depth.resized(image.size).values * fading, ((0, 0), (more, more)), mode="wrap")
    whole = continued(image, more)
    pair = stereo_pair(
        whole, DepthMap(values), share * 100 * width / whole.size.width, 0.0, options.eyes, options.quality
    )
    return StereoPair(_middle(pair.left, more, width), _middle(pair.right, more, width))


def continued(image: Image, more: int) -> Image:
    """Continue a closed picture over its seam by ``more`` pixels on each side."""
    if not more:
        return image
    pixels = np.pad(image.pixels, ((0, 0), (more, more), (0, 0)), mode="wrap")
    alpha = None if image.alpha is None else np.pad(image.alpha, ((0, 0), (more, more)), mode="wrap")
    return Image(pixels, alpha)


def _middle(eye: Image, more: int, width: int) -> Image:
    alpha = None if eye.alpha is None else eye.alpha[:, more : more + width]
    return Image(np.ascontiguousarray(eye.pixels[:, more : more + width]), alpha)
