"""Repairs: on pairs with known errors the rest is known by formula; swapped eyes, screen plane, window, clips."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from stereoscenes import scene_pair, texture

import depth3d as d3
from depth3d.cli.fix import command
from depth3d.cli.main import main
from depth3d.errors import ExistsError, InvalidOption, ReadError
from depth3d.image import Image
from depth3d.io.depth.names import is_fixed_name
from depth3d.io.image.read import open_image, save_image
from depth3d.options import FixOptions
from depth3d.pipeline.check.measure import check_pair
from depth3d.pipeline.eyes import SWAPPED
from depth3d.pipeline.fix.correction import Correction
from depth3d.pipeline.fix.find import find_correction, mean_order
from depth3d.pipeline.fix.photo import corrected_photo
from depth3d.stereopair import StereoPair

ONLY_ALIGN = FixOptions(order="keep", color=False, convergence="keep", comfort=False, floating_window=False)
REAL = ("art", "cones", "motorcycle", "tsukuba")


def spoiled(pair: StereoPair, down: float, roll: float, scale: float) -> tuple[StereoPair, np.ndarray]:
    """The pair with its right eye moved down (px), turned clockwise (degrees) and scaled; and that (3, 3) map."""
    width, height = pair.size
    made = np.eye(3)
    made[:2] = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -roll, scale)
    made[1, 2] += down
    pixels = cv2.warpAffine(
        pair.right.pixels, made[:2], (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return StereoPair(pair.left, Image(pixels)), made


def residual(found: Correction, made: np.ndarray, pair: StereoPair) -> float:
    """Largest vertical distance, px, between where a point was and where the correction brings it, over the picture."""
    width, height = pair.size
    y, x = np.mgrid[0 : height - 1 : 9j, 0 : width - 1 : 9j]
    points = np.stack([x.ravel(), y.ravel(), np.ones(81)])
    _, to_source = found.maps(pair.size)
    return float(np.abs((np.linalg.inv(to_source) @ made @ points)[1] - points[1]).max())


def packed(pair: StereoPair, path: Path) -> Path:
    return save_image(Image(np.hstack([pair.left.pixels, pair.right.pixels])), path)


@pytest.fixture(scope="module")
def pair() -> StereoPair:
    """A square 3 px (0.94 %) before the screen, a wall 2 px behind it."""
    return scene_pair(320, 240, near=3, far=-2)


@pytest.mark.parametrize("error", [(6, 0.5, 1.01), (-9, -0.8, 0.985), (1, 0.1, 1.0), (0, 1.2, 1.0)])
def test_known_misalignment_goes(pair: StereoPair, error: tuple[float, float, float]) -> None:
    wrong, made = spoiled(pair, *error)
    assert residual(find_correction([wrong], ONLY_ALIGN), made, pair) <= 0.1


def test_on_real_pairs_less_than_a_third_of_a_pixel_is_left(shared: Path) -> None:
    for scene in REAL:
        real = StereoPair(*(open_image(shared / f"data/stereo/{scene}/{side}.png") for side in ("left", "right")))
        for error in ((6, 0.5, 1.01), (-9, -0.8, 0.985)):
            wrong, made = spoiled(real, *error)
            assert residual(find_correction([wrong], ONLY_ALIGN), made, real) <= 0.3, (scene, error)


def test_an_aligned_pair_keeps_every_pixel(pair: StereoPair) -> None:
    shown, found = corrected_photo(pair, FixOptions())
    assert found.lines() == ()
    assert np.array_equal(shown.left.pixels, pair.left.pixels)
    assert np.array_equal(shown.right.pixels, pair.right.pixels)


@pytest.mark.parametrize("seed", range(10))
def test_swapped_eyes_are_found_ten_of_ten(seed: int) -> None:
    """Scenes of a far wall and nearer things in random places; the same scene in the right order is left alone."""
    dice = np.random.default_rng(seed)
    width, height = 360, 240
    wall = texture(width + 60, height, seed)
    far = int(dice.integers(-6, 0))
    left, right = wall[:, 30 : 30 + width].copy(), wall[:, 30 + far : 30 + far + width].copy()
    for number, near in enumerate(
        sorted(int(one) for one in dice.integers(4, 14, 3))
    ):  # nearer things cover farther ones
        w, h = int(dice.integers(50, 110)), int(dice.integers(60, 150))
        x, y = int(dice.integers(30, width - w - 30)), int(dice.integers(10, height - h - 10))
        thing = texture(w, h, 100 + 10 * seed + number)
        left[y : y + h, x : x + w] = right[y : y + h, x - near : x - near + w] = thing
    scene = StereoPair(Image(left), Image(right))
    assert mean_order([scene]) > SWAPPED
    assert mean_order([scene.swapped()]) < SWAPPED


def test_the_order_of_the_eyes_can_be_set(pair: StereoPair) -> None:
    quick = replace(ONLY_ALIGN, align=False)
    exchanged = find_correction([pair.swapped()], replace(quick, order="auto"))
    assert exchanged.swap
    assert np.array_equal(exchanged.toned(pair.swapped()).left.pixels, pair.left.pixels)
    assert not find_correction([pair.swapped()], quick).swap
    assert find_correction([pair], replace(quick, order="swap")).swap


def test_colors_come_back(pair: StereoPair) -> None:
    faded = Image(np.clip(pair.right.pixels * np.array([0.7, 0.8, 0.9]) + 12, 0, 255).astype(np.uint8))
    shown, found = corrected_photo(StereoPair(pair.left, faded), FixOptions())
    assert found.tone is not None
    assert found.tone.gain == pytest.approx((1 / 0.7, 1 / 0.8, 1 / 0.9), rel=0.03)
    assert np.abs(shown.right.pixels.astype(int) - pair.right.pixels).mean() < 3


def test_a_scene_before_the_screen_moves_back_to_the_limit() -> None:
    near = scene_pair(320, 240, near=8, far=2)
    before = check_pair(near)
    assert before.nearest == pytest.approx(2.5, abs=0.05)
    shown, found = corrected_photo(near, FixOptions(comfort=False, floating_window=False))
    after = check_pair(shown)
    assert after.nearest <= 1.0
    assert after.nearest - after.farthest == pytest.approx(before.nearest - before.farthest, abs=0.05)
    moved = round(found.shift / 100 * 320)
    assert np.array_equal(shown.left.pixels, near.left.pixels[:, moved:])  # cropped, not resampled
    kept, _ = corrected_photo(near, FixOptions(convergence="keep", comfort=False, floating_window=False))
    assert kept.size == near.size


def test_too_much_depth_is_lowered_to_the_limit() -> None:
    deep = scene_pair(320, 240, near=10, far=-6)
    assert any("total disparity" in line for line in check_pair(deep).verdict)
    shown, found = corrected_photo(deep, FixOptions())
    assert found.parallax is not None
    after = check_pair(shown)
    assert after.nearest - after.farthest == pytest.approx(3.0, abs=0.2)
    assert after.nearest <= 1.05
    assert np.array_equal(shown.left.pixels[:, 10:], deep.left.pixels[:, 10:])  # but for the window's bar
    assert find_correction([deep], FixOptions(comfort=False, order="keep")).parallax is None


def test_what_the_frame_cuts_off_gets_a_floating_window() -> None:
    wall = texture(380, 240, 5)
    cut = StereoPair(Image(wall[:, 20:340].copy()), Image(wall[:, 23:343].copy()))  # all 3 px in front
    assert check_pair(cut).window[0] == pytest.approx(300 / 320, abs=0.05)
    shown, found = corrected_photo(cut, FixOptions(convergence="keep"))
    assert found.window == pytest.approx((300 / 320, 300 / 320), abs=0.05)
    assert (shown.left.pixels[:, :3] == 0).all()
    assert (shown.right.pixels[:, -3:] == 0).all()
    assert max(check_pair(shown).window) < 0.1


def test_everything_at_once_through_the_command(pair: StereoPair, tmp_path: Path) -> None:
    wrong, _ = spoiled(pair, 7, 0.6, 1.012)
    darker = StereoPair(wrong.left, Image((wrong.right.pixels * 0.75).astype(np.uint8)))
    source = packed(darker.swapped(), tmp_path / "old_SBS.png")
    done = CliRunner().invoke(command, [str(source), "--json"])
    assert done.exit_code == 0, done.output
    line = json.loads(done.stdout)
    assert Path(line["output"]) == tmp_path / "old_fixed_LRF_Full_SBS.jpg"
    before, after = line["before"], line["after"]
    assert (before["swapped"], after["swapped"]) == (True, False)
    assert before["vertical_worst"] > 1.5
    assert after["vertical_worst"] * after["height"] / 100 <= 0.3
    assert before["color"] > 5
    assert after["color"] < 2
    assert len(line["corrections"]) >= 3
    plain = CliRunner().invoke(command, [str(source), "-o", str(tmp_path / "b.png")])
    assert plain.exit_code == 0
    assert plain.stdout.strip() == str(tmp_path / "b.png")
    assert "before" in plain.stderr
    assert "swapped" in plain.stderr
    again = CliRunner().invoke(command, [str(source)])
    assert isinstance(again.exception, ExistsError)


def test_an_mpo_stays_one_and_other_layouts_are_written(pair: StereoPair, shared: Path, tmp_path: Path) -> None:
    source = shared / "data/awkward/sugarshack.mpo"
    report = d3.fix(source, tmp_path / "a.mpo")
    assert report.before.vertical_worst * report.before.height / 100 > 1.5
    assert report.after is not None
    assert report.after.vertical_worst * report.after.height / 100 <= 0.3
    assert d3.check(report.path).vertical_worst < 0.1
    small = packed(pair, tmp_path / "small_SBS.png")
    red = d3.fix(small, tmp_path / "a.png", format="anaglyph")
    assert open_image(red.path).size.width <= pair.size.width
    with pytest.raises(InvalidOption, match="two eyes"):
        d3.fix(small, tmp_path / "q.png", format="quilt")
    with pytest.raises(ReadError, match="second eye"):
        d3.fix(save_image(Image(texture(300, 200)), tmp_path / "flat.png"))


def test_a_folder_twice_takes_no_result_as_an_input(
    pair: StereoPair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither those of this command, in any layout, nor depth maps; what `stereo` wrote is an input."""
    packed(pair, tmp_path / "old_SBS.png")
    packed(pair, tmp_path / "a_LRF_Full_SBS.png")
    made = []
    for number in range(2):
        with pytest.raises(SystemExit) as stopped:
            main(["fix", str(tmp_path), "--skip-existing", "--json"])
        assert stopped.value.code == 0
        told = capsys.readouterr()
        lines = [json.loads(line) for line in told.out.splitlines()]
        made.append([Path(line["input"]).name for line in lines if line.get("state") != "skipped"])
        assert f"2 inputs: {2 * (1 - number)} done" in told.err
    assert made == [["a_LRF_Full_SBS.png", "old_SBS.png"], []]
    for name in ("b_fixed.mpo", "b_fixed_left.png", "b_fixed_TBF_FullTB.mp4", "film_fixed_LRF_Full_SBS.mp4"):
        assert is_fixed_name(Path(name))
    for name in ("b_fixedly.png", "_fixed.png", "b_fixed_by_me.png"):
        assert not is_fixed_name(Path(name))


def write_clip(path: Path, pairs: list[StereoPair]) -> Path:
    from fractions import Fraction

    from depth3d.image import Size
    from depth3d.io.animation import write_animation

    wide = [Image(np.hstack([one.left.pixels, one.right.pixels])) for one in pairs]
    size = Size(*wide[0].size)
    write_animation(iter(wide), path, fps=Fraction(10), size=size, count=len(wide))
    return path


def shaded(pair: StereoPair, *, across: bool) -> StereoPair:
    """The pair, dark at the left or at the top: shots that look different."""
    shade = np.linspace(0.1, 1, 320)[None, :, None] if across else np.linspace(0.1, 1, 240)[:, None, None]
    return StereoPair(*(Image((eye.pixels * shade).astype(np.uint8)) for eye in (pair.left, pair.right)))


@pytest.fixture(scope="module")
def two_shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 frames of one scene whose right eye is 5 px too low, then 8 of another one that is turned by 0.8 degrees."""
    first, second = shaded(scene_pair(320, 240, 4, -3), across=True), shaded(scene_pair(320, 240, 3, -2), across=False)
    low, turned = spoiled(first, 5, 0, 1)[0], spoiled(second, 0, 0.8, 1)[0]
    return write_clip(tmp_path_factory.mktemp("clips") / "film_SBS.mp4", [low] * 8 + [turned] * 8)


def test_a_clip_is_corrected_shot_by_shot(two_shots: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    report = d3.fix(two_shots, tmp_path / "out.mp4", frames=2, progress=lambda stage, *_: seen.append(stage))
    assert [line.split(":")[0] for line in report.corrections] == ["from 0.00 s", "from 0.80 s"]
    assert set(seen) == {"measure", "draw"}
    assert report.after is not None
    assert report.before.vertical_worst * 240 / 100 > 2
    assert report.after.vertical_worst * 240 / 100 <= 0.3
    assert (report.after.width, report.after.height) == (320, 240)
    from depth3d.io.video.reader import VideoReader

    with VideoReader(two_shots) as old, VideoReader(report.path) as new:
        assert [frame.time for frame in old] == [frame.time for frame in new]


def test_swapped_eyes_of_a_clip_are_exchanged(tmp_path: Path) -> None:
    scene = scene_pair(320, 240, 8, -3)
    clip = write_clip(tmp_path / "film_SBS.mp4", [scene.swapped()] * 6)
    report = d3.fix(clip, tmp_path / "out.mp4", comfort=False, convergence="keep", frames=1)
    assert report.before.swapped
    assert report.after is not None
    assert not report.after.swapped
    assert report.after.nearest == pytest.approx(8 / 3.2, abs=0.2)


def test_a_clip_with_too_much_depth_gets_a_new_right_eye(tmp_path: Path) -> None:
    scene = scene_pair(320, 240, 12, -4)
    clip = write_clip(tmp_path / "film_SBS.mp4", [scene] * 6)
    report = d3.fix(clip, tmp_path / "out_SBS.mp4", frames=1)
    assert report.after is not None
    assert report.before.nearest - report.before.farthest > 4.5
    assert report.after.nearest - report.after.farthest == pytest.approx(3.0, abs=0.3)
    assert report.after.nearest <= 1.15


def test_a_stopped_clip_goes_on_with_the_same_corrections(
    two_shots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import depth3d.pipeline.clip.fix as module

    def stop(stage: str, done: int, _total: int) -> None:
        if stage == "draw" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        d3.fix(two_shots, tmp_path / "out.mp4", progress=stop, frames=1)

    def refuse(*_: Any) -> None:
        raise AssertionError("measured twice")

    monkeypatch.setattr(module, "_measure", refuse)
    assert d3.fix(two_shots, tmp_path / "out.mp4", frames=1).path.is_file()
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]


def test_options_that_clips_of_this_command_do_not_have_are_refused(two_shots: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="preview"):
        d3.fix(two_shots, tmp_path / "out.mp4", preview=True)
