"""Stereo metadata of containers: what is written for each layout, and that it is read back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from unittest.mock import MagicMock

import av
import pytest
from clips import ffmpeg, make_clip

from depth3d.io.video import stereo_metadata
from depth3d.io.video.matroska import video_settings
from depth3d.io.video.stereo_metadata import read_stereo_metadata, stereo_metadata_for, write_stereo_metadata
from depth3d.stereoformats import find_format


@pytest.mark.parametrize(
    ("name", "factor"), [("rows", Fraction(1, 2)), ("columns", Fraction(2)), ("sbs", None), ("checkerboard", None)]
)
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(4, 3)])
def test_interleaved_pictures_keep_their_shape_in_matroska(
    name: str, factor: Fraction | None, aspect: Fraction
) -> None:
    for suffix in (".mkv", ".webm"):
        found = stereo_metadata_for(find_format(name), aspect, Path(f"a{suffix}"))
        assert (found.container_aspect, found.pixel_aspect) == (factor, aspect)
    assert stereo_metadata_for(find_format(name), aspect, Path("a.mp4")).container_aspect is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sbs", ("side", False)),
        ("sbs-half", ("side", False)),
        ("cross", ("side", True)),
        ("tb", ("stack", False)),
        ("tb-half", ("stack", False)),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_what_is_written_is_read(tmp_path: Path, name: str, expected: tuple[str, bool], suffix: str) -> None:
    codec, options = ("libvpx-vp9", {"cpu-used": "8"}) if suffix == ".webm" else ("libx264", None)
    plain = make_clip(tmp_path / f"a{suffix}", count=2, codec=codec, options=options)
    assert read_stereo_metadata(plain) is None
    metadata = stereo_metadata_for(find_format(name), Fraction(1), plain)
    path = tmp_path / f"b{suffix}"
    mode = ["-metadata:s:v:0", f"stereo_mode={metadata.stereo_mode}"] if metadata.stereo_mode else []
    ffmpeg("-i", str(plain), "-c", "copy", *mode, str(path))
    write_stereo_metadata(path, metadata)
    assert read_stereo_metadata(path) == expected


def test_words_in_the_picture_data_are_no_metadata(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=2)
    clip.write_bytes(clip.read_bytes() + b"\0\0\0\x15free" + b"st3d\0\0\0\0\x02")
    assert read_stereo_metadata(clip) is None


@pytest.mark.parametrize("cut", [5, 40, 200, 500])
def test_a_cut_off_file_has_no_metadata(tmp_path: Path, cut: int) -> None:
    for suffix in (".mp4", ".mkv"):
        clip = make_clip(tmp_path / f"a{suffix}", count=2)
        clip.write_bytes(clip.read_bytes()[:cut])
        assert read_stereo_metadata(clip) is None
        assert video_settings(clip).get("StereoMode") is None


@pytest.mark.security
def test_the_packing_of_a_frame_is_read_from_a_file_never_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "a.mp4", count=3).rename("12:30.mp4")
    monkeypatch.setattr("av.open", asked := MagicMock(wraps=av.open))
    assert stereo_metadata._frame_packing("12:30.mp4") is None
    assert [str(call.args[0]).startswith("file:") for call in asked.call_args_list] == [True]
