"""The yardstick of outlines: right about a perfect view and about wrong ones; today's code beats the recorded one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import measure_outlines as yardstick
import outline_clips
from yardsticks import rubber_sheet

import depth3d as d3
from depth3d.render.renderer import Renderer


@pytest.fixture(scope="module")
def scenes() -> dict[str, Any]:
    return {scene.name: scene for scene in yardstick.drawn_scenes()}


def test_the_true_view_has_no_fault(scenes: dict[str, Any]) -> None:
    for name, scene in scenes.items():
        everything, outline, ghost, specks, *ragged = yardstick.measured(scene, scene.right)
        assert min(everything, outline) > 100, name
        assert (ghost, specks) == (0, 0), name
        assert np.isnan(ragged).all() or not np.any(ragged), name


def test_faults_are_measured(scenes: dict[str, Any]) -> None:
    scene = scenes["posts"]
    moved = np.where(np.roll(scene.alpha, 3, 1)[..., None] > 0.5, scene.front, scene.right)
    assert yardstick.measured(scene, moved)[4] < 0.3  # as a whole: straight still
    assert yardstick.measured(scene, moved)[5] < 0.3
    jagged = np.where((np.arange(yardstick.HEIGHT) % 8 < 4)[:, None, None], moved, scene.right)
    assert min(yardstick.measured(scene, jagged)[4:]) > 1
    # Other texture of the background is no bend of the outline.
    other = scene.right + (1 - scene.alpha[..., None]) * (np.roll(scene.behind, 30, 0) - scene.behind)
    ragged, bent = yardstick.measured(scene, other)[4:]
    assert bent < 0.75 * ragged
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
        if name in ("disc", "posts", "blob", "cards"):
            disparity = yardstick.spoiled(scene.disparity, number)
            most = float(disparity.max())
            percent = 100 * most / yardstick.WIDTH
            depth = d3.DepthMap(disparity / most)
            right = d3.stereo_pair(d3.Image(scene.left), depth, percent, convergence=0.0, eyes="right").right
            found.append(yardstick.measured(scene, right.floats() * 255))
    _, outline, ghost, specks, _, bent = np.nanmean(found, axis=0)
    assert outline > recorded[1] + 6
    assert ghost < recorded[2] / 20
    assert specks < recorded[3] / 15
    assert bent < 0.4 * recorded[5]


def test_the_rubber_sheet_reaches_every_border() -> None:
    image = d3.Image(np.full((20, 30, 3), 200, np.uint8))
    mesh = rubber_sheet(image, d3.DepthMap(np.zeros((20, 30), np.float32)))
    with Renderer(image.size) as renderer:
        renderer.upload(mesh)
        assert (renderer.draw(mesh.camera).pixels >= 199).all()


@pytest.fixture(scope="module")
def clip() -> outline_clips.PairClip:
    return outline_clips.pair_clip("walkers", 4, 192, 108)


def views_with(clip: outline_clips.PairClip, change: np.ndarray) -> tuple[outline_clips.Views, outline_clips.Views]:
    """Both true eyes with a (T, H, W) change of their levels."""
    first, second = ([one + change[k, ..., None] for k, one in enumerate(eye.color)] for eye in clip.eyes)
    return first, second


def test_both_true_eyes_of_a_clip_have_no_fault(clip: outline_clips.PairClip) -> None:
    outline, hidden, ghost, specks, jumps = outline_clips.measured(
        clip, views_with(clip, np.zeros(clip.disparity.shape))
    )
    assert min(outline, hidden) > 100
    assert (ghost, specks, jumps) == (0, 0, 0)


def test_what_both_the_frame_and_an_eye_see_lies_where_its_shift_says(clip: outline_clips.PairClip) -> None:
    rows, columns = np.mgrid[:108, :192].astype(np.float32)
    for number, eye in enumerate(clip.eyes):
        shift = eye.shift[2]
        assert (np.sign(shift) == (-1, 1)[number]).all()
        seen = outline_clips.seen_by_frame(shift, outline_clips.SIGNS[number] * clip.disparity[2])
        frame = clip.frames[2].pixels.astype(np.float32)
        there = cv2.remap(frame, columns + shift, rows, cv2.INTER_LINEAR)
        off = np.abs(there - eye.color[2]).mean(2)
        assert 0.85 < seen.mean() < 0.999
        assert off[seen].mean() < 4
        assert off[~seen].mean() > 20


def test_only_what_changes_from_frame_to_frame_jumps(clip: outline_clips.PairClip) -> None:
    steady = np.full(clip.disparity.shape, 40.0, np.float32)
    assert outline_clips.measured(clip, views_with(clip, steady))[4] < 1
    blinking = steady * (np.arange(4) % 2)[:, None, None]
    assert outline_clips.measured(clip, views_with(clip, blinking))[4] > 99


def test_spoiled_depth_of_a_clip_is_stabilized_to_its_truth(clip: outline_clips.PairClip) -> None:
    """By one scale and shift for all frames; the picture is better than pixels moved one by one."""
    maps = outline_clips.depth_of(clip, outline_clips.spoiled(clip.disparity, 0))
    assert maps[0].size == d3.Size(77, 43)
    most = clip.disparity.max()
    small = [cv2.resize(one, (77, 43), interpolation=cv2.INTER_AREA) for one in clip.disparity]
    assert np.median([np.abs(one.values * most - truth).mean() for one, truth in zip(maps, small, strict=True)]) < 0.6
    found = {name: outline_clips.measured(clip, both) for name, both in outline_clips.drawn(clip, maps).items()}
    assert found["depth3d"][0] > found["forward warp"][0] + 0.2
