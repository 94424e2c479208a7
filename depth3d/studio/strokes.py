"""Tasks of the worker for the brush: repair the depth while a person paints, keep the strokes beside the photo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depth3d.depth.hints import apply_hints
from depth3d.depth.relief import strengthen_relief
from depth3d.errors import ExistsError
from depth3d.hints import Hints, Stroke
from depth3d.io.hints import read_hints, write_hints
from depth3d.io.image.read import flatten
from depth3d.options import DepthOptions
from depth3d.pipeline.scene import Scene
from depth3d.studio.scenes import cached_scene, depth_address
from depth3d.studio.worker import Report

__all__ = ["TASKS"]

_SIDE = 512  # longer side of the depth map that the page paints on


def _scene(arguments: dict[str, Any]) -> Scene:
    """Return the photo with its depth as it is without any strokes."""
    return cached_scene(Path(arguments["path"]), DepthOptions(**{**arguments["depth"], "hints": "none", "relief": 0.0}))


def _hints(arguments: dict[str, Any]) -> Hints:
    return Hints(tuple(Stroke.of(facts) for facts in arguments["strokes"]))


def _repair(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return the repaired depth at the page's size."""
    scene, hints = _scene(arguments), _hints(arguments)
    size = scene.image.size.fit(_SIDE)
    picture = flatten(scene.image.eight_bit()).resized(size)
    depth = apply_hints(scene.depth.resized(size), hints, picture)
    return {"depth": depth_address(strengthen_relief(depth, arguments["depth"].get("relief", 0.0)))}


def _keep(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Write the strokes as NAME_hints.png and .json, where every command finds them.

    Raises ``ExistsError`` for a hint picture that another program has made or changed.
    """
    scene, hints = _scene(arguments), _hints(arguments)
    path = Path(arguments["folder"]) / f"{arguments['stem']}_hints.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not read_hints(path).strokes:
        raise ExistsError(path, "was made or changed by another program; rename it first")
    picture = flatten(scene.image.eight_bit())
    depth = apply_hints(scene.depth.resized(picture.size), hints, picture)
    return {"files": [str(file) for file in write_hints(hints, depth, path, force=True)]}


TASKS = {"repair": _repair, "keep_strokes": _keep}
