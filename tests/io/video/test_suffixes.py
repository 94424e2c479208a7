"""What a clip is: by its suffix, and by its content where the suffix leaves it open."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from clips import ffmpeg, make_clip, picture
from PIL import Image as Pillow

from depth3d.io.image.read import open_image
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.suffixes import is_clip, is_sequence


@pytest.mark.parametrize(
    "suffix",
    "vob asf f4v divx dv m2v mod tod m2t 3g2 nut insv lrv h264 hevc mjpeg MP4 mkv y4m mxf".split(),  # noqa: SIM905
)
def test_clips_by_suffix(suffix: str) -> None:
    assert is_clip(f"a.{suffix}")


@pytest.mark.parametrize("suffix", "jpg jpeg heic tif bmp mpo jps webp avif png exr txt".split())  # noqa: SIM905
def test_photos_by_suffix(suffix: str) -> None:
    assert not is_clip(f"a.{suffix}")


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_animations_are_clips_and_stills_are_photos(tmp_path: Path, suffix: str) -> None:
    stills = [Pillow.fromarray(picture(n)) for n in range(3)]
    stills[0].save(tmp_path / f"many.{suffix}", save_all=True, append_images=stills[1:], duration=40)
    stills[0].save(tmp_path / f"one.{suffix}")
    assert is_clip(tmp_path / f"many.{suffix}")
    assert not is_clip(tmp_path / f"one.{suffix}")


def test_a_still_gif_whose_data_look_like_frame_headers_is_a_photo(tmp_path: Path) -> None:
    Pillow.fromarray(picture(0)).save(tmp_path / "a.gif", comment=b"\x21\xf9\x04\x2c" * 20)
    assert not is_clip(tmp_path / "a.gif")


@pytest.mark.parametrize(
    "suffix",
    "mp4 mov mkv webm avi mpg ts m2ts flv wmv ogv mxf nut y4m h264 hevc m2v ivf gif apng".split(),  # noqa: SIM905
)
def test_a_clip_without_a_known_suffix_is_known_by_its_content(tmp_path: Path, suffix: str) -> None:
    ffmpeg(
        "-i",
        str(make_clip(tmp_path / "a.mkv", count=25, rate=Fraction(25), size=(352, 288))),
        str(tmp_path / f"b.{suffix}"),
    )
    shutil.move(tmp_path / f"b.{suffix}", tmp_path / "b.download")
    assert is_clip(tmp_path / "b.download")
    with VideoReader(tmp_path / "b.download") as reader:
        assert sum(1 for _ in reader) == 25
    (tmp_path / "notes.download").write_text("words " * 400)
    assert not is_clip(tmp_path / "notes.download")


def test_a_motion_jpeg_of_one_picture_is_a_photo(tmp_path: Path) -> None:
    Pillow.fromarray(picture(0)).save(tmp_path / "one.jpg")
    single = (tmp_path / "one.jpg").read_bytes()
    (tmp_path / "one.mjpeg").write_bytes(single)
    (tmp_path / "two.mjpeg").write_bytes(single + single)
    assert not is_clip(tmp_path / "one.mjpeg")
    assert open_image(tmp_path / "one.mjpeg").size == (64, 48)
    assert is_clip(tmp_path / "two.mjpeg")


def test_a_video_named_as_an_animation_is_a_clip(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", count=3).rename(tmp_path / "a.gif")
    assert is_clip(tmp_path / "a.gif")
    with VideoReader(tmp_path / "a.gif") as reader:
        assert sum(1 for _ in reader) == 3


def test_only_a_frame_number_is_a_pattern(tmp_path: Path) -> None:
    assert is_sequence("img_%04d.png")
    assert is_sequence("img_%d.png")
    assert is_sequence("frames/*.png")
    assert not is_sequence("50% off.png")
    assert not is_sequence("100%%d.png")
    Pillow.fromarray(picture(0)).save(tmp_path / "a%d.png")
    assert not is_sequence(tmp_path / "a%d.png")


@pytest.mark.parametrize("head", [b"\0\0\x01", b"\0\0\0\x01"])
def test_a_file_that_ends_after_a_start_code_is_no_clip(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(head)
    assert not is_clip(path)
