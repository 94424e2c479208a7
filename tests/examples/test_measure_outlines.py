"""The yardstick of outlines: right about a perfect view and about wrong ones; today's code beats the recorded one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import measure_outlines as yardstick
from yardsticks import rubber_sheet

import depth3d as d3
from depth3d.render.renderer import Renderer


@pytest.fixture(scope="module")
def scenes() -> dict[str, Any]:
    return {scene.name: scene for scene in yardstick.drawn_scenes()}


def test_the_true_view_has_no_fault(scenes: dict[str, Any]) -> None:
    for name, scene in scenes.items():
        everything, outline, ghost, specks, ragged = yardstick.measured(scene, scene.right)
        assert min(everything, outline) > 100, name
        assert (ghost, specks) == (0, 0), name
        assert np.isnan(ragged) or ragged == 0, name


def test_faults_are_measured(scenes: dict[str, Any]) -> None:
    scene = scenes["posts"]
    moved = np.where(np.roll(scene.alpha, 3, 1)[..., None] > 0.5, scene.front, scene.right)
    assert yardstick.measured(scene, moved)[4] < 0.3  # as a whole: straight still
    jagged = np.where((np.arange(yardstick.HEIGHT) % 8 < 4)[:, None, None], moved, scene.right)
    assert yardstick.measured(scene, jagged)[4] > 1
    dotted = scene.right.copy()
    dotted[20:300:10, 150] = (0, 255, 0)
    assert yardstick.measured(scene, dotted)[3] >= 28
    beside = yardstick.near_pixels(scene.alpha > 0, 5) & ~yardstick.near_pixels(scene.alpha > 0, 2)
    ghost = np.where(beside[..., None], (scene.front + scene.right) / 2, scene.right)
    assert yardstick.measured(scene, ghost)[2] > 5


def test_outlines_from_spoiled_depth_beat_the_recorded_code(scenes: dict[str, Any]) -> None:
    recorded = json.loads(yardstick.BASELINE.read_text(encoding="utf-8"))["spoiled depth"]
    found = []
    for number, (name, scene) in enumerate(scenes.items()):
        if name in ("disc", "blob", "cards"):
            disparity = yardstick.spoiled(scene.disparity, number)
            most = float(disparity.max())
            percent = 100 * most / yardstick.WIDTH
            depth = d3.DepthMap(disparity / most)
            right = d3.stereo_pair(d3.Image(scene.left), depth, percent, convergence=0.0, eyes="right").right
            found.append(yardstick.measured(scene, right.floats() * 255))
    _, outline, ghost, specks, _ = np.mean(found, axis=0)
    assert outline > recorded[1] + 6
    assert ghost < recorded[2] / 20
    assert specks < recorded[3] / 15


def test_the_rubber_sheet_reaches_every_border() -> None:
    image = d3.Image(np.full((20, 30, 3), 200, np.uint8))
    mesh = rubber_sheet(image, d3.DepthMap(np.zeros((20, 30), np.float32)))
    with Renderer(image.size) as renderer:
        renderer.upload(mesh)
        assert (renderer.draw(mesh.camera).pixels >= 199).all()
