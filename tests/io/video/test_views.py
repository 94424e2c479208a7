"""MV-HEVC clips: both views side by side, the left eye first, with the times and seeks of the base view."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from clips import make_clip
from spatial import COUNT, SAMPLE, eyes, write_spatial
from stereoscenes import CLIP_HEIGHT as HEIGHT
from stereoscenes import CLIP_NEAR as NEAR
from stereoscenes import CLIP_WIDTH as WIDTH

from depth3d.errors import ReadError
from depth3d.image import Size
from depth3d.io.video import views
from depth3d.io.video.reader import VideoReader, probe
from depth3d.io.video.stereo_metadata import has_hidden_eye
from depth3d.io.video.views import has_views

TIMES = [Fraction(number, 25) for number in range(COUNT)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_spatial(tmp_path_factory.mktemp("spatial") / "spatial.mov")


def _signal_to_noise(made: np.ndarray, gray: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((made.mean(-1) - gray) ** 2)))


@pytest.mark.parametrize("bare", [False, True])
def test_both_views_are_read_side_by_side(clip: Path, bare: bool) -> None:
    path = SAMPLE if bare else clip
    assert has_views(path)
    with VideoReader(path, views=True) as reader:
        info, frames = reader.info, list(reader)
    assert (info.size, info.color, info.duration) == (Size(2 * WIDTH, HEIGHT), probe(path).color, Fraction(COUNT, 25))
    assert [frame.time for frame in frames] == TIMES
    assert info.count in (COUNT, None)
    for number, frame in enumerate(frames):
        halves = np.split(frame.image.pixels, 2, axis=1)
        for made, gray in zip(halves, eyes(number), strict=True):
            assert _signal_to_noise(made, gray) > 34, number
    # The square is as much further left on the right as it was in the pictures that were encoded.
    left, right = (half[50:94].mean(-1) for half in np.split(frames[3].image.pixels, 2, axis=1))
    missed = [np.abs(left[:, 96:156] - right[:, 96 - shift : 156 - shift]).mean() for shift in range(30)]
    assert int(np.argmin(missed)) == NEAR


def test_without_views_the_base_view_is_read(clip: Path) -> None:
    with VideoReader(clip) as reader:
        frames = list(reader)
    assert [frame.time for frame in frames] == TIMES
    assert reader.info.size == Size(WIDTH, HEIGHT)
    assert _signal_to_noise(frames[3].image.pixels, eyes(3)[0]) > 34


@pytest.mark.parametrize("number", [2, 3, 5])
def test_a_seek_gives_the_same_frames(clip: Path, number: int) -> None:
    """Frame 3 is a key frame, 5 is not."""
    with VideoReader(clip, views=True) as reader:
        whole, found = list(reader), list(reader.frames(number, TIMES[number]))
    assert [frame.index for frame in found] == list(range(number, COUNT))
    for before, frame in zip(whole[number:], found, strict=True):
        assert np.array_equal(before.image.pixels, frame.image.pixels)


@pytest.mark.parametrize("told", ["stream", "box"])
def test_the_left_eye_comes_first_where_the_base_view_is_the_right_one(
    clip: Path, tmp_path: Path, told: Literal["stream", "box"]
) -> None:
    path = write_spatial(tmp_path / "crossed.mp4", right_first=told)
    with VideoReader(path, views=True) as reader, VideoReader(clip, views=True) as usual:
        crossed, straight = (next(iter(one)).image.pixels for one in (reader, usual))
    assert np.array_equal(crossed, np.hstack(np.split(straight, 2, axis=1)[::-1]))


def test_each_view_is_cropped_and_turned_by_itself(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from depth3d.io.video import reader as room
    from depth3d.io.video.orientation import Crop, Orientation

    monkeypatch.setattr(room, "read_crop", lambda path, size: Crop(left=6, right=10))
    monkeypatch.setattr(room, "orientation_of", lambda matrix, rotation: Orientation(flip_x=True, flip_y=True))
    with VideoReader(clip, views=True) as reader:
        frame = next(iter(reader)).image
    assert reader.info.size == frame.size == Size(2 * (WIDTH - 16), HEIGHT)
    left = np.split(frame.pixels, 2, axis=1)[0]
    assert _signal_to_noise(left, eyes(0)[0][::-1, ::-1][:, 10:-6]) > 34


def test_a_lost_view_is_replaced_by_the_other(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder gives the base view alone: frames keep their size."""
    assert has_views(clip)
    monkeypatch.setattr(views, "_ALL", {})
    with VideoReader(clip, views=True) as reader:
        frames = list(reader)
    assert [frame.time for frame in frames] == TIMES
    left, right = np.split(frames[3].image.pixels, 2, axis=1)
    assert np.array_equal(left, right)


def test_open_readers_do_not_disturb_each_other(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets of one clip are freed while another clip is being decoded: its lost views stay known as lost."""
    assert has_views(clip)
    monkeypatch.setattr(views, "_ALL", {})
    with VideoReader(clip, views=True) as reader, VideoReader(clip, views=True) as other:
        times = []
        for frame in reader:
            times.append(frame.time)
            assert len(list(other)) == COUNT
    assert times == TIMES


def test_decoders_without_views_and_flat_clips_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_views(make_clip(tmp_path / "flat.mp4", count=2))
    assert not has_views(
        make_clip(tmp_path / "hevc.mp4", count=3, codec="libx265", options={"x265-params": "log-level=0"})
    )
    assert not has_views(tmp_path / "nothing.mp4")
    monkeypatch.setattr(views, "_ALL", {})
    path = write_spatial(tmp_path / "spatial.mp4")
    assert not has_views(path)
    assert has_hidden_eye(path)
    assert probe(path, views=True).size == Size(WIDTH, HEIGHT)


def test_joined_frames_over_8k_are_refused(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_views(clip)
    monkeypatch.setattr(views, "LARGEST_FRAME", 2 * WIDTH * HEIGHT - 1)
    with pytest.raises(ReadError, match="with both views has frames of 512x144"):
        probe(clip, views=True)
    assert probe(clip).size == Size(WIDTH, HEIGHT)
