"""Strokes repair a spoiled depth map and leave everything else alone."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hint_scenes import SIZE, scenes
from numpy.typing import NDArray
from scenes import plane, step, texture

from depth3d.camera import FARTHEST_INVERSE
from depth3d.depth.hints import apply_hints
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.hints import Hints, Stroke
from depth3d.image import Image, Size

SCENES = scenes()


def distances(depth: DepthMap) -> NDArray[np.float32]:
    return 1 / (FARTHEST_INVERSE + (1 - FARTHEST_INVERSE) * depth.values)


def abs_rel(depth: DepthMap, truth: DepthMap) -> float:
    return float(np.mean(np.abs(distances(depth) - distances(truth)) / distances(truth)))


@pytest.mark.parametrize("name", SCENES)
def test_twelve_strokes_repair_a_spoiled_map(name: str) -> None:
    scene = SCENES[name]
    assert len(scene.hints.strokes) == 12
    repaired = apply_hints(scene.spoiled, scene.hints, scene.image)
    # Today 81 to 90 % less.
    assert abs_rel(repaired, scene.truth) < 0.6 * abs_rel(scene.spoiled, scene.truth)
    assert scene.untouched.mean() > 0.2
    assert np.abs(repaired.values - scene.spoiled.values)[scene.untouched].max() < 0.02


def test_it_is_quick_at_preview_size() -> None:
    scene, size = SCENES["table"], Size(512, 384)
    image, depth = scene.image.resized(size), scene.spoiled.resized(size)
    took = []
    for _ in range(4):
        before = time.process_time()
        apply_hints(depth, scene.hints, image)
        took.append(time.process_time() - before)
    assert min(took) < 0.3


def test_no_strokes_change_nothing() -> None:
    depth = plane(SIZE, 0.4)
    assert apply_hints(depth, Hints(), texture(SIZE)) is depth


def test_a_larger_picture_gives_the_same_repair() -> None:
    scene = SCENES["street"]
    large = Size(640, 480)
    small = apply_hints(scene.spoiled, scene.hints, scene.image)
    found = apply_hints(scene.spoiled.resized(large), scene.hints, scene.image.resized(large))
    assert np.abs(found.resized(SIZE).values - small.values).mean() < 0.02


def wall() -> Image:
    return Image(np.full((SIZE.height, SIZE.width, 3), 120, np.uint8))


def test_nearer_and_farther_move_a_surface_by_their_value() -> None:
    for kind, sign in (("nearer", 1), ("farther", -1)):
        stroke = Stroke(kind, np.array([[0.3, 0.5], [0.7, 0.5]], np.float32), value=0.2)
        moved = apply_hints(plane(SIZE, 0.5), Hints((stroke,)), wall())
        np.testing.assert_allclose(moved.values[120, 100:220], 0.5 + sign * 0.2, atol=1e-3)


def test_same_takes_the_depth_at_its_first_point() -> None:
    image, depth = step(SIZE, 100, 200)
    stroke = Stroke("same", np.array([[0.45, 0.5], [0.9, 0.5]], np.float32))
    moved = apply_hints(depth, Hints((stroke,)), image)
    assert moved.values[120, 290] == pytest.approx(1, abs=0.02)


def test_plane_takes_a_bump_away() -> None:
    rows, columns = np.mgrid[0 : SIZE.height, 0 : SIZE.width]
    flat = (0.2 + 0.5 * columns / SIZE.width).astype(np.float32)
    bump = 0.15 * np.exp(-((columns - 200.0) ** 2 + (rows - 150.0) ** 2) / 300)
    stroke = Stroke("plane", np.array([[0.1, 0.3], [0.9, 0.3], [0.9, 0.8], [0.1, 0.8]], np.float32), 0.02)
    moved = apply_hints(DepthMap((flat + bump).astype(np.float32)), Hints((stroke,)), wall())
    assert np.abs(moved.values - flat)[60:200, 40:280].max() < 0.03


def test_cut_turns_a_slope_into_a_step() -> None:
    columns = np.arange(SIZE.width, dtype=np.float32)
    slope = np.clip((columns - 150) / 20, 0, 1) * 0.6 + 0.2
    depth = DepthMap(np.broadcast_to(slope, (SIZE.height, SIZE.width)).astype(np.float32))
    stroke = Stroke("cut", np.array([[0.5, 0], [0.5, 1]], np.float32), 0.05)
    cut = apply_hints(depth, Hints((stroke,)), wall()).values
    np.testing.assert_allclose(cut[20:-20, :158], 0.2, atol=1e-5)
    np.testing.assert_allclose(cut[20:-20, 163:], 0.8, atol=1e-5)


def test_nothing_spreads_over_a_cut() -> None:
    cut = Stroke("cut", np.array([[0.5, 0], [0.5, 1]], np.float32), 0.01)
    near = Stroke("nearer", np.array([[0.1, 0.5], [0.4, 0.5]], np.float32), value=0.3)
    moved = apply_hints(plane(SIZE, 0.5), Hints((cut, near)), wall()).values
    assert moved[120, 140] == pytest.approx(0.8, abs=0.01)
    assert np.abs(moved[:, 170:] - 0.5).max() < 0.01


def test_painted_gray_is_the_wanted_depth() -> None:
    painted = np.full((SIZE.height, SIZE.width), np.nan, np.float32)
    painted[118:122, 100:220] = 0.9
    moved = apply_hints(plane(SIZE, 0.3), Hints(painted=painted), wall())
    np.testing.assert_allclose(moved.values[120, 100:220], 0.9, atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "shout"},
        {"points": [[0.1, 2]]},
        {"points": []},
        {"points": [[np.nan, 0]]},
        {"points": np.zeros((9000, 2))},
        {"radius": 0},
        {"radius": "wide"},
        {"value": 2},
        {"value": float("nan")},
    ],
)
def test_wrong_strokes_are_refused(change: dict[str, object]) -> None:
    good = Stroke("same", np.array([[0.1, 0.1]], np.float32))
    with pytest.raises(InvalidInput):
        replace(good, **change)  # type: ignore[arg-type]
