"""Which track of a file is the film, and what is said of files that hold none."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from clips import ffmpeg, make_clip
from PIL import Image as Pillow

from depth3d.errors import ReadError
from depth3d.io.video.reader import VideoReader


def size_of(path: Path) -> tuple[int, int]:
    with VideoReader(path) as reader:
        assert sum(1 for _ in reader) == 8
        return reader.info.size


CHOICES = {
    "cover": ((320, 240), ["-disposition:v:0", "attached_pic"], (64, 48)),
    "the default one": ((320, 240), ["-disposition:v:0", "0", "-disposition:v:1", "default"], (64, 48)),
    "a small one first": ((16, 12), ["-disposition:v:0", "0", "-disposition:v:1", "0"], (64, 48)),
    "the first of two": ((96, 72), ["-disposition:v:0", "default", "-disposition:v:1", "0"], (96, 72)),
}


@pytest.mark.parametrize(
    ("suffix", "case"),
    # The first track of MP4 and MOV is always enabled.
    [
        (suffix, case)
        for case in CHOICES
        for suffix in ("mp4", "mov", "mkv")
        if suffix == "mkv" or case != "a small one first"
    ],
)
def test_the_film_is_chosen(tmp_path: Path, suffix: str, case: str) -> None:
    first, flags, wanted = CHOICES[case]
    film = make_clip(tmp_path / "film.mp4", count=8)
    other = tmp_path / "other.mp4"
    if "attached_pic" in flags:
        other = tmp_path / "cover.png"
        Pillow.new("RGB", first, "red").save(other)
    else:
        make_clip(other, count=8, size=first)
    clip = tmp_path / f"clip.{suffix}"
    ffmpeg("-i", str(other), "-i", str(film), "-map", "0", "-map", "1", "-c", "copy", *flags, str(clip))
    assert size_of(clip) == wanted


def test_a_still_in_a_video_track_is_not_the_film(tmp_path: Path) -> None:
    film = make_clip(tmp_path / "film.mp4", count=8)
    still = make_clip(tmp_path / "still.mp4", count=1, size=(320, 240))
    clip = tmp_path / "clip.mp4"
    ffmpeg("-i", str(still), "-i", str(film), "-map", "0", "-map", "1", "-c", "copy", str(clip))
    assert size_of(clip) == (64, 48)


def test_an_unknown_codec_is_told_in_one_line(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=8)
    clip.write_bytes(clip.read_bytes().replace(b"avc1", b"zz9z").replace(b"avcC", b"free"))
    with pytest.raises(ReadError, match="uses a codec that this build of FFmpeg cannot decode") as caught:
        VideoReader(clip)
    assert "\n" not in str(caught.value)


def test_scrambled_broadcasts_are_told_in_one_line(tmp_path: Path) -> None:
    clip = tmp_path / "a.ts"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=2", "-pix_fmt", "yuv420p", "-c:v", "libx264", str(clip))
    data = bytearray(clip.read_bytes())
    for place in range(0, len(data), 188):
        if data[place + 1] & 0x1F == 1 and data[place + 2] == 0:  # the pictures, PID 0x100
            data[place + 3] |= 0xC0
            data[place + 12 : place + 188] = bytes((n * 37 + place) % 256 for n in range(12, 188))
    clip.write_bytes(data)
    with pytest.raises(ReadError, match="is scrambled") as caught:
        VideoReader(clip)
    assert "\n" not in str(caught.value)


def test_encrypted_windows_media_is_told_in_one_line(tmp_path: Path) -> None:
    clip = tmp_path / "a.wmv"
    ffmpeg("-i", str(make_clip(tmp_path / "a.mp4", count=8)), str(clip))
    data = bytearray(clip.read_bytes())
    size, count = struct.unpack_from("<QI", data, 16)
    box = bytes.fromhex("FBB3112223BDD211B4B700A0C955FC6E") + struct.pack("<Q", 40) + bytes(16)
    struct.pack_into("<QI", data, 16, size + len(box), count + 1)
    data[30:30] = box
    clip.write_bytes(data)
    with pytest.raises(ReadError, match="is encrypted"):
        VideoReader(clip)
