"""Meshes: layers of the picture, split at depth discontinuities, for the GPU; and solid 3D meshes for files.

World space: right-handed, +X right, +Y up; the camera is at the origin and looks along -Z.
Picture space: (0, 0) = top-left corner of the photo, (1, 1) = bottom-right corner; a layer that
continues beyond the photo's border has positions outside [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import Camera
from depth3d.errors import InvalidInput
from depth3d.image import Image, Size, array_of

__all__ = ["Layer", "LayeredMesh", "Mesh"]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer of the picture: flat triangles with a depth per vertex, displaced by the vertex shader.

    Parameters
    ----------
    positions : NDArray[np.float32]
        (N, 2) float32, picture space.
    depth : NDArray[np.float32]
        (N,) float32 in [0, 1], normalized inverse depth, 1 = nearest.
    uv : NDArray[np.float32]
        (N, 2) float32, texture coordinates in ``texture``; (0, 0) = top-left. They differ from ``positions`` at depth
        discontinuities, where the color is read beside the pixels that mix foreground and background.
    faces : NDArray[np.uint32]
        (M, 3) uint32, counter-clockwise as seen by the camera.
    texture : Image
        Its colors; alpha, where present, is straight.
    """

    positions: NDArray[np.float32]
    depth: NDArray[np.float32]
    uv: NDArray[np.float32]
    faces: NDArray[np.uint32]
    texture: Image

    def __post_init__(self) -> None:
        _set(self, "positions", _array("Layer.positions", self.positions, np.float32, (None, 2)))
        count = len(self.positions)
        _set(self, "depth", _array("Layer.depth", self.depth, np.float32, (count,)))
        _set(self, "uv", _array("Layer.uv", self.uv, np.float32, (count, 2)))
        _set(self, "faces", _faces("Layer", self.faces, count))
        _check_type("Layer.texture", self.texture, Image)


@dataclass(frozen=True, slots=True, eq=False)
class LayeredMesh:
    """The layers of one photo, back to front, with the photo's size and camera.

    Parameters
    ----------
    layers : tuple[Layer, ...]
        At least one ``Layer``; index 0 = the farthest (the filled background).
    size : Size
        The photo's size in pixels; picture space (0..1, 0..1) covers exactly this.
    camera : Camera
        The camera that took the photo, at the origin; its field of view turns picture space and depth into world
        space.
    """

    layers: tuple[Layer, ...]
    size: Size
    camera: Camera = Camera()

    def __post_init__(self) -> None:
        if not isinstance(self.layers, tuple | list) or not self.layers:
            raise InvalidInput("LayeredMesh: no layers, expected at least one")
        for layer in self.layers:
            _check_type("LayeredMesh.layers", layer, Layer)
        _check_type("LayeredMesh.size", self.size, Size)
        _check_type("LayeredMesh.camera", self.camera, Camera)


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A solid textured triangle mesh in world space, for export to a file.

    Parameters
    ----------
    vertices : NDArray[np.float32]
        (N, 3) float32, world space, meters or scene units.
    faces : NDArray[np.uint32]
        (M, 3) uint32, counter-clockwise as seen by the camera.
    uv : NDArray[np.float32]
        (N, 2) float32, (0, 0) = top-left.
    texture : Image
        Its colors.
    name : str
        Name that a viewer displays ("foreground").
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.uint32]
    uv: NDArray[np.float32]
    texture: Image
    name: str = "mesh"

    def __post_init__(self) -> None:
        _set(self, "vertices", _array("Mesh.vertices", self.vertices, np.float32, (None, 3)))
        count = len(self.vertices)
        _set(self, "uv", _array("Mesh.uv", self.uv, np.float32, (count, 2)))
        _set(self, "faces", _faces("Mesh", self.faces, count))
        _check_type("Mesh.texture", self.texture, Image)
        _check_type("Mesh.name", self.name, str)


def _set(instance: object, name: str, value: NDArray[Any]) -> None:
    object.__setattr__(instance, name, value)


def _check_type(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise InvalidInput(f"{name}: got {type(value).__name__}, expected {kind.__name__}")


def _numbers(name: str, values: object, dtype: type) -> NDArray[Any]:
    """A contiguous array of ``dtype`` from array-like numbers."""
    array = array_of(values, name)
    if array.dtype.kind not in "fiu":
        raise InvalidInput(f"{name}: values are {array.dtype}, expected numbers")
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(array, dtype=dtype).view() if array.ndim else array.view()


def _array(name: str, values: NDArray[Any], dtype: type, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Array-like numbers as a read-only array of this shape; None = any length."""
    array = _numbers(name, values, dtype)
    if array.ndim != len(shape) or any(side not in (None, own) for side, own in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("N" if side is None else str(side) for side in shape)
        raise InvalidInput(f"{name}: shape {array.shape}, expected ({wanted})")
    if not np.isfinite(array).all():
        raise InvalidInput(f"{name}: holds NaN or infinite values, expected finite")
    array.flags.writeable = False
    return array


def _faces(name: str, faces: NDArray[Any], count: int) -> NDArray[np.uint32]:
    array: NDArray[np.uint32] = _numbers(f"{name}.faces", faces, np.uint32)
    if array.ndim != 2 or array.shape[1] != 3:
        raise InvalidInput(f"{name}.faces: shape {array.shape}, expected (M, 3)")
    if array.size and int(array.max()) >= count:
        raise InvalidInput(f"{name}.faces: index {int(array.max())}, expected below {count}")
    array.flags.writeable = False
    return array
