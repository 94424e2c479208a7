"""Named camera paths: circle, swing, orbit, dolly, zoom, push.

All are periodic with a continuous velocity. ``amount`` has the same meaning for all: the largest relative travel, in
percent of the picture's width, of the nearest against the farthest point over the path. Every photo and every path
therefore has the same visible parallax. The focus depth does not move.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera, CameraPath, inverse_distance, photo_to_view
from depth3d.errors import InvalidInput

__all__ = ["PATHS", "largest_travel", "named_path"]

_RANGE = 1 - FARTHEST_INVERSE


def named_path(name: str, photo: Camera, aspect: float, *, amount: float, seconds: float, focus: float) -> CameraPath:
    """Return the camera path of this name, one of ``PATHS``, for a photo.

    Raises ``InvalidInput`` for an unknown name.

    Parameters
    ----------
    photo : Camera
        The camera that took it.
    aspect : float
        Its width / height.
    amount : float
        Largest travel of the nearest against the farthest point, percent of the width.
    seconds : float
        Duration of one loop.
    focus : float
        Depth in [0, 1] that does not move.
    """
    if name not in PATHS:
        raise InvalidInput(f"path {name!r}: expected one of {', '.join(PATHS)}, or a JSON file")
    return CameraPath(seconds, PATHS[name](photo, aspect, amount / 100, focus))


def largest_travel(path: CameraPath, photo: Camera, aspect: float) -> tuple[float, float]:
    """Largest parallax and largest view beyond the border over a path, in percent of the width.

    Returns
    -------
    parallax: largest travel between nearest and farthest point, compared with the photo itself.
    border: largest extent of a view beyond the photo's border.
    """
    edge = np.linspace(0, 1, 5)
    places = np.array([(x, y) for x in edge for y in edge])
    corners = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
    views = np.stack([photo_to_view(photo, path.motion(float(phase)), aspect) for phase in np.linspace(0, 1, 65)])
    far, near = (_seen(views, places, inverse) for inverse in (FARTHEST_INVERSE, 1.0))
    away = (near - far) * (1, 1 / aspect)
    parallax = float(np.hypot(away[..., 0], away[..., 1]).max())
    border = 0.0
    for inverse in (FARTHEST_INVERSE, 1.0):
        # If a corner of the photo lands inside a view, the view extends beyond the photo there.
        landed = (_seen(views, corners, inverse) - corners) * np.where(corners > 0, -1, 1)
        border = max(border, float((landed * (1, 1 / aspect)).max()))
    return 100 * parallax, 100 * border


def _seen(views: NDArray[np.float64], places: NDArray[np.float64], inverse: float) -> NDArray[np.float64]:
    """(V, N, 2): the points of the photo (N, 2), at one distance, in each of the views (V, 3, 4)."""
    points = np.column_stack([places, np.ones(len(places)), np.full(len(places), inverse)])
    landed = points @ views.transpose(0, 2, 1)
    result: NDArray[np.float64] = landed[..., :2] / np.maximum(landed[..., 2:], 1e-3)
    return result


Motion = Callable[[float], Camera]


def _sideways(photo: Camera, aspect: float, focus: float, x: float, y: float) -> Camera:
    """Camera moved so that nearest and farthest point separate by (x, y) picture widths; focus fixed, axes parallel."""
    focal = photo.focal(aspect)
    move_x, move_y = -x / (focal * _RANGE), y / (focal * _RANGE)
    still = inverse_distance(focus)
    shift = (focal * move_x * still, -focal * aspect * move_y * still)
    return Camera((move_x, move_y, 0.0), (0.0, 0.0, 0.0), photo.field_of_view, shift)


def _circle(photo: Camera, aspect: float, amount: float, focus: float) -> Motion:
    def motion(phase: float) -> Camera:
        turn = 2 * math.pi * phase
        return _sideways(photo, aspect, focus, amount / 2 * math.sin(turn), amount / 2 * math.cos(turn))

    return motion


def _swing(photo: Camera, aspect: float, amount: float, focus: float) -> Motion:
    return lambda phase: _sideways(photo, aspect, focus, amount / 2 * math.sin(2 * math.pi * phase), 0.0)


def _orbit(photo: Camera, aspect: float, amount: float, focus: float) -> Motion:
    """Camera that circles the focus point and always looks at it."""
    distance = 1 / inverse_distance(focus)
    focal = photo.focal(aspect)
    angle = amount / 2 / (focal * _RANGE) / distance

    def motion(phase: float) -> Camera:
        turn = angle * math.sin(2 * math.pi * phase)
        place = (distance * math.sin(turn), 0.0, -distance * (1 - math.cos(turn)))
        return Camera(place, (math.degrees(turn), 0.0, 0.0), photo.field_of_view)

    return motion


def _forward(photo: Camera, aspect: float, amount: float, focus: float, forward: float, locked: bool) -> Camera:
    """Camera moved ``forward``; if ``locked``, zoomed so that the focus depth keeps its size."""
    zoom = 1 - forward * inverse_distance(focus) if locked else 1.0
    return Camera((0.0, 0.0, -forward), (0.0, 0.0, 0.0), photo.field_of_view, zoom=zoom)


def _reach(amount: float) -> float:
    """Forward move that separates nearest and farthest point by ``amount`` widths at the picture's side edges."""
    # A point half a width off the axis moves by 0.5 (1 / (1 - t i) - 1); solved for the nearest minus the farthest.
    low, high = 0.0, 0.9
    for _ in range(60):
        middle = (low + high) / 2
        parted = 0.5 * (1 / (1 - middle) - 1 / (1 - middle * FARTHEST_INVERSE))
        low, high = (middle, high) if parted < amount else (low, middle)
    return low


def _dolly(photo: Camera, aspect: float, amount: float, focus: float) -> Motion:
    reach = _reach(amount / 2)

    def motion(phase: float) -> Camera:
        return _forward(photo, aspect, amount, focus, reach * math.sin(2 * math.pi * phase), locked=False)

    return motion


def _zoom(photo: Camera, aspect: float, amount: float, focus: float) -> Motion:
    reach = _reach(amount / 2)

    def motion(phase: float) -> Camera:
        return _forward(photo, aspect, amount, focus, reach * math.sin(2 * math.pi * phase), locked=True)

    return motion


def _push(photo: Camera, aspect: float, amount: float, focus: float) -> Motion:
    reach = _reach(amount)

    def motion(phase: float) -> Camera:
        return _forward(photo, aspect, amount, focus, reach * (0.5 - 0.5 * math.cos(2 * math.pi * phase)), locked=False)

    return motion


PATHS: dict[str, Callable[[Camera, float, float, float], Motion]] = {
    "circle": _circle,
    "swing": _swing,
    "orbit": _orbit,
    "dolly": _dolly,
    "zoom": _zoom,
    "push": _push,
}
