"""Black bars of stereo clips, and a given depth with cropped bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from letterboxes import LETTER, barred, frames_of, made, scene, write
from stereoscenes import scene_pair

import depth3d as d3
from depth3d.image import Image, Size
from depth3d.io.image.read import save_image
from depth3d.io.stereo.layouts import EyeLayout
from depth3d.io.video.reader import probe
from depth3d.options import DepthOptions, StabilizeOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.bars import Bars, find_bars
from depth3d.pipeline.clip.depth_pass import first_pass
from depth3d.pipeline.clip.eyes import eye_info
from depth3d.pipeline.clip.job import plan_job
from depth3d.pipeline.clip.workspace import WorkFolder

WIDTH, HEIGHT, BAR = 320, 240, 24
SIDE = EyeLayout("side", half=False, right_first=False)


def eyes(down: int = 0) -> list[np.ndarray]:
    """Left and right eye, HEIGHT - 2 * BAR rows, the right one ``down`` px too low."""
    pair = scene_pair(WIDTH, HEIGHT, 6, -3)
    inside = slice(BAR, HEIGHT - BAR)
    return [
        np.maximum(np.roll(pixels, drop, axis=0)[inside], 40)
        for pixels, drop in ((pair.left.pixels, 0), (pair.right.pixels, down))
    ]


def with_bars(pixels: np.ndarray) -> np.ndarray:
    return np.pad(pixels, ((BAR, BAR), (0, 0), (0, 0)))


def clips(folder: Path, down: int = 0, axis: int = 1, name: str = "film_SBS.mkv") -> tuple[Path, Path]:
    """Write the stereo clip with bars and the same without them, 6 frames."""
    pair = eyes(down=down)
    (folder / "inner").mkdir()
    inner = write(folder / "inner" / name, [np.concatenate(pair, axis)] * 6)
    return write(folder / name, [np.concatenate([with_bars(eye) for eye in pair], axis)] * 6), inner


def test_bars_of_both_eyes_are_in_no_statistic(tmp_path: Path) -> None:
    stored = []
    for number, source in enumerate(clips(tmp_path)):
        job = plan_job(source, DepthOptions(), StabilizeOptions(), VideoOptions())
        assert job.eyes == SIDE
        assert (job.bars is None) == bool(number)
        with WorkFolder(tmp_path, f"{number}.mkv") as work:
            depth = first_pass(job, work.checkpoint("depth", {}, "depth"))
            stored.append((depth.ranges, [record.values for record in depth.records()]))
            assert next(depth.read(0)).size.aspect == pytest.approx(job.info.size.aspect, rel=0.02)
    assert stored[0][0] == stored[1][0]
    for one, other in zip(stored[0][1], stored[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_floating_window_is_no_bar(tmp_path: Path) -> None:
    left, right = (np.pad(eye, ((BAR, BAR), (0, 0), (0, 0)), constant_values=90) for eye in eyes())
    left[:, :12] = 0
    right[:, -12:] = 0
    clip = write(tmp_path / "film_SBS.mkv", [np.hstack([left, right])] * 4)
    assert find_bars(clip, eye_info(probe(clip), SIDE), None, None, SIDE) is None


@pytest.mark.parametrize(("axis", "name", "format"), [(1, "film_SBS.mkv", "sbs"), (0, "film_TB.mkv", "tb")])
def test_cropped_bars_leave_both_eyes_untouched(tmp_path: Path, axis: int, name: str, format: str) -> None:
    clip, inner = clips(tmp_path, axis=axis, name=name)
    shown = made(clip, tmp_path / "out.mkv", crop=True, depth=DepthOptions(), stereo=StereoOptions(format=format))
    for one, other in zip(shown, frames_of(inner), strict=True):
        np.testing.assert_array_equal(one, other)


def test_new_eyes_keep_their_bars_black(tmp_path: Path) -> None:
    clip, _ = clips(tmp_path)
    for pixels in made(
        clip, tmp_path / "out.mkv", depth=DepthOptions(), stereo=StereoOptions(format="sbs", parallax=4)
    ):
        assert pixels.shape == (HEIGHT, 2 * WIDTH, 3)
        assert pixels[:BAR].max() == pixels[-BAR:].max() == 0
        assert (pixels[BAR:-BAR].max((1, 2)) > 30).all()


@pytest.mark.parametrize("crop", [False, True])
def test_corrections_are_those_of_the_picture_inside(tmp_path: Path, crop: bool) -> None:
    """The bars are drawn again, straight and black, or cropped; the corrected picture is the same."""
    clip, inner = clips(tmp_path, down=4)
    settings: dict[str, Any] = {"frames": 1, "codec": "ffv1"}
    report = d3.fix(clip, tmp_path / "out.mkv", crop_bars=crop, **settings)
    alone = d3.fix(inner, tmp_path / "alone.mkv", **settings)
    assert report.corrections == alone.corrections
    for one, other in zip(frames_of(report.path), frames_of(alone.path), strict=True):
        if not crop:
            assert one[:BAR].max() == one[-BAR:].max() == 0
        np.testing.assert_array_equal(one if crop else one[BAR:-BAR], other)
    assert report.after is not None
    if crop:
        assert report.after.vertical_worst * (HEIGHT - 2 * BAR) / 100 <= 0.3


def test_half_formats_lose_half_as_many_columns(tmp_path: Path) -> None:
    """Pillarbox: 40 columns of each eye are 20 in the file."""
    left, right = (np.pad(eye[:, 40:-40], ((0, 0), (40, 40), (0, 0))) for eye in eyes())
    squeezed = np.hstack([left[:, ::2], right[:, ::2]])
    clip = write(tmp_path / "film_HSBS.mkv", [squeezed] * 4)
    job = plan_job(clip, DepthOptions(layout="sbs-half"), StabilizeOptions(), VideoOptions(crop_bars=True))
    assert job.crop == Bars(left=40, right=40)
    (shown, *_) = job.frames(both_eyes=True)
    np.testing.assert_array_equal(shown.image.pixels, np.hstack([left[:, 40:-40:2], right[:, 40:-40:2]]))
    assert job.info.size == Size(WIDTH - 80, HEIGHT - 2 * BAR)


@pytest.mark.parametrize("kind", ["clip", "picture", "inner"])
def test_given_depth_with_cropped_bars(tmp_path: Path, kind: str) -> None:
    """Depth of the whole frame is cropped, too; depth of the picture inside is used as it is."""
    film = write(tmp_path / "film.mkv", [barred(scene(1, number), LETTER) for number in range(6)])
    (tmp_path / "inner").mkdir()
    inner = write(tmp_path / "inner" / "film.mkv", [scene(1, number)[10:-10] for number in range(6)])
    ramp = np.linspace(0, 255, 72).astype(np.uint8)[:, None, None].repeat(96, 1).repeat(3, 2)
    small, depth = tmp_path / "small.png", tmp_path / "depth.png"
    save_image(Image(np.ascontiguousarray(ramp[10:-10])), small)
    save_image(Image(ramp), depth)
    if kind == "clip":
        depth = write(tmp_path / "depth.mkv", [ramp] * 6)
    given = small if kind == "inner" else depth
    one = made(film, tmp_path / "a.mkv", crop=True, depth=DepthOptions(depth=str(given)))
    other = made(inner, tmp_path / "b.mkv", depth=DepthOptions(depth=str(small)))
    assert len(one) == len(other) == 6
    for shown, expected in zip(one, other, strict=True):
        assert np.abs(shown.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("axis", [0, 1])
def test_check_measures_the_picture_inside(tmp_path: Path, axis: int) -> None:
    """In percent of the whole frame: letterbox, and pillarbox whose picture is narrower than the frame."""
    pair = [with_bars(eye) if axis == 0 else np.pad(eye, ((0, 0), (40, 40), (0, 0))) for eye in eyes(down=3)]
    report = d3.check(write(tmp_path / "film_SBS.mkv", [np.hstack(pair)] * 2), frames=1)
    height, width = pair[0].shape[:2]
    assert (report.width, report.height) == (width, height)
    assert report.nearest == pytest.approx(600 / width, abs=0.2)
    assert report.farthest == pytest.approx(-300 / width, abs=0.2)
    assert abs(report.vertical) * height / 100 == pytest.approx(3, abs=0.3)
