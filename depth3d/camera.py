"""Pinhole cameras with a pose and an off-axis frustum, and camera paths over time.

World space: right-handed, +X right, +Y up. The camera that took the photo is at the origin and looks
along -Z; the nearest point of the photo is at distance 1, the farthest at ``1 / FARTHEST_INVERSE``.
A point of depth v (0..1, 1 = nearest) has the inverse distance ``inverse_distance(v)``, linear in v, so
that a sideways move shifts every pixel by an amount exactly linear in its depth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depth3d.errors import InvalidInput
from depth3d.image import Image
from depth3d.quantities import described, is_number

__all__ = ["FARTHEST_INVERSE", "Camera", "CameraPath", "inverse_distance", "photo_to_view"]

# Normalized inverse depth 0 means "the farthest point", not "infinitely far", so the ratio of nearest to farthest
# distance is unknown. It only affects forward moves and rotations; sideways moves do not depend on it.
FARTHEST_INVERSE = 0.1
DEFAULT_VIEW_DEGREES = 53.0
FILM_WIDTH_MM = 36.0


def inverse_distance(depth: float) -> float:
    """Convert depth v in [0, 1] to 1 / distance in [FARTHEST_INVERSE, 1]."""
    return FARTHEST_INVERSE + (1.0 - FARTHEST_INVERSE) * depth


def _are_numbers(values: object, count: int) -> bool:
    if isinstance(values, np.ndarray) and values.ndim == 0:
        return False
    return isinstance(values, tuple | list | np.ndarray) and len(values) == count and all(map(is_number, values))


@dataclass(frozen=True, slots=True)
class Camera:
    """One pinhole camera. The default is the camera that took the photo.

    Parameters
    ----------
    position : tuple[float, float, float]
        (x, y, z) in world space; the camera that took the photo is at (0, 0, 0).
    rotation : tuple[float, float, float]
        (yaw, pitch, roll) in degrees: turned to the left, up, counter-clockwise; yaw is applied last.
    field_of_view : float
        Degrees across the longer side of the picture.
    shift : tuple[float, float]
        Off-axis frustum (a shift lens), in picture widths and heights: (0.1, 0) moves the whole picture to the right
        by a tenth of its width. Parallel axes with a shift avoid keystone distortion.
    zoom : float
        Magnification about the center, 1 = no magnification.
    """

    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    field_of_view: float = DEFAULT_VIEW_DEGREES
    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0

    def __post_init__(self) -> None:
        for name, count in (("position", 3), ("rotation", 3), ("field_of_view", 0), ("shift", 2), ("zoom", 0)):
            value = getattr(self, name)
            if not (is_number(value) if not count else _are_numbers(value, count)):
                what = f"{count} numbers" if count else "a number"
                raise InvalidInput(f"Camera: {name} is {described(value)}, expected {what}")
        values = (*self.position, *self.rotation, self.field_of_view, *self.shift, self.zoom)
        if not all(math.isfinite(value) for value in values):
            raise InvalidInput(f"Camera: {self!r} holds NaN or infinite values, expected finite")
        if not 1 <= self.field_of_view <= 170 or not self.zoom > 0:
            raise InvalidInput(
                f"Camera: field_of_view {self.field_of_view:g} and zoom {self.zoom:g}, expected 1..170 degrees and > 0"
            )

    @classmethod
    def of_photo(cls, image: Image) -> Camera:
        """Return the camera of a photo: field of view from EXIF (35 mm equivalent), else 53 degrees.

        Parameters
        ----------
        image : Image
            The photo, as it was opened.
        """
        if image.focal_35mm is None or not image.focal_35mm > 0:
            return cls()
        degrees = 2 * math.degrees(math.atan(FILM_WIDTH_MM / 2 / image.focal_35mm))
        return cls(field_of_view=min(max(degrees, 5.0), 140.0))

    def focal(self, aspect: float) -> float:
        """Return the focal length in picture widths.

        Parameters
        ----------
        aspect : float
            Width / height of the picture.
        """
        longer = 0.5 / math.tan(math.radians(self.field_of_view) / 2)
        return longer * max(aspect, 1.0) / aspect

    def angles(self, aspect: float) -> tuple[float, float]:
        """Return the horizontal and the vertical field of view, degrees.

        Parameters
        ----------
        aspect : float
            Width / height of the picture.
        """
        focal = self.focal(aspect)
        return (
            2 * math.degrees(math.atan(0.5 / focal)),
            2 * math.degrees(math.atan(0.5 / (focal * aspect))),
        )

    def matrix(self, aspect: float) -> NDArray[np.float64]:
        """Return the (3, 4) matrix from a homogeneous world point (X, Y, Z, 1) to a homogeneous picture point.

        The picture point is (x, y, w) with x / w in widths from the left and y / w in heights from the
        top; w is the distance along the optical axis. For scaled points (X, Y, Z, 1) / distance, w is 1 if the
        camera is not moved.

        Parameters
        ----------
        aspect : float
            Width / height of the picture.
        """
        focal = self.focal(aspect) * self.zoom
        intrinsic = np.array(
            [
                [focal, 0.0, -(0.5 + self.shift[0])],
                [0.0, -focal * aspect, -(0.5 + self.shift[1])],
                [0.0, 0.0, -1.0],
            ]
        )
        turn = _rotation(self.rotation).T
        place = -turn @ np.asarray(self.position, dtype=np.float64)
        return intrinsic @ np.column_stack([turn, place])

    def aside(self, right: float, up: float, aspect: float, still: float) -> Camera:
        """Return the camera moved parallel to its picture plane, with a lens shift that keeps one scene plane fixed.

        Parameters
        ----------
        right, up : float
            Movement in world units.
        aspect : float
            Width / height of the picture.
        still : float
            Distance of the fixed plane from the camera that took the photo, in world units.
        """
        turn = _rotation(self.rotation)
        x, y, z = np.asarray(self.position) + turn @ (right, up, 0.0)
        ahead = -float((turn.T @ (np.array([0.0, 0.0, -still]) - self.position))[2])
        focal = self.focal(aspect) * self.zoom / max(ahead, 0.05)
        shift = (self.shift[0] + focal * right, self.shift[1] - focal * aspect * up)
        return replace(self, position=(float(x), float(y), float(z)), shift=shift)


@dataclass(frozen=True, slots=True)
class CameraPath:
    """A camera that moves over time.

    Parameters
    ----------
    duration : float
        Seconds of one loop.
    motion : Callable[[float], Camera]
        Function from the phase in [0, 1) to the ``Camera``.
    loop : bool
        True: periodic, with a continuous first derivative; ``at(0)`` equals ``at(duration)``. False: the camera stays
        at its last position after the end.
    """

    duration: float
    motion: Callable[[float], Camera]
    loop: bool = True

    def __post_init__(self) -> None:
        if not is_number(self.duration):
            raise InvalidInput(f"CameraPath: duration is {described(self.duration)}, expected seconds > 0")
        if not callable(self.motion):
            raise InvalidInput(f"CameraPath: motion is {described(self.motion)}, expected a function")
        if not (math.isfinite(self.duration) and self.duration > 0):
            raise InvalidInput(f"CameraPath: duration is {self.duration}, expected seconds > 0")

    def at(self, time: float) -> Camera:
        """Return the camera at a time.

        Parameters
        ----------
        time : float
            Seconds from the start. After ``duration`` a loop repeats; other paths return their last camera.
        """
        phase = time / self.duration
        return self.motion(phase % 1.0 if self.loop else min(max(phase, 0.0), 1.0))


def photo_to_view(photo_camera: Camera, camera: Camera, aspect: float) -> NDArray[np.float64]:
    """Return a (3, 4) matrix from (x, y, 1, inverse distance) of a photo's point to (x, y, w) in ``camera``'s picture.

    ``photo_camera`` took the photo and is at the origin; x, y in picture space.
    """
    focal = photo_camera.focal(aspect)
    to_world = np.array(
        [
            [1 / focal, 0, -0.5 / focal, 0],
            [0, -1 / (focal * aspect), 0.5 / (focal * aspect), 0],
            [0, 0, -1, 0],
            [0, 0, 0, 1],
        ]
    )
    moved: NDArray[np.float64] = camera.matrix(aspect) @ to_world
    return moved


def _rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    """Camera-to-world rotation of (yaw, pitch, roll): R_y(yaw) R_x(pitch) R_z(roll)."""
    yaw, pitch, roll = (math.radians(value) for value in degrees)
    turn_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    turn_x = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]])
    turn_z = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    return np.asarray(turn_y @ turn_x @ turn_z)
