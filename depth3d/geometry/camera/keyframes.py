"""Camera paths from JSON keyframes, and camera shake.

::

    {"loop": true, "handheld": 0.1,
     "keys": [{"at": 0, "x": -1}, {"at": 0.5, "x": 1, "y": 0.5, "yaw": 2, "zoom": 1.05}]}

``at``: phase of the key in [0, 1). ``x``, ``y``: sideways and up, in units of the path's amount: -1 to 1 is the
whole travel between nearest and farthest. ``z``: forward, 1 = the distance to the nearest point. ``yaw``, ``pitch``,
``roll``: degrees. ``zoom``: magnification. Omitted values are 0 (zoom 1). ``lock``: true keeps the size of
the focus depth while moving along z (dolly zoom). Between keys the path is a periodic cubic spline, so that
position and velocity are continuous; a path with ``"loop": false`` starts and ends with zero velocity.
``handheld``: size of added camera shake, in the units of x. Limits: `x`, `y` and `handheld` 10, ``z`` -10 to 1, angles
360 degrees, ``zoom`` 0.05 to 20, 1000 keys.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth3d.camera import FARTHEST_INVERSE, Camera, CameraPath, inverse_distance
from depth3d.errors import InvalidInput, ReadError, in_words
from depth3d.quantities import short

__all__ = ["camera_shake", "keyframe_path"]

# Name -> lowest and highest value; more would show nothing of the scene, or take hours.
_RANGES: dict[str, tuple[float, float]] = {
    "x": (-10, 10),
    "y": (-10, 10),
    "z": (-10, 1),
    **dict.fromkeys(("yaw", "pitch", "roll"), (-360, 360)),
}
_RANGES |= {"zoom": (0.05, 20), "handheld": (0, 10)}
NAMES = ("x", "y", "z", "yaw", "pitch", "roll", "zoom")
_MOST_KEYS = 1000
_LARGEST_FILE = 1 << 20  # bytes


def keyframe_path(
    path: Path, photo: Camera, aspect: float, *, amount: float, seconds: float, focus: float
) -> CameraPath:
    """Read a JSON file of keyframes; the format is described in this module's docstring.

    Raises ``ReadError`` for a missing file or broken JSON, ``InvalidInput`` for wrong keys or values.
    """
    told = _read(path)
    times, values = _keys(told, path)
    loop, locked = _flag(told, "loop", True, path), _flag(told, "lock", False, path)
    if loop and len(times) > 1 and times[-1] - times[0] >= 1:
        if not np.array_equal(values[0], values[-1]):
            raise InvalidInput(
                f'{path}: in a loop "at": 1 is "at": 0 of the next round, and these two keys differ; `"loop": false`'
                " ends at the last key"
            )
        times, values = times[:-1], values[:-1]
    shake = _number(told, "handheld", 0.0, str(path))
    focal = photo.focal(aspect)
    still = inverse_distance(focus)
    unit = amount / 200 / (focal * (1 - FARTHEST_INVERSE))

    def motion(phase: float) -> Camera:
        x, y, z, yaw, pitch, roll, zoom = _between(times, values, phase, loop)
        if shake:
            more_x, more_y = camera_shake(phase)
            x, y = x + shake * more_x, y + shake * more_y
        right, up = float(x) * unit, float(y) * unit
        shift = (focal * right * still, -focal * aspect * up * still)
        size = float(zoom) * (1 - float(z) * still if locked else 1.0)
        turned = (float(yaw), float(pitch), float(roll))
        return Camera((right, up, -float(z)), turned, photo.field_of_view, shift, max(size, 0.05))

    return CameraPath(seconds, motion, loop)


def camera_shake(phase: float) -> tuple[float, float]:
    """Camera shake at ``phase`` of a loop: (right, up) in about [-1, 1], periodic and smooth."""
    # A few periods without a common pattern; amplitude falls with frequency.
    rounds = ((2, 0.3), (3, 1.1), (5, 2.3), (7, 4.2), (11, 5.5))
    total = sum(1 / speed for speed, _ in rounds)
    x = sum(math.sin(2 * math.pi * speed * phase + start) / speed for speed, start in rounds) / total
    y = sum(math.cos(2 * math.pi * (speed + 1) * phase + 2 * start) / speed for speed, start in rounds) / total
    return x, y


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ReadError(path, "is too large for a file of keyframes")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(path, f"cannot be read: {in_words(error)}") from error
    except (ValueError, RecursionError) as error:
        raise ReadError(path, f"is not valid JSON: {error}") from error


def _flag(told: dict[str, Any], name: str, default: bool, path: Path) -> bool:
    value = told.get(name, default)
    if not isinstance(value, bool):
        raise InvalidInput(f"{path}: {name} is {short(value)}, expected true or false")
    return value


def _number(
    told: dict[str, Any], name: str, default: float, where: str, span: tuple[float, float] | None = None
) -> float:
    value = told.get(name, default)
    low, high = span or _RANGES[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidInput(f"{where}: {name} is {short(value)}, expected a number, {low:g} to {high:g}")
    return float(value)


def _keys(told: Any, path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    keys = told.get("keys") if isinstance(told, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise InvalidInput(f'{path}: expected {{"keys": [{{"at": 0, "x": -1}}, ...]}}')
    if len(keys) > _MOST_KEYS:
        raise InvalidInput(f"{path}: {len(keys)} keys, at most {_MOST_KEYS}")
    for key in keys:
        unknown = set(key) - {"at", *NAMES}
        if unknown:
            raise InvalidInput(f"{path}: unknown {', '.join(sorted(unknown))}; valid names: at, {', '.join(NAMES)}")
    every = [(key, f"{path}: key {number}") for number, key in enumerate(keys, 1)]
    times = np.array([_number(key, "at", 0.0, where, (0, 1)) for key, where in every])
    if any(b <= a for a, b in pairwise(times)):
        raise InvalidInput(f'{path}: the keys\' "at" are {short(times.tolist())}, expected rising numbers in [0, 1)')
    values = np.array([[_number(key, name, float(name == "zoom"), where) for name in NAMES] for key, where in every])
    return times, values


def _between(times: NDArray[np.float64], values: NDArray[np.float64], phase: float, loop: bool) -> NDArray[np.float64]:
    """Cubic Hermite interpolation with Catmull-Rom slopes, periodic for loops."""
    if len(times) == 1:
        only: NDArray[np.float64] = values[0]
        return only
    if loop:
        at = np.concatenate([times[-2:] - 1, times, times[:2] + 1]) if len(times) > 1 else times
        of = np.concatenate([values[-2:], values, values[:2]])
    else:
        at = np.concatenate([[times[0] - 1e-3], times, [times[-1] + 1e-3]])
        of = np.concatenate([values[:1], values, values[-1:]])
        phase = min(max(phase, times[0]), times[-1])
    index = int(np.clip(np.searchsorted(at, phase, side="right") - 1, 1, len(at) - 3))
    span = at[index + 1] - at[index]
    share = (phase - at[index]) / span
    slopes = [(of[i + 1] - of[i - 1]) / (at[i + 1] - at[i - 1]) * span for i in (index, index + 1)]
    if not loop:
        slopes = [slope * (0 < i < len(times) - 1) for slope, i in zip(slopes, (index - 1, index), strict=True)]
    square, cube = share**2, share**3
    result: NDArray[np.float64] = (
        (2 * cube - 3 * square + 1) * of[index]
        + (cube - 2 * square + share) * slopes[0]
        + (3 * square - 2 * cube) * of[index + 1]
        + (cube - square) * slopes[1]
    )
    return result
