"""Depth of field, motion blur and camera shake, as sets of pinhole cameras.

The cameras sample the points of the aperture and the moments at which the shutter is open. The mean of their views in
linear light has depth of field and motion blur with correct occlusion (the accumulation buffer of Haeberli and Akeley,
SIGGRAPH 1990). All views of a lens share the plane of focus, so it stays sharp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera, CameraPath, inverse_distance, photo_to_view
from depth3d.errors import InvalidInput
from depth3d.geometry.camera.keyframes import camera_shake
from depth3d.geometry.camera.paths import largest_travel
from depth3d.image import Size
from depth3d.options import Quality

__all__ = ["ExposedPath", "Lens", "with_camera_shake"]

_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
_PLASTIC = 0.7548776662466927  # its multiples fill an interval evenly, out of step with the golden angle
DISC_SPACING = 2.0  # largest distance in pixels between two views' images of a point, if the limits below permit it
LINE_SPACING = 1.0
_MOST_VIEWS: dict[str, int] = {"draft": 24, "normal": 64, "high": 256}


@dataclass(frozen=True, slots=True)
class Lens:
    """Settings of the camera; all zero: a pinhole without shake.

    Raises ``InvalidInput`` for values outside their ranges.

    Parameters
    ----------
    bokeh : float
        Percent of the width. A point of depth v blurs to a disc this wide times ``|v - focus|``.
    shutter : float
        Degrees of a frame's time that the shutter is open, 360 = all of it.
    vignette : float
        Percent of the light that the corners lose.
    shake : float
        Camera shake: largest travel between nearest and farthest point that it adds, percent of the width.
    """

    bokeh: float = 0.0
    shutter: float = 0.0
    vignette: float = 0.0
    shake: float = 0.0

    def __post_init__(self) -> None:
        for name, most, unit in (
            ("bokeh", 20, "percent of the width"),
            ("shutter", 360, "degrees"),
            ("vignette", 95, "percent of the light"),
            ("shake", 20, "percent of the width"),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= most):
                raise InvalidInput(f"{name} {value:g}: expected 0 to {most} {unit}")

    @property
    def pinhole(self) -> bool:
        """True if a single view is the whole exposure."""
        return not (self.bokeh or self.shutter or self.vignette)


@dataclass(frozen=True, slots=True)
class ExposedPath:
    """A camera path with a lens and a shutter: the cameras whose mean is one frame.

    Parameters
    ----------
    path : CameraPath
        Path of the lens's center.
    photo : Camera
        The camera that took the photo.
    size : Size
        Size of the frames.
    lens : Lens
        Depth of field, shutter, vignette and shake.
    focus : float
        Depth that stays sharp.
    fps : float
        Frames per second.
    """

    path: CameraPath
    photo: Camera
    size: Size
    lens: Lens
    focus: float
    fps: float
    quality: Quality = "normal"

    def cameras(self, time: float, count: int) -> list[Camera]:
        """The ``count`` cameras whose mean is the frame at ``time``, each at its own lens point and moment."""
        number = np.arange(count)
        moments = (np.argsort(np.argsort(number * _PLASTIC % 1.0)) + 0.5) / count - 0.5
        points = lens_points(count) * self._radius
        return [
            self._from(self.path.at(time + moment * self._open_seconds), right, up)
            for moment, (right, up) in zip(moments, points, strict=True)
        ]

    def view_count(self) -> int:
        """Number of views per frame: enough for the blur's size in pixels, limited by the quality."""
        far_off = max(self.focus, 1 - self.focus)
        radius = self.lens.bokeh / 200 * far_off * self.size.width / DISC_SPACING
        disc = math.ceil(math.pi * radius**2) if radius else 0
        line = math.ceil(self._blurred_pixels() / LINE_SPACING) + 1 if self.lens.shutter else 0
        least = 7 if self.lens.bokeh else 1
        return min(max(disc, line, least), _MOST_VIEWS[self.quality])

    def largest_travel(self) -> tuple[float, float]:
        """Parallax and border as ``geometry.camera.paths.largest_travel`` defines them, over all points of the lens."""
        aspect = self.size.aspect
        if not self.lens.bokeh:
            return largest_travel(self.path, self.photo, aspect)
        reach = self._radius
        rim = [(reach, 0.0), (-reach, 0.0), (0.0, reach), (0.0, -reach)]
        found = [
            largest_travel(
                CameraPath(self.path.duration, lambda phase, at=at: self._from(self.path.motion(phase), *at)),  # type: ignore[misc]
                self.photo,
                aspect,
            )
            for at in rim
        ]
        return max(parallax for parallax, _ in found), max(border for _, border in found)

    @property
    def _radius(self) -> float:
        """Of the lens, in world units."""
        return self.lens.bokeh / 200 / (self.photo.focal(self.size.aspect) * (1 - FARTHEST_INVERSE))

    @property
    def _open_seconds(self) -> float:
        return self.lens.shutter / 360 / self.fps

    def _from(self, camera: Camera, right: float, up: float) -> Camera:
        return camera.aside(right, up, self.size.aspect, 1 / inverse_distance(self.focus))

    def _blurred_pixels(self) -> float:
        """The longest path of any point while the shutter is open."""
        places = np.array([(x, y, 1.0, inverse) for x in (0, 1) for y in (0, 1) for inverse in (FARTHEST_INVERSE, 1)])
        longest = 0.0
        for time in np.linspace(0, self.path.duration, 65):
            ways = [self._landed(places, time + half * self._open_seconds) for half in (-0.5, 0.5)]
            longest = max(longest, float(np.hypot(*(ways[1] - ways[0]).T).max()))
        return longest

    def _landed(self, places: NDArray[np.float64], time: float) -> NDArray[np.float64]:
        landed = places @ photo_to_view(self.photo, self.path.at(time), self.size.aspect).T
        pixels: NDArray[np.float64] = landed[:, :2] / np.maximum(landed[:, 2:], 1e-3) * tuple(self.size)
        return pixels


def lens_points(count: int) -> NDArray[np.float64]:
    """(count, 2) points spread evenly over the unit disc (Vogel's spiral), their mean at its center."""
    number = np.arange(count)
    radius, angle = np.sqrt((number + 0.5) / count), number * _GOLDEN_ANGLE
    points: NDArray[np.float64] = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
    points -= points.mean(0)
    return points


def with_camera_shake(path: CameraPath, photo: Camera, aspect: float, percent: float, focus: float) -> CameraPath:
    """``path`` with camera shake, which adds at most ``percent`` of the width to the travel of near against far."""
    if not percent:
        return path
    unit = percent / 100 / (photo.focal(aspect) * (1 - FARTHEST_INVERSE))

    def motion(phase: float) -> Camera:
        right, up = camera_shake(phase)
        return path.motion(phase).aside(right * unit, up * unit, aspect, 1 / inverse_distance(focus))

    return CameraPath(path.duration, motion, path.loop)
