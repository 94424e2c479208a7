"""Options that say where the eyes of a stereo clip are, which is which, and what its depth comes from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from clip_child import FunctionOfThePicture
from clips import make_clip, write_clip
from stereoscenes import CLIP_HEIGHT as HEIGHT
from stereoscenes import CLIP_WIDTH as WIDTH
from stereoscenes import moving_square as eyes

import depth3d.depth.estimator
from depth3d.depthmap import DepthMap, Disparity
from depth3d.errors import FlatError, InvalidOption
from depth3d.image import Image, Size
from depth3d.io.depth.write import write_depth
from depth3d.io.video.reader import VideoReader
from depth3d.options import DepthOptions, StabilizeOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.job import ClipJob, plan_job

SIDE = StereoOptions(format="sbs")


class Watching(FunctionOfThePicture):
    """A network that remembers the sizes of its pictures."""

    seen: set[Size]

    def predict(self, images: Iterable[Image]) -> list[Disparity]:
        images = list(images)
        Watching.seen |= {image.size for image in images}
        return super().predict(images)


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    Watching.seen = set()
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", lambda *_, **__: Watching())


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("c") / "film_SBS.mkv", [np.hstack(eyes(n)) for n in range(8)])


def first_frame(source: Path, stereo: StereoOptions = SIDE, **options: object) -> np.ndarray:
    depth = DepthOptions(**options)  # type: ignore[arg-type]
    target = source.with_name(f"made_{len(list(source.parent.iterdir()))}.mkv")
    with VideoReader(convert(source, target, stereo=stereo, depth=depth, video=VideoOptions(codec="ffv1"))) as reader:
        return next(iter(reader)).image.pixels


def planned(source: Path, *, own_eyes: bool = True, **options: object) -> ClipJob:
    depth = DepthOptions(**options)  # type: ignore[arg-type]
    return plan_job(source, depth, StabilizeOptions(), VideoOptions(), own_eyes=own_eyes)


def test_a_given_layout_counts_more_than_name_and_content(side: Path, tmp_path: Path) -> None:
    expected = np.hstack(eyes(0))
    crossed = write_clip(tmp_path / "film_SBS.mkv", [np.hstack(eyes(n)[::-1]) for n in range(8)])
    np.testing.assert_array_equal(first_frame(crossed, layout="cross"), expected)
    stacked = write_clip(tmp_path / "film.mkv", [np.vstack(eyes(n)) for n in range(8)])
    np.testing.assert_array_equal(first_frame(stacked, layout="tb"), expected)
    assert planned(side, layout="sbs-half").info.size == Size(2 * WIDTH, HEIGHT)
    assert not Watching.seen


def test_swapped_eyes_are_exchanged(side: Path, tmp_path: Path) -> None:
    np.testing.assert_array_equal(first_frame(side, swap_eyes=True), np.hstack(eyes(0)[::-1]))
    np.testing.assert_array_equal(first_frame(side, layout="cross", swap_eyes=True), np.hstack(eyes(0)))
    flat = make_clip(tmp_path / "a.mp4", count=4)
    with pytest.raises(FlatError, match="no second eye that could be swapped"):
        planned(flat, swap_eyes=True)


def test_without_stereo_a_clip_is_flat(side: Path) -> None:
    assert planned(side, stereo=False).info.size == Size(2 * WIDTH, HEIGHT)
    for wrong in ({"layout": "sbs"}, {"swap_eyes": True}):
        with pytest.raises(InvalidOption, match="stereo cannot be off together with `layout`"):
            planned(side, stereo=False, **wrong)


def test_a_network_by_name_sees_the_left_eye(side: Path) -> None:
    """Its depth makes a new right eye; the left one stays."""
    assert not planned(side, model="tiny").matched
    made = first_frame(side, StereoOptions(format="sbs", eyes="right"), model="tiny")
    assert Watching.seen == {Size(WIDTH, HEIGHT)}
    left, right = eyes(0)
    assert made.shape == (HEIGHT, 2 * WIDTH, 3)
    np.testing.assert_array_equal(made[:, :WIDTH], left)
    assert np.abs(made[:, WIDTH:].astype(int) - right).mean() > 2
    both = first_frame(side, model="tiny")  # eyes and parallax as usual, and yet new ones
    assert np.abs(both.astype(int) - np.hstack([left, right])).mean() > 2


def test_own_eyes_off_with_a_layout_renders_new_ones(side: Path) -> None:
    made = first_frame(side, StereoOptions(format="sbs", own_eyes=False), layout="sbs")
    assert made.shape == (HEIGHT, 2 * WIDTH, 3)
    assert np.abs(made.astype(int) - np.hstack(eyes(0))).mean() > 1
    assert not Watching.seen


def test_a_depth_file_with_a_layout_is_that_of_the_left_eye(side: Path, tmp_path: Path) -> None:
    flat = write_depth(DepthMap(np.full((HEIGHT, WIDTH), 0.5, np.float32)), tmp_path / "d.png")
    made = first_frame(side, layout="sbs", depth=str(flat))
    left = eyes(0)[0]
    np.testing.assert_array_equal(made, np.hstack([left, left]))
