"""Orientation and cropping by the container: all eight orientations, clean aperture, Matroska's crop."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from clips import ffmpeg, insert_into_sample_entry, make_clip, picture
from PIL import Image as Pillow

from depth3d.io.video.orientation import Crop, Orientation
from depth3d.io.video.reader import VideoReader

ORIENTATIONS = [(turn, flip) for turn in (0, 90, 180, 270) for flip in ("", "h", "v")]


@pytest.mark.parametrize(("turn", "flip"), ORIENTATIONS)
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_every_orientation_is_shown_as_ffmpeg_does(tmp_path: Path, turn: int, flip: str, suffix: str) -> None:
    plain, turned, shown = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}", tmp_path / "c.png"
    make_clip(plain, count=1)
    mirror = [f"-display_{flip}flip"] if flip else []
    ffmpeg("-display_rotation", str(turn), *mirror, "-i", str(plain), "-c", "copy", str(turned))
    ffmpeg("-i", str(turned), "-frames:v", "1", str(shown))
    with VideoReader(turned) as reader:
        frame = next(iter(reader))
        info = reader.info
    expected = np.asarray(Pillow.open(shown).convert("RGB")).astype(int)
    assert info.size == frame.image.size == (expected.shape[1], expected.shape[0])
    assert np.abs(frame.image.pixels - expected).mean() < 6
    assert info.mirrored == bool(flip)


def test_rotations_by_name() -> None:
    assert [Orientation(*bits).rotation for bits in ((False, False, False), (True, False, True))] == [0, 90]
    assert [Orientation(*bits).rotation for bits in ((False, True, True), (True, True, False))] == [180, 270]
    assert Orientation(False, True, False).mirrored
    assert Orientation(False, True, False).rotation == 0


def with_clean_aperture(path: Path, width: int, height: int, x: int, y: int) -> None:
    """Insert a ``clap`` box; offsets are in half pixels."""
    insert_into_sample_entry(path, struct.pack(">I4s8i", 40, b"clap", width, 1, height, 1, x, 2, y, 2))


def test_the_clean_aperture_of_mov_is_cut_out(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mov", count=2)
    with_clean_aperture(clip, 40, 30, 8, -4)  # centered would be 12, 9; moved by +4 and -2 pixels
    with VideoReader(clip) as reader:
        frame = next(iter(reader))
        assert reader.info.size == (40, 30)
    assert np.abs(frame.image.pixels.astype(int) - picture(0)[7:37, 16:56]).mean() < 5


def test_the_crop_of_matroska_is_cut_out(tmp_path: Path) -> None:
    if shutil.which("mkvpropedit") is None:
        pytest.skip("needs mkvpropedit")
    clip = make_clip(tmp_path / "a.mkv", count=2)
    words = ["--edit", "track:v1"]
    for side, value in {"left": 6, "top": 4, "right": 10, "bottom": 2}.items():
        words += ["--set", f"pixel-crop-{side}={value}"]
    subprocess.run(["mkvpropedit", str(clip), *words], check=True, capture_output=True)
    with VideoReader(clip) as reader:
        frame = next(iter(reader))
        assert reader.info.size == (48, 42)
    assert np.abs(frame.image.pixels.astype(int) - picture(0)[4:46, 6:54]).mean() < 5


def test_a_crop_that_leaves_nothing_is_ignored(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mov", count=1)
    with_clean_aperture(clip, 400, 30, 0, 0)
    with VideoReader(clip) as reader:
        assert reader.info.size == (64, 48)
    assert Crop(1, 2, 3, 4).apply(np.zeros((20, 30, 3))).shape == (14, 26, 3)
