"""Letterbox and pillarbox bars of clips: found per shot, black in every output, in no statistic, cropped if asked."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from letterboxes import DEPTH, HEIGHT, LETTER, PILLAR, WIDTH, barred, made, scene, write

from depth3d.depthmap import DepthMap
from depth3d.image import Size
from depth3d.io.video.reader import probe
from depth3d.options import AnimateOptions, StabilizeOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.bars import Bars, find_bars
from depth3d.pipeline.clip.depth_pass import first_pass
from depth3d.pipeline.clip.job import plan_job
from depth3d.pipeline.clip.letterbox import placed
from depth3d.pipeline.clip.workspace import WorkFolder


@pytest.fixture(scope="module")
def letterbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One shot of 12 frames with bars of 10 rows; beside it ``inner.mkv``, the same without them."""
    folder = tmp_path_factory.mktemp("bars")
    shown = [barred(scene(1, number), LETTER) for number in range(12)]
    write(folder / "inner.mkv", [pixels[10:-10] for pixels in shown])
    return write(folder / "film.mkv", shown)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Letterbox, whole picture, pillarbox, a letterboxed night; 12 frames each."""
    shots = ((1, LETTER, False), (2, Bars(), False), (3, PILLAR, False), (4, LETTER, True), (5, LETTER, False))
    shown = [barred(scene(seed, number, dark), bars) for seed, bars, dark in shots for number in range(12)]
    return write(tmp_path_factory.mktemp("mixed") / "film.mkv", shown)


def test_bars_are_found_per_shot(mixed: Path) -> None:
    """The night, whose picture is black at its borders, has the bars of the other shots."""
    found = find_bars(mixed, probe(mixed), None, None)
    assert found is not None
    assert [found.at(Fraction(12 * number + 6, 10), Size(WIDTH, HEIGHT)) for number in range(5)] == [
        *(LETTER, Bars(), PILLAR, LETTER, LETTER)
    ]
    assert found.common == Bars()
    assert found.largest_inside == Size(WIDTH, HEIGHT)


def test_subtitles_in_a_bar_and_pictures_without_bars_are_kept(tmp_path: Path) -> None:
    shown = [barred(scene(1, number), LETTER) for number in range(12)]
    for pixels in shown[4:7]:
        pixels[-7:-3, 30:60] = 220
    titled = write(tmp_path / "titled.mkv", shown)
    assert find_bars(titled, probe(titled), None, None) is None  # the lower bar ends at the letters: 3 rows are none
    plain = write(tmp_path / "plain.mkv", [scene(2, number) for number in range(4)])
    assert find_bars(plain, probe(plain), None, None) is None


def test_depth_is_the_same_as_without_bars(letterbox: Path, tmp_path: Path) -> None:
    """Predictions, stabilization and the range of every scene: bars are in no statistic."""
    stored = []
    for number, source in enumerate((letterbox, letterbox.with_name("inner.mkv"))):
        job = plan_job(source, DEPTH, StabilizeOptions(), VideoOptions())
        with WorkFolder(tmp_path, f"{number}.mkv") as work:
            depth = first_pass(job, work.checkpoint("depth", {}, "depth"))
            stored.append((depth.ranges, [record.values for record in depth.records()]))
    assert stored[0][0] == stored[1][0]
    for one, other in zip(stored[0][1], stored[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("format", ["sbs", "tb", "sbs-half", "anaglyph"])
def test_bars_stay_black_in_every_layout(letterbox: Path, tmp_path: Path, format: str) -> None:
    for pixels in made(letterbox, tmp_path / "a.mkv", stereo=StereoOptions(format=format)):
        for eye in np.split(pixels, 2) if format == "tb" else [pixels]:
            assert eye[:10].max() == eye[-10:].max() == 0
            assert (eye[10:-10].max((1, 2)) > 100).all()


def test_pillarbox_is_black_and_the_picture_reaches_it(mixed: Path, tmp_path: Path) -> None:
    """With strong parallax, no black of the bars is moved into the picture."""
    pixels = made(mixed, tmp_path / "a.mkv", stereo=StereoOptions(parallax=6, format="sbs"))[30]
    for eye in np.split(pixels, 2, axis=1):
        assert eye[:, :12].max() == eye[:, -12:].max() == 0
        assert (eye[:, 12:-12].max((0, 2)) > 55).all()
    path = made(mixed, tmp_path / "b.mkv", animate=AnimateOptions(amount=4))[30]
    assert path[:, :12].max() == path[:, -12:].max() == 0
    assert (path[:, 12:-12].max((0, 2)) > 55).all()
    depth = made(mixed, tmp_path / "c.mkv", only_depth=True)[30]
    assert depth[:, :12].max() == depth[:, -12:].max() == 0


def test_cropped_bars_leave_the_clip_inside(letterbox: Path, tmp_path: Path) -> None:
    cropped = made(letterbox, tmp_path / "a.mkv", crop=True)
    inner = made(letterbox.with_name("inner.mkv"), tmp_path / "b.mkv")
    assert cropped[0].shape == (HEIGHT - 20, 2 * WIDTH, 3)
    for one, other in zip(cropped, inner, strict=True):
        np.testing.assert_array_equal(one, other)


def test_placed_depth_is_where_the_picture_is() -> None:
    ramp = np.linspace(0, 1, 80, dtype=np.float32)[None].repeat(40, 0)
    whole = DepthMap(placed(ramp, PILLAR, Size(104, 40)))
    assert whole.size == Size(104, 40)
    np.testing.assert_allclose(whole.values[:, 12:-12], ramp, atol=1e-6)
    assert whole.values[:, :12].max() == 0
    assert whole.values[:, -12:].min() == 1
