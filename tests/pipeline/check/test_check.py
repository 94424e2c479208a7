"""Measurements of stereo files: on scenes with known disparity and known faults, then on real ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scenes import panorama
from stereoscenes import scene_pair, texture

from depth3d.cli.check import command
from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.image.read import save_image
from depth3d.pipeline.check.measure import check, check_pair
from depth3d.pipeline.check.report import report_picture
from depth3d.stereopair import StereoPair, Viewing


def moved(pair: StereoPair, down: int) -> StereoPair:
    return StereoPair(pair.left, Image(np.roll(pair.right.pixels, down, axis=0)))


@pytest.fixture(scope="module")
def pair() -> StereoPair:
    """640 px wide: a square 6 px (0.94 %) in front of the screen, a wall 4 px (0.63 %) behind it."""
    return scene_pair(640, 480, near=6, far=-4)


def test_disparities_come_out_in_percent_and_arc_minutes(pair: StereoPair) -> None:
    report = check_pair(pair)
    assert report.nearest == pytest.approx(600 / 640, abs=0.04)
    assert report.farthest == pytest.approx(-400 / 640, abs=0.04)
    assert report.disparity["50"] == pytest.approx(-400 / 640, abs=0.04)
    seat = Viewing.parse("55in", "2.5m", aspect=4 / 3)
    assert report.arc_minutes["50"] == pytest.approx(-seat.arc_minutes(400 / 640), abs=0.6)
    assert sum(report.histogram) > 1000
    assert report.verdict[0].startswith("good")
    assert report.swapped is False
    assert report.color < 1


@pytest.mark.parametrize("down", [-5, 4])
def test_a_vertical_shift_is_measured_and_told(pair: StereoPair, down: int) -> None:
    report = check_pair(moved(pair, down))
    assert report.vertical == pytest.approx(down / 480 * 100, abs=0.05)
    assert any("vertical disparity" in line for line in report.verdict)


def test_different_brightness_is_told(pair: StereoPair) -> None:
    darker = StereoPair(pair.left, Image((pair.right.pixels * 0.7).astype(np.uint8)))
    report = check_pair(darker)
    assert report.color > 8
    assert any("differ in color" in line for line in report.verdict)


def test_the_borders_of_a_whole_sphere_cut_nothing_off() -> None:
    """Left and right border are one place; everything lies 1 % in front of the screen."""
    world = panorama().pixels
    near = StereoPair(Image(world), Image(np.roll(world, -5, axis=1)))
    assert check_pair(near).nearest == pytest.approx(500 / 512, abs=0.1)
    assert check_pair(near).window == (0, 0)
    flat = StereoPair(*(Image(eye.pixels[:, 40:-40]) for eye in (near.left, near.right)))
    assert min(check_pair(flat).window) > 0.8


def test_exchanged_eyes_are_told(pair: StereoPair) -> None:
    report = check_pair(pair.swapped())
    assert report.swapped is True
    assert "swapped" in report.verdict[0]


def test_too_much_parallax_is_told() -> None:
    report = check_pair(scene_pair(640, 480, near=20, far=-12))
    words = " / ".join(report.verdict)
    assert "crossed disparity of 3.1" in words
    assert "total disparity of 5.0" in words


def test_window_violations_are_told() -> None:
    wall = texture(700, 480, 5)
    near = StereoPair(Image(wall[:, 20:660].copy()), Image(wall[:, 28:668].copy()))  # all 8 px in front
    report = check_pair(near)
    assert min(report.window) == pytest.approx(800 / 640, abs=0.1)
    assert any("window violation" in line for line in report.verdict)
    assert any("whole scene lies in front" in line for line in report.verdict)


def test_on_a_cinema_screen_the_eyes_would_have_to_turn_outwards(pair: StereoPair) -> None:
    report = check_pair(pair, screen="800in", distance="12m")
    assert any("more than the distance between the eyes" in line for line in report.verdict)


def test_letterbox_bars_are_not_measured(pair: StereoPair) -> None:
    eyes = []
    for eye in (pair.left, pair.right):
        pixels = np.random.default_rng(3).integers(0, 20, eye.pixels.shape, dtype=np.uint8)  # a coder's noise
        pixels[80:-80] = eye.pixels[80:-80]
        eyes.append(Image(pixels))
    report = check_pair(StereoPair(*eyes))
    assert report.nearest == pytest.approx(600 / 640, abs=0.04)
    assert report.farthest == pytest.approx(-400 / 640, abs=0.04)
    assert report.disparity["50"] == pytest.approx(-400 / 640, abs=0.04)
    assert (report.width, report.height) == (640, 480)


def test_a_file_through_the_command(pair: StereoPair, tmp_path: Path) -> None:
    path = tmp_path / "x_LRF_Full_SBS.png"
    save_image(Image(np.hstack([pair.left.pixels, pair.right.pixels])), path)
    picture = tmp_path / "report.png"
    done = CliRunner().invoke(command, [str(path), "--json", "-o", str(picture)])
    assert done.exit_code == 0, done.output
    facts = json.loads(done.output)
    assert facts["width"] == 640
    assert facts["nearest"] == pytest.approx(600 / 640, abs=0.04)
    assert picture.stat().st_size > 5000
    plain = CliRunner().invoke(command, [str(path)])
    assert "-> good" in plain.output


def test_the_picture_shows_bars_where_the_disparities_are(pair: StereoPair) -> None:
    report = check_pair(pair)
    picture = report_picture(report)
    assert picture.size.width == 1000
    bars = np.all(picture.pixels == (50, 90, 170), axis=2)[60:331].any(axis=0)
    assert 0.3 < np.flatnonzero(bars).mean() / 1000 < 0.5  # the wall, behind the screen, left of the middle


def test_what_is_no_stereo_file_is_refused(tmp_path: Path) -> None:
    path = save_image(Image(texture(300, 200)), tmp_path / "photo.png")
    with pytest.raises(ReadError, match="no second eye"):
        check(path)


def test_a_clip_is_measured_by_its_name(pair: StereoPair, tmp_path: Path) -> None:
    from fractions import Fraction

    from depth3d.image import Size
    from depth3d.io.animation import write_animation

    whole = Image(np.hstack([pair.left.pixels, pair.right.pixels]))
    path = tmp_path / "clip_LRF_Full_SBS.mp4"
    write_animation(iter([whole] * 6), path, fps=Fraction(10), size=Size(1280, 480), count=6)
    report = check(path, frames=2)
    assert report.frames == 2
    assert "side by side, full" in report.layout
    assert report.nearest == pytest.approx(600 / 640, abs=0.06)


def test_cameras_misalignment_is_found(shared: Path) -> None:
    report = check(shared / "data/awkward/sugarshack.mpo")
    assert abs(report.vertical) == pytest.approx(1.92 / 480 * 100, abs=0.1)
    assert report.disparity["50"] == pytest.approx(-101.9 / 640 * 100, abs=0.3)
    assert report.swapped is False
