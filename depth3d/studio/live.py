"""Answers that the page needs while a slider moves: the cameras of a path, the comfort of a stereo setting."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from depth3d.camera import Camera
from depth3d.errors import InvalidInput
from depth3d.geometry.camera.paths import named_path
from depth3d.options import AnimateOptions, StereoOptions
from depth3d.pipeline.comfort import comfort_reading
from depth3d.stereopair import StereoRig, Viewing
from depth3d.validation import check_value

__all__ = ["comfort", "path_cameras"]

_SAMPLES = 64


def path_cameras(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the cameras of one loop of a path, as the renderer moves them.

    Parameters
    ----------
    wanted : dict[str, Any]
        ``path``, ``amount``, ``focus``, ``viewDegrees`` and ``aspect`` of the photo.
    """
    amount = check_value(AnimateOptions, "amount", wanted["amount"])
    focus = check_value(AnimateOptions, "focus", wanted["focus"])
    aspect = _between("aspect", wanted["aspect"], 0.01, 100)
    photo = Camera(field_of_view=_between("viewDegrees", wanted["viewDegrees"], 1, 170))
    path = named_path(str(wanted["path"]), photo, aspect, amount=amount, seconds=1.0, focus=focus)
    cameras = [path.motion(number / _SAMPLES) for number in range(_SAMPLES)]
    return {"cameras": [[*one.position, *one.rotation, *one.shift, one.zoom] for one in cameras]}


def comfort(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the comfort reading of a stereo setting.

    Parameters
    ----------
    wanted : dict[str, Any]
        ``parallax``, ``convergence``, ``borders``, ``aspect``, ``screen`` ("55in"), ``distance`` ("2.5m").
    """
    rig = StereoRig(wanted["parallax"], wanted["convergence"])
    viewing = Viewing.parse(
        check_value(StereoOptions, "screen", wanted["screen"]),
        check_value(StereoOptions, "distance", wanted["distance"]),
        _between("aspect", wanted["aspect"], 0.01, 100),
    )
    left, right = (_between("borders", value, 0, 1) for value in wanted["borders"])
    reading = asdict(comfort_reading(rig, (left, right), viewing))
    return {**reading, "warnings": [line.replace("`", "") for line in reading["warnings"]]}


def _between(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidInput(f"{name} is {value!r}, expected a number from {low:g} to {high:g}")
    return float(value)
