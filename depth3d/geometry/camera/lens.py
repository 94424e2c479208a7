"""What a real camera does to one picture: a lens with an aperture, a shutter that stays open, a hand that trembles.

All are cameras again. A lens sees from every point of its disc, a shutter at every moment it is open; the mean of
these views, in linear light, has depth of field and motion blur that respect what hides what (the accumulation
buffer of Haeberli and Akeley, SIGGRAPH 1990). The plane of focus is the same in all views of a lens, so it stays sharp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera, CameraPath, inverse_distance, photo_to_view
from depth3d.errors import InvalidInput
from depth3d.geometry.camera.keyframes import tremble
from depth3d.geometry.camera.paths import largest_travel
from depth3d.image import Size
from depth3d.options import Quality

__all__ = ["Lens", "Shot", "trembling"]

_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
_PLASTIC = 0.7548776662466927  # its multiples fill an interval evenly, out of step with the golden angle
DISC_SPACING = 2.0  # pixels between the views' images of a point at most, where the limits below allow
LINE_SPACING = 1.0
_MOST_VIEWS: dict[str, int] = {"draft": 24, "normal": 64, "high": 256}


@dataclass(frozen=True, slots=True)
class Lens:
    """What is asked of the camera; all zero: a pinhole on rails, as before.

    Raises ``InvalidInput`` for values outside their ranges.

    Parameters
    ----------
    bokeh : float
        Percent of the width. A point of depth v blurs to a disc this wide times ``|v - focus|``.
    shutter : float
        Degrees of a frame's time that the shutter is open, 360 = all of it.
    vignette : float
        Percent of the light that the corners lose.
    tremble : float
        Percent of the width by which nearest and farthest part as the hand trembles, at most.
    """

    bokeh: float = 0.0
    shutter: float = 0.0
    vignette: float = 0.0
    tremble: float = 0.0

    def __post_init__(self) -> None:
        for name, most, unit in (
            ("bokeh", 20, "percent of the width"),
            ("shutter", 360, "degrees"),
            ("vignette", 95, "percent of the light"),
            ("tremble", 20, "percent of the width"),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= most):
                raise InvalidInput(f"{name} {value:g}: expected 0 to {most} {unit}")

    @property
    def pinhole(self) -> bool:
        """One view is the picture."""
        return not (self.bokeh or self.shutter or self.vignette)


@dataclass(frozen=True, slots=True)
class Shot:
    """A path seen through a lens.

    Parameters
    ----------
    path : CameraPath
        Of the lens's centre.
    photo : Camera
        The camera that took the photo.
    size : Size
        Of the frames.
    lens : Lens
        What to add.
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
        """The ``count`` views whose mean is the frame at ``time``: every one another lens point and moment."""
        number = np.arange(count)
        moments = (np.argsort(np.argsort(number * _PLASTIC % 1.0)) + 0.5) / count - 0.5
        points = lens_points(count) * self._radius
        return [
            self._from(self.path.at(time + moment * self._open_seconds), right, up)
            for moment, (right, up) in zip(moments, points, strict=True)
        ]

    def view_count(self) -> int:
        """How many views look like a continuum: by the blur's pixels, bounded by the quality."""
        far_off = max(self.focus, 1 - self.focus)
        radius = self.lens.bokeh / 200 * far_off * self.size.width / DISC_SPACING
        disc = math.ceil(math.pi * radius**2) if radius else 0
        line = math.ceil(self._blurred_pixels() / LINE_SPACING) + 1 if self.lens.shutter else 0
        least = 7 if self.lens.bokeh else 1
        return min(max(disc, line, least), _MOST_VIEWS[self.quality])

    def largest_travel(self) -> tuple[float, float]:
        """Parallax and border as of ``geometry.paths.largest_travel``, from anywhere on the lens."""
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
        """The longest way of any point while the shutter is open."""
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
    """(count, 2) points spread evenly over the unit disc (Vogel's spiral), their mean at its centre."""
    number = np.arange(count)
    radius, angle = np.sqrt((number + 0.5) / count), number * _GOLDEN_ANGLE
    points: NDArray[np.float64] = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
    points -= points.mean(0)
    return points


def trembling(path: CameraPath, photo: Camera, aspect: float, percent: float, focus: float) -> CameraPath:
    """``path`` held by a hand; nearest and farthest part by at most ``percent`` of the width more."""
    if not percent:
        return path
    unit = percent / 100 / (photo.focal(aspect) * (1 - FARTHEST_INVERSE))

    def motion(phase: float) -> Camera:
        right, up = tremble(phase)
        return path.motion(phase).aside(right * unit, up * unit, aspect, 1 / inverse_distance(focus))

    return CameraPath(path.duration, motion, path.loop)
