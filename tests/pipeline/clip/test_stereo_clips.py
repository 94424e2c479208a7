"""Stereo clips as input: both eyes kept exactly in every layout, depth matched, flat clips left flat."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spatial
from clips import insert_into_sample_entry, make_clip, write_clip
from spatial import write_spatial
from stereoscenes import CLIP_HEIGHT as HEIGHT
from stereoscenes import CLIP_WIDTH as WIDTH
from stereoscenes import moving_square as eyes

import depth3d.depth.estimator
from depth3d.errors import ReadError
from depth3d.frames import VideoInfo
from depth3d.image import Image, Size
from depth3d.io.stereo.layouts import EyeLayout
from depth3d.io.video import views
from depth3d.io.video.mp4_boxes import stereo_boxes
from depth3d.io.video.reader import VideoReader, probe
from depth3d.io.video.stereo_metadata import has_hidden_eye, read_stereo_metadata
from depth3d.options import AnimateOptions, DepthOptions, OutputOptions, StabilizeOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip import job as job_module
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.eyes import eye_info, find_layout, plain_stem
from depth3d.pipeline.clip.job import plan_job

CODEC = VideoOptions(codec="ffv1")


def frames_of(path: Path) -> np.ndarray:
    with VideoReader(path) as reader:
        return np.stack([frame.image.pixels for frame in reader])


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a stereo clip needs no network")

    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", refuse)


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "film_SBS.mkv"
    return write_clip(path, [np.hstack(eyes(n)) for n in range(12)])


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("film_SBS.mkv", EyeLayout("side", False, False)),
        ("film_LRF_Full_SBS.mkv", EyeLayout("side", False, False)),
        ("film_cross.mkv", EyeLayout("side", False, True)),
        ("film_TB_full.mkv", EyeLayout("stack", False, False)),
        ("film.mkv", EyeLayout("side", False, False)),
        ("film_half_SBS.mkv", EyeLayout("side", True, False)),
    ],
)
def test_the_layout_is_found_by_name_or_content(tmp_path: Path, name: str, layout: EyeLayout) -> None:
    left, right = eyes(0)
    first, second = (right, left) if layout.right_first else (left, right)
    packed = np.concatenate([first, second], axis=0 if layout.packing == "stack" else 1)
    path = write_clip(tmp_path / name, [packed[:, ::2] if layout.half else packed] * 6)
    found = find_layout(path, probe(path))
    assert found is not None
    assert found[0] == layout


def test_the_container_is_believed(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "film.mkv", [np.vstack(eyes(n)[::-1]) for n in range(3)], stereo_mode="bottom_top")
    found = find_layout(path, probe(path))
    assert found is not None
    assert (found[0].packing, found[0].right_first) == ("stack", True)


@pytest.mark.parametrize(("number", "packing"), [(3, "side"), (4, "stack")])
def test_the_stream_is_believed(tmp_path: Path, number: int, packing: str) -> None:
    """The frame-packing message of H.264; the container says nothing."""
    settings = {"x264-params": f"frame-packing={number}"}
    path = write_clip(tmp_path / "film.mp4", [np.zeros((64, 64, 3), np.uint8)] * 2, codec="libx264", options=settings)
    assert read_stereo_metadata(path) == (packing, False)


def test_boxes_of_apple_alone_are_believed(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "film.mp4", count=2)
    boxes = stereo_boxes("stack")
    insert_into_sample_entry(path, boxes[boxes.index(b"vexu") - 4 :])
    assert read_stereo_metadata(path) == ("stack", False)


def test_a_second_eye_that_is_not_decoded_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layered, path = make_clip(tmp_path / "spatial.mp4", count=2), make_clip(tmp_path / "film.mp4", count=2)
    insert_into_sample_entry(layered, b"\0\0\0\x0clhvC\0\0\0\0")  # no more than the mark
    assert (has_hidden_eye(layered), has_hidden_eye(path)) == (True, False)
    monkeypatch.setattr(job_module, "has_hidden_eye", lambda _: True)
    job = plan_job(path, DepthOptions(), StabilizeOptions(), VideoOptions())
    assert job.eyes is None
    assert any("MV-HEVC" in note for note in job.info.notes)


def test_a_spatial_clip_is_a_stereo_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MV-HEVC: an anaglyph of both eyes; flat with ``own_eyes=False`` and where the decoder lacks the second view."""
    path = write_spatial(tmp_path / "spatial.mp4")
    made = convert(path, tmp_path / "a.mkv", stereo=StereoOptions(format="red-cyan-color"), video=CODEC)
    left, right = spatial.eyes(3)
    frame = frames_of(made)[3].astype(float)
    assert frame.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(frame[..., 0] - left).mean() < 4
    assert np.abs(frame[..., 1:].mean(-1) - right).mean() < 4

    def planned(own_eyes: bool) -> tuple[bool, str]:
        job = plan_job(path, DepthOptions(), StabilizeOptions(), VideoOptions(), own_eyes=own_eyes)
        assert job.info.size == Size(WIDTH, HEIGHT)
        assert next(job.frames()).image.size == job.info.size
        return job.eyes is not None, " ".join(job.info.notes)

    assert planned(False) == (False, "")
    stereo, note = planned(True)
    assert stereo
    assert "its second layer" in note
    views._found.cache_clear()
    monkeypatch.setattr(views, "_ALL", {})
    stereo, note = planned(True)
    views._found.cache_clear()
    assert not stereo
    assert "is not decoded" in note


def test_frame_packing_of_hdmi_is_known_by_its_size(tmp_path: Path) -> None:
    """Both eyes come out untouched, without the 30 rows between them."""
    dice = np.random.default_rng(7)
    packed = dice.integers(0, 255, (1470, 1280, 3), dtype=np.uint8)
    path = write_clip(tmp_path / "film.mkv", [packed])
    found = find_layout(path, probe(path))
    assert found == (EyeLayout("stack", False, False, gap=True), "its size is that of HDMI frame packing")
    assert eye_info(probe(path), found[0]).size == Size(1280, 720)
    pair = found[0].unpack(Image(packed))
    assert np.array_equal(pair.left.pixels, packed[:720])
    assert np.array_equal(pair.right.pixels, packed[750:])
    assert len(EyeLayout("stack", False, True, gap=True).unpack(Image(packed[:490])).left.pixels) == 240


def test_flat_clips_stay_flat_whatever_their_name(tmp_path: Path) -> None:
    for name in ("trip.mp4", "trip_LR.mp4", "trip_TB.mp4"):
        path = make_clip(tmp_path / name, count=6, size=(256, 144))
        assert find_layout(path, probe(path)) is None, name


def test_an_anaglyph_is_refused(tmp_path: Path) -> None:
    tagged = write_clip(tmp_path / "film.mkv", [eyes(0)[0]], stereo_mode="anaglyph_cyan_red")
    with pytest.raises(ReadError, match="container says anaglyph"):
        find_layout(tagged, probe(tagged))
    path = make_clip(tmp_path / "film_anaglyph.mp4", count=3)
    with pytest.raises(ReadError, match="eyes cannot be separated"):
        convert(path, tmp_path / "b.mkv", video=CODEC)


@pytest.mark.parametrize(("format", "axis"), [("sbs", 2), ("tb", 1), ("cross", 2)])
def test_both_eyes_come_out_untouched(side: Path, tmp_path: Path, format: str, axis: int) -> None:
    made = frames_of(convert(side, tmp_path / "b.mkv", stereo=StereoOptions(format=format), video=CODEC))
    assert len(made) == 12
    for number, frame in enumerate(made):
        left, right = eyes(number)
        first, second = (right, left) if format == "cross" else (left, right)
        assert np.array_equal(frame, np.concatenate([first, second], axis=axis - 1))


def test_half_comes_back_full_and_an_anaglyph_is_mixed_from_both(side: Path, tmp_path: Path) -> None:
    red = frames_of(convert(side, tmp_path / "a.mkv", stereo=StereoOptions(format="red-cyan-color"), video=CODEC))
    left, right = eyes(3)
    assert red.shape[1:3] == (HEIGHT, WIDTH)
    assert np.abs(red[3][..., 0].astype(int) - left[..., 0]).max() <= 1
    assert np.abs(red[3][..., 1:].astype(int) - right[..., 1:]).max() <= 1
    half = convert(side, tmp_path / "c_half_SBS.mkv", stereo=StereoOptions(format="sbs-half"), video=CODEC)
    full = frames_of(convert(half, tmp_path / "d.mkv", stereo=StereoOptions(format="sbs"), video=CODEC))
    assert full.shape[1:3] == (HEIGHT, 2 * WIDTH)
    # Blocks of four pixels, every edge of them blurred by half a pixel; the other eye differs by far more.
    assert np.abs(full[3][:, :WIDTH].astype(int) - left).mean() < 20
    square = slice(44, 100), slice(90, 160)
    assert np.abs(full[3][:, :WIDTH].astype(int) - right)[square].mean() > 50


def test_depth_is_matched_and_stable(side: Path, tmp_path: Path) -> None:
    """White where the square is, in every frame, at the size of one eye."""
    depth = frames_of(convert(side, tmp_path / "d.mkv", only_depth=True, video=CODEC))
    depth = depth if depth.dtype == np.uint8 else (depth >> 8)
    assert depth.shape[1:3] == (HEIGHT, WIDTH)
    for number, frame in enumerate(depth):
        x = 80 + 2 * number
        assert frame[60:84, x + 20 : x + 60].mean() > 220, number
        assert frame[10:30].mean() < 40, number


def test_another_parallax_renders_new_eyes_from_matched_depth(side: Path, tmp_path: Path) -> None:
    options = StereoOptions(format="sbs", parallax=1200 / WIDTH, eyes="right", convergence=0.0)
    made = frames_of(convert(side, tmp_path / "b.mkv", stereo=options, video=CODEC))
    left, _ = eyes(5)
    assert np.array_equal(made[5][:, :WIDTH], left)
    # The square (depth 1, less the room that the range leaves) moves by 12 px to the left; the wall stays.
    x, square = 80 + 10, left[60:84, 110:150].astype(int)
    missed = [np.abs(made[5][60:84, WIDTH + x + 20 - n : WIDTH + x + 60 - n] - square).mean() for n in range(20)]
    assert int(np.argmin(missed)) in (11, 12)
    assert min(missed) < 30
    assert missed[0] > 60
    same = made[5][5:30, WIDTH : 2 * WIDTH] == left[5:30]
    assert same.mean() > 0.7


def test_a_camera_path_moves_over_the_left_eye(side: Path, tmp_path: Path) -> None:
    made = frames_of(convert(side, tmp_path / "b.mkv", animate=AnimateOptions(amount=0.0), video=CODEC))
    assert made.shape == (12, HEIGHT, WIDTH, 3)
    assert np.abs(made[4].astype(int) - eyes(4)[0]).mean() < 6


def test_own_eyes_off_or_a_depth_file_means_a_flat_clip(side: Path) -> None:
    def planned(depth: DepthOptions, own_eyes: bool) -> Size:
        return plan_job(side, depth, StabilizeOptions(), VideoOptions(), own_eyes=own_eyes).info.size

    assert planned(DepthOptions(), True) == Size(WIDTH, HEIGHT)
    assert planned(DepthOptions(), False) == Size(2 * WIDTH, HEIGHT)
    assert planned(DepthOptions(depth="depth.png"), True) == Size(2 * WIDTH, HEIGHT)


def test_an_option_of_networks_is_said_to_be_unused(side: Path) -> None:
    def notes(options: StabilizeOptions) -> str:
        return " ".join(plan_job(side, DepthOptions(), options, VideoOptions()).info.notes)

    assert "`depth_every` does not apply" in notes(StabilizeOptions(depth_every="auto"))
    assert "depth_every" not in notes(StabilizeOptions())


def test_preview_and_plan_of_a_stereo_clip(side: Path, tmp_path: Path) -> None:
    for video in (VideoOptions(preview=True), VideoOptions(dry_run=True)):
        made = convert(side, tmp_path / "b.mkv", video=video, output_options=OutputOptions(force=True))
        assert made.exists() == video.preview


def test_sizes_of_one_eye() -> None:
    def info(width: int, height: int, aspect: Fraction) -> VideoInfo:
        return VideoInfo(Path("x"), Size(width, height), Fraction(25), Fraction(1, 25), pixel_aspect=aspect)

    found = eye_info(info(1920, 1080, Fraction(1)), EyeLayout("side", True, False))
    assert (found.size, found.pixel_aspect) == (Size(1920, 1080), 1)
    found = eye_info(info(1920, 1080, Fraction(2)), EyeLayout("side", True, False))
    assert (found.size, found.pixel_aspect) == (Size(1920, 1080), 1)
    found = eye_info(info(1920, 2160, Fraction(1)), EyeLayout("stack", False, False))
    assert (found.size, found.pixel_aspect) == (Size(1920, 1080), 1)


def test_names_lose_their_old_layout() -> None:
    assert plain_stem("film_LRF_Full_SBS") == "film"
    assert plain_stem("film.TB") == "film"
    assert plain_stem("sbs") == "sbs"
    assert plain_stem("absolute") == "absolute"


@pytest.mark.parametrize(
    ("name", "marked", "expected"),
    [
        ("film.mp4", ("side", False), (EyeLayout("side", True, False), True)),
        ("film_full_sbs.mp4", ("side", False), (EyeLayout("side", False, False), True)),
        ("film_tb.mp4", ("side", True), (EyeLayout("side", True, True), True)),
        ("film_hsbs.mp4", None, (EyeLayout("side", True, False), False)),
        ("film.mp4", None, None),
    ],
)
def test_metadata_and_names_state_one_layout(
    monkeypatch: pytest.MonkeyPatch, name: str, marked: object, expected: object
) -> None:
    """One rule for conversions, checks and galleries."""
    from depth3d.pipeline.clip import eyes

    monkeypatch.setattr(eyes, "read_stereo_metadata", lambda path: marked)
    assert eyes.stated_layout(Path(name), Size(1920, 1080)) == expected
