"""Interlaced material becomes whole pictures, whether the stream says so, says it wrongly or says nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import ffmpeg, make_clip
from numpy.typing import NDArray

from depth3d.frames import VideoInfo
from depth3d.io.video.fields import find_fields
from depth3d.io.video.reader import VideoReader

# A bar that moves by 8 px a field: woven, its edges are combs.
BAR = "color=black:s=160x96:r=50:d=1.6,format=yuv420p,geq=lum='255*between(X-mod(N*8\\,120),0,24)':cb=128:cr=128"
CODECS = {
    "mpeg2video": ["-flags", "+ilme+ildct", "-q:v", "2"],
    "libx264": ["-x264-params", "interlaced=1", "-crf", "4"],
}


def woven(path: Path, order: str, *words: str, source: str = BAR, filters: str = "") -> Path:
    ffmpeg("-f", "lavfi", "-i", f"{source},interlace=lowpass=0:scan={order}{filters}", *words, str(path))
    return path


def frames_of(path: Path) -> tuple[VideoInfo, list[NDArray[np.uint8]]]:
    """All pictures; reading again from one in the middle gives the same."""
    with VideoReader(path) as reader:
        frames = list(reader)
        again = next(reader.frames(len(frames) // 2, frames[len(frames) // 2].time))
        info = reader.info
    assert np.array_equal(again.image.pixels, frames[again.index].image.pixels)
    return info, [frame.image.pixels for frame in frames]


def comb(pixels: NDArray[np.uint8]) -> float:
    luma = pixels[..., 1].astype(int)
    return float(np.abs(luma[1:-1] * 2 - luma[:-2] - luma[2:]).mean())


@pytest.mark.parametrize("codec", CODECS)
def test_flagged_frames(tmp_path: Path, codec: str) -> None:
    info, pictures = frames_of(woven(tmp_path / "a.mkv", "tff", "-c:v", codec, *CODECS[codec]))
    assert info.interlaced
    assert "interlaced, top field first" in info.notes[0]
    assert len(pictures) == 40
    assert max(map(comb, pictures[2:-2])) < 8


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize("source", [BAR, "testsrc2=s=320x240:r=50:d=1.6"], ids=["bar", "testsrc2"])
def test_frames_without_a_flag_are_measured(tmp_path: Path, order: str, source: str) -> None:
    words = ["-c:v", "libx264", "-crf", "12"]
    info, pictures = frames_of(woven(tmp_path / "a.mp4", order, *words, source=source, filters=",setfield=prog"))
    assert info.interlaced
    name = "top" if order == "tff" else "bottom"
    assert info.notes == (
        f"interlaced, {name} field first, though not flagged in the stream (combs were found): deinterlaced",
    )
    if source == BAR:
        assert max(map(comb, pictures[2:-2])) < 8


def test_a_wrong_order_of_fields_is_told_and_corrected(tmp_path: Path) -> None:
    words = ["-c:v", "mpeg2video", *CODECS["mpeg2video"]]
    info, pictures = frames_of(woven(tmp_path / "a.mpg", "bff", *words, filters=",setfield=tff"))
    assert info.notes == (
        "interlaced, flagged top field first, but it moves bottom field first: deinterlaced as bottom field first",
    )
    assert max(map(comb, pictures[2:-2])) < 8


def test_telecine_is_told_and_its_clean_frames_stay(tmp_path: Path) -> None:
    film = BAR.replace("r=50", "r=24")
    clip, clean = tmp_path / "a.mkv", tmp_path / "b.mkv"
    ffmpeg("-f", "lavfi", "-i", f"{film},telecine=pattern=23,setfield=prog", "-c:v", "ffv1", str(clip))
    ffmpeg("-f", "lavfi", "-i", film, "-c:v", "ffv1", str(clean))
    info, pictures = frames_of(clip)
    assert info.notes[0].startswith("3:2 pulldown (telecine)")
    assert max(map(comb, pictures[2:-2])) < 8
    originals = {picture.tobytes() for picture in frames_of(clean)[1]}
    assert sum(picture.tobytes() in originals for picture in pictures) > len(pictures) / 2


@pytest.mark.parametrize("source", ["testsrc2", "testsrc", "mandelbrot", "life=mold=10:ratio=0.1", "cellauto"])
def test_progressive_pictures_are_left_alone(tmp_path: Path, source: str) -> None:
    size = f"{source}{':' if '=' in source else '='}s=160x120:r=25"
    ffmpeg("-f", "lavfi", "-i", size, "-t", "2", "-c:v", "libx264", "-pix_fmt", "yuv420p", str(tmp_path / "a.mp4"))
    assert find_fields(tmp_path / "a.mp4").notes == ()
    assert find_fields(make_clip(tmp_path / "b.mp4", count=40)).notes == ()


def test_real_clips_are_progressive(shared: Path) -> None:
    clips = sorted((shared / "data/video").glob("*.mp4"))
    assert clips
    for clip in clips:
        assert find_fields(clip).notes == (), clip.name
