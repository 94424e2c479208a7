"""Camera paths: periodic, smooth, of the promised amplitude, the focus still."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from depth3d.camera import Camera, CameraPath, inverse_distance, photo_to_view
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput, ReadError
from depth3d.geometry.camera.focus import least_occlusion_path, salient_depth
from depth3d.geometry.camera.keyframes import camera_shake, keyframe_path
from depth3d.geometry.camera.paths import PATHS, largest_travel, named_path

ASPECT = 1.5
PHOTO = Camera()


def landed(camera: Camera, x: float, y: float, depth: float) -> np.ndarray:
    point = photo_to_view(PHOTO, camera, ASPECT) @ (x, y, 1.0, inverse_distance(depth))
    return point[:2] / point[2]


@pytest.mark.parametrize("name", PATHS)
def test_loops_close_with_a_continuous_velocity(name: str) -> None:
    path = named_path(name, PHOTO, ASPECT, amount=3.0, seconds=4.0, focus=0.5)
    for depth in (0.0, 1.0):
        at = [landed(path.at(time), 0.9, 0.2, depth) for time in (-2e-3, -1e-3, 0.0, 1e-3, 2e-3, 4.0)]
        assert np.allclose(at[2], at[5], atol=1e-12)
        before, after = at[2] - at[1], at[3] - at[2]
        assert np.abs(after - before).max() < 1e-6


@pytest.mark.parametrize("name", ["circle", "swing", "orbit"])
def test_amount_is_the_largest_travel_in_percent(name: str) -> None:
    path = named_path(name, PHOTO, ASPECT, amount=3.0, seconds=1.0, focus=0.5)
    parted = np.array(
        [landed(path.at(t), 0.5, 0.5, 1.0) - landed(path.at(t), 0.5, 0.5, 0.0) for t in np.linspace(0, 1, 65)]
    )
    assert np.ptp(parted[:, 0]) * 100 == pytest.approx(3.0, rel=0.03)
    assert largest_travel(path, PHOTO, ASPECT)[0] == pytest.approx(1.5, rel=0.05)


@pytest.mark.parametrize("focus", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", ["circle", "swing", "orbit"])
def test_the_focus_plane_stays_still(name: str, focus: float) -> None:
    path = named_path(name, PHOTO, ASPECT, amount=4.0, seconds=1.0, focus=focus)
    for time in np.linspace(0, 1, 9):
        assert np.abs(landed(path.at(float(time)), 0.5, 0.5, focus) - 0.5).max() < 1e-3


def test_the_dolly_zoom_keeps_the_subject_at_its_size() -> None:
    path = named_path("zoom", PHOTO, ASPECT, amount=4.0, seconds=1.0, focus=0.6)
    for time in np.linspace(0, 1, 9):
        camera = path.at(float(time))
        assert np.ptp([landed(camera, x, 0.5, 0.6)[0] for x in (0.2, 0.8)]) == pytest.approx(0.6, abs=1e-9)


def test_a_camera_that_did_not_move_sees_the_photo() -> None:
    for depth in (0.0, 0.3, 1.0):
        assert np.allclose(landed(PHOTO, 0.3, 0.8, depth), (0.3, 0.8))


def test_turning_left_moves_the_picture_right_and_up_moves_it_down() -> None:
    assert landed(Camera(rotation=(1.0, 0.0, 0.0)), 0.5, 0.5, 0.5)[0] > 0.5
    assert landed(Camera(rotation=(0.0, 1.0, 0.0)), 0.5, 0.5, 0.5)[1] > 0.5


def test_keyframes_are_met_and_loop_smoothly(tmp_path: Path) -> None:
    file = tmp_path / "path.json"
    keys = [{"at": 0, "x": -1}, {"at": 0.4, "x": 1, "yaw": 2}, {"at": 0.7, "y": 0.5, "zoom": 1.2}]
    file.write_text(json.dumps({"keys": keys}))
    path = keyframe_path(file, PHOTO, ASPECT, amount=2.0, seconds=5.0, focus=0.5)
    assert path.at(2.0).rotation[0] == pytest.approx(2.0)
    assert path.at(3.5).zoom == pytest.approx(1.2)
    parted = landed(path.at(0.0), 0.5, 0.5, 1.0) - landed(path.at(0.0), 0.5, 0.5, 0.0)
    assert abs(parted[0]) == pytest.approx(0.01, rel=1e-6)
    before, now, after = (np.array(path.at(t).position) for t in (5.0 - 1e-4, 5.0, 5.0 + 1e-4))
    assert np.allclose(now - before, after - now, atol=1e-7)


@pytest.mark.parametrize("told", ["[]", '{"keys": []}', '{"keys": [{"at": 2}]}', '{"keys": [{"at": 0, "w": 1}]}'])
def test_wrong_keyframes_are_told(tmp_path: Path, told: str) -> None:
    file = tmp_path / "path.json"
    file.write_text(told)
    with pytest.raises(InvalidInput, match=r"path\.json"):
        keyframe_path(file, PHOTO, ASPECT, amount=2.0, seconds=5.0, focus=0.5)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ('{"keys": [{"at": "a"}]}', "key 1: at is 'a', expected a number, 0 to 1"),
        ('{"keys": [{"at": null}]}', "key 1: at is None"),
        ('{"keys": [{"at": 1e308}]}', "at is 1e+308"),
        ('{"keys": [{"at": 0, "x": 100000000000}]}', "x is 100000000000, expected a number, -10 to 10"),
        ('{"keys": [{"at": 0}, {"at": 0.5, "z": 1.5}]}', "key 2: z is 1.5, expected a number, -10 to 1"),
        ('{"keys": [{"at": 0, "y": [1]}]}', "y is [1]"),
        ('{"keys": [{"at": 0, "zoom": true}]}', "zoom is True"),
        ('{"keys": [{"at": 0, "yaw": NaN}]}', "yaw is nan"),
        ('{"keys": [{"at": 0}], "handheld": "x"}', "handheld is 'x'"),
        ('{"keys": [{"at": 0}], "handheld": Infinity}', "handheld is inf"),
        ('{"keys": [{"at": 0}], "loop": 1}', "loop is 1, expected true or false"),
        ('{"keys": [' + '{"at": 0},' * 1000 + '{"at": 0.5}]}', "1001 keys, at most 1000"),
        ('{"keys": [{"at": 0, "x": ' + "9" * 5000 + "}]}", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        (" " * (1 << 20) + "[]", "is too large"),
        ('{"keys": [{"at": 0, "x": ' + "9" * 400 + "}]}", "expected a number"),
        ('{"keys": [{"at": 0}, {"at": 1, "z": 1}]}', 'in a loop "at": 1 is "at": 0 of the next round'),
    ],
    ids=lambda part: part[-30:] if part.startswith("{") else "",
)
def test_values_that_are_none_are_told_in_one_line(tmp_path: Path, told: str, words: str) -> None:
    file = tmp_path / "path.json"
    file.write_text(told)
    with pytest.raises((InvalidInput, ReadError), match=re.escape(words)) as caught:
        keyframe_path(file, PHOTO, ASPECT, amount=2.0, seconds=5.0, focus=0.5)
    assert len(str(caught.value)) < len(str(file)) + 200


def test_keyframes_at_0_and_1(tmp_path: Path) -> None:
    """The same key at both ends closes a loop; without a loop, 1 is the end."""
    file, x = tmp_path / "path.json", {}
    for name, loop, last in (("closed", True, -1), ("open", False, 1)):
        keys = [{"at": 0, "x": -1}, {"at": 0.5, "x": 1}, {"at": 1, "x": last}]
        file.write_text(json.dumps({"keys": keys, "loop": loop}))
        path = keyframe_path(file, PHOTO, ASPECT, amount=2.0, seconds=4.0, focus=0.5)
        x[name] = [path.at(at).position[0] for at in (0, 2, 3.999)]
    assert x["closed"][0] == pytest.approx(-x["closed"][1])
    assert x["closed"][2] == pytest.approx(x["closed"][0], rel=1e-3)
    assert x["open"][2] == pytest.approx(-x["open"][0], rel=1e-3)


def test_camera_shake_is_periodic_and_bounded() -> None:
    phases = np.linspace(0, 1, 200)
    values = np.array([camera_shake(float(phase)) for phase in phases])
    assert np.abs(values).max() <= 1
    assert values.std(0).min() > 0.1
    assert np.allclose(camera_shake(0.0), camera_shake(1.0))


def test_the_subject_is_near_and_in_the_middle() -> None:
    depth = np.full((90, 120), 0.1, np.float32)
    depth[70:] = 1.0  # the table
    depth[25:70, 45:75] = 0.7  # the subject
    assert salient_depth(DepthMap(depth)) == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("depth", np.linspace(0.02, 0.98, 25))
def test_the_subject_of_a_wall_is_its_own_depth(depth: float) -> None:
    """To half a bin (1/128): not the bin's lower or upper edge, and not a neighbor."""
    wall = DepthMap(np.full((40, 60), depth, np.float32))
    assert abs(salient_depth(wall) - np.float32(depth)) <= 1 / 128 + 1e-6


def test_a_sky_is_never_the_subject() -> None:
    """A thin lighthouse before a sky that fills nearly all of the picture, and a dark wall behind a pug."""
    depth = np.zeros((90, 120), np.float32)
    depth[20:80, 55:65] = 0.2
    assert salient_depth(DepthMap(depth)) == pytest.approx(0.2, abs=0.01)
    depth = np.full((90, 120), 0.07, np.float32)
    depth[40:80, 40:80] = 0.41
    assert salient_depth(DepthMap(depth)) == pytest.approx(0.41, abs=0.01)


def test_the_subject_of_a_shot_is_that_of_most_frames() -> None:
    def frame(near: float) -> DepthMap:
        depth = np.full((90, 120), 0.1, np.float32)
        depth[25:70, 45:75] = near
        return DepthMap(depth)

    assert salient_depth(frame(0.6), frame(0.6), frame(0.9)) == pytest.approx(0.6, abs=0.02)


def test_a_path_that_does_not_loop_stays_at_its_ends() -> None:
    path = CameraPath(2.0, lambda phase: Camera((phase, 0.0, 0.0)), loop=False)
    assert path.at(5.0).position[0] == 1.0
    assert path.at(-1.0).position[0] == 0.0


def test_the_calmest_path_avoids_the_outlines() -> None:
    upright, lying, middle = (np.zeros((100, 100), np.float32) for _ in range(3))
    upright[:, 5:12] = upright[:, 88:95] = 1
    lying[5:12] = lying[88:95] = 1
    middle[48:52, 48:52] = 1
    assert least_occlusion_path(DepthMap(lying)) == "swing"
    assert least_occlusion_path(DepthMap(upright)) == "circle"
    assert least_occlusion_path(DepthMap(middle)) == "push"
