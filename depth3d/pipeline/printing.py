"""Turns a photo into a solid for 3D printers: a relief of its depth, or a lithophane of its brightness."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidOption
from depth3d.geometry.mesh.plate import solid_plate
from depth3d.image import Image, Size, linear_to_srgb
from depth3d.io.image.read import flatten
from depth3d.io.printing import PRINT_SUFFIXES, write_print
from depth3d.options import MeshOptions

__all__ = ["check_print_options", "is_print", "print_lithophane", "print_relief", "wants_print"]

# Millimeters: heights of the relief, and thickness of the plate under it (of a lithophane: at its brightest).
RELIEF_MM, BASE_MM = 4.0, 1.5
LITHOPHANE_MM, LITHOPHANE_BASE_MM = 2.2, 0.8
SIZE_MM = 100.0
# Grid points per millimeter: half the width of the usual nozzle of 0.4 mm.
_FINENESS = 5.0
_MOST = 1024
_PRINT_OPTIONS = ("relief_mm", "base_mm", "size_mm", "lithophane")
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear light, ITU-R BT.709


def wants_print(options: MeshOptions) -> bool:
    """Whether options for 3D prints are given."""
    return any(getattr(options, name) not in (None, False) for name in _PRINT_OPTIONS)


def is_print(target: Path) -> bool:
    """Whether a file name is one of a format for 3D printers."""
    return target.suffix.lower() in PRINT_SUFFIXES


def check_print_options(target: Path, options: MeshOptions) -> None:
    """Raise ``InvalidOption`` if options for prints are given for another format, or the other way round."""
    if not is_print(target):
        for name in _PRINT_OPTIONS:
            if getattr(options, name) not in (None, False):
                raise InvalidOption(name, f"applies to {' and '.join(PRINT_SUFFIXES)} files only; not to {target.name}")
        return
    for name in ("near", "texture"):
        if getattr(options, name) is not None:
            raise InvalidOption(name, f"does not apply to a print ({target.name}); its measures are `size_mm` and more")


def print_relief(depth: DepthMap, target: Path, options: MeshOptions, *, force: bool = False) -> Path:
    """Write a relief: the nearest point is ``relief_mm`` above the farthest, inverse depth in between."""
    grid = cv2.resize(depth.values, tuple(_grid(depth.size, options)), interpolation=cv2.INTER_AREA)
    low, high = float(grid.min()), float(grid.max())
    share = (grid - low) / max(high - low, 1e-6)
    return _write(share, target, options, (RELIEF_MM, BASE_MM), force=force)


def print_lithophane(image: Image, target: Path, options: MeshOptions, *, force: bool = False) -> Path:
    """Write a lithophane: thin where the picture is bright, ``relief_mm`` thicker where it is black.

    The thickness follows the sRGB code of the luminance. Plastic dims light exponentially with its thickness, and the
    code is near the logarithm of the light, so that tones come out about evenly.
    """
    size = _grid(image.size, options)
    linear = flatten(image).resized(size).linear()
    gray = linear_to_srgb((linear @ _LUMINANCE).astype(np.float32))
    return _write(1 - gray, target, options, (LITHOPHANE_MM, LITHOPHANE_BASE_MM), force=force)


def _grid(size: Size, options: MeshOptions) -> Size:
    longest = options.detail or min(_MOST, max(16, round((options.size_mm or SIZE_MM) * _FINENESS)))
    fitted = size.fit(longest) if max(size) >= longest else size
    return Size(max(fitted.width, 2), max(fitted.height, 2))


def _write(
    share: NDArray[np.float32], target: Path, options: MeshOptions, usual: tuple[float, float], *, force: bool
) -> Path:
    relief = usual[0] if options.relief_mm is None else options.relief_mm
    base = usual[1] if options.base_mm is None else options.base_mm
    rows, columns = share.shape
    width = (options.size_mm or SIZE_MM) * (columns - 1) / (max(rows, columns) - 1)
    heights = (base + relief * np.clip(share, 0, 1)).astype(np.float32)
    plate = solid_plate(heights, width)
    return write_print(plate.vertices, plate.faces, target, force=force)
