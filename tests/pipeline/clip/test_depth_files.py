"""Depth clips are matched with their source by time, whatever their rate and wherever either begins."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from clip_child import FunctionOfThePicture
from clips import make_clip

import depth3d.depth.estimator
from depth3d.depthmap import DepthMap
from depth3d.errors import InvalidInput
from depth3d.image import Size
from depth3d.io.video.depth_clip import DepthClipWriter
from depth3d.io.video.reader import VideoReader
from depth3d.options import DepthOptions, OutputOptions, StabilizeOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.depth_files import given_depth
from depth3d.pipeline.clip.job import plan_job


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = lambda *_, **__: FunctionOfThePicture()  # noqa: E731
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", stand_in)


def depth_clip(path: Path, seconds: int, rate: int, start: Fraction = Fraction(0)) -> Path:
    """Depth whose value tells its own second of the source: 1/16 a second."""
    base = Fraction(1, rate)
    with DepthClipWriter(path, Size(32, 24), rate=Fraction(rate), time_base=base, start=start) as writer:
        for n in range(seconds * rate):
            value = np.full((24, 32), float(start + n * base) / 16, np.float32)
            writer.write(DepthMap(value), n * base)
    return path


def seconds_of(clip: Path, depth: Path, **video: str) -> list[tuple[float, float]]:
    """Time in the source of each frame, and of the depth that it gets."""
    job = plan_job(clip, DepthOptions(depth=str(depth)), StabilizeOptions(), VideoOptions(**video))  # type: ignore[arg-type]
    pairs = given_depth(depth, job).follow(job.frames(), 0)
    return [(float(frame.time + job.begin), float(values.values[0, 0]) * 16) for frame, values in pairs]


@pytest.mark.parametrize("rate", [25, 10, 50])
def test_whole_depth_is_used_from_the_start_on(tmp_path: Path, rate: int) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=150, rate=Fraction(25))
    depth = depth_clip(tmp_path / "d.mkv", 6, rate)
    for video in ({}, {"start": "2"}, {"start": "2.3", "end": "4"}, {"start": "2", "fps": "10"}):
        found = seconds_of(clip, depth, **video)
        assert len(found) > 15
        assert max(when - shown for when, shown in found) <= 1 / rate + 0.002
        assert min(when - shown for when, shown in found) >= -0.003


def test_depth_of_a_part_belongs_to_that_part(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=150, rate=Fraction(25))
    depth = depth_clip(tmp_path / "d.mkv", 4, 25, start=Fraction(2))
    for video in ({"start": "2"}, {"start": "3", "end": "5"}):
        assert all(abs(when - shown) < 0.003 for when, shown in seconds_of(clip, depth, **video))
    with pytest.raises(InvalidInput, match="from second 2 on"):
        seconds_of(clip, depth)


def test_depth_that_is_too_short_is_refused_before_the_work(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=150, rate=Fraction(25))
    depth = depth_clip(tmp_path / "d.mkv", 4, 25)
    with pytest.raises(InvalidInput, match=r"holds 4\.00 s of depth"):
        convert(clip, tmp_path / "b.mp4", depth=DepthOptions(depth=str(depth)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "d.mkv"]


def test_saved_depth_of_a_part_says_where_it_begins(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=75, rate=Fraction(25))
    saved = str(tmp_path / "d.mkv")
    convert(clip, tmp_path / "b.mkv", video=VideoOptions(start="1", end="2", save_depth=saved, codec="ffv1"))
    again = convert(
        *(clip, tmp_path / "c.mkv"),
        depth=DepthOptions(depth=saved),
        video=VideoOptions(start="1.2", end="1.8", codec="ffv1"),
    )
    with VideoReader(tmp_path / "b.mkv") as first, VideoReader(again) as second:
        before = [frame.image.pixels.astype(int) for frame in first]
        after = [frame.image.pixels for frame in second]
    assert len(after) == 15
    # Kept in 16 bits, the depth moves single pixels by a rounding.
    same = [np.abs(a - b).mean() for a, b in zip(before[5:20], after, strict=True)]
    other = [np.abs(a - b).mean() for a, b in zip(before[4:19], after, strict=True)]
    assert max(same) < 0.5 < min(other)


@pytest.mark.parametrize("suffix", ["mkv", "nut"])
def test_saved_depth_of_a_held_frame_fits_its_own_clip(tmp_path: Path, suffix: str) -> None:
    grays = [PIL.Image.new("RGB", (64, 48), (40 * n, 40 * n, 40 * n)) for n in range(5)]
    clip, saved = tmp_path / "a.gif", tmp_path / f"d.{suffix}"
    grays[0].save(clip, save_all=True, append_images=grays[1:], duration=[100] * 4 + [3000], loop=0)
    for span in ({}, {"start": "0.2"}, {"end": "2"}):
        video = VideoOptions(save_depth=str(saved), codec="ffv1", **span)  # type: ignore[arg-type]
        convert(clip, tmp_path / "b.mkv", video=video, output_options=OutputOptions(force=True))
        pairs = seconds_of(clip, saved, **span)
        assert len(pairs) == 5 - 2 * ("start" in span)
        wanted = {"start": 3.2, "end": 2.0}.get(next(iter(span), ""), 3.4)
        with VideoReader(saved) as reader:
            assert suffix == "nut" or float(reader.info.duration or 0) == pytest.approx(wanted, abs=0.01)
    if suffix == "nut":  # without durations: the repeated frame would lack depth
        with pytest.raises(InvalidInput, match="of depth"):
            seconds_of(clip, saved, fps="10")
