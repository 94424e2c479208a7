"""Stereo marks: the bytes by the book, the pictures untouched, and what others read."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from clips import ffmpeg, find_box, frame_times, hashes, make_clip, probe, with_extras

from depth3d.errors import WriteError
from depth3d.io.video.mp4_boxes import insert_stereo_boxes, stereo_boxes


@pytest.mark.parametrize(("layout", "mode"), [("stack", 1), ("side", 2), ("side-right-first", 4)])
def test_st3d_by_the_book(layout: str, mode: int) -> None:
    boxes = stereo_boxes(layout)  # type: ignore[arg-type]
    assert boxes[:13] == b"\0\0\0\x0dst3d\0\0\0\0" + bytes([mode])


def test_sizes_of_nested_boxes_add_up() -> None:
    def check(data: bytes) -> list[bytes]:
        kinds, place = [], 0
        while place < len(data):
            size, kind = struct.unpack_from(">I4s", data, place)
            assert 8 <= size <= len(data) - place
            kinds.append(kind)
            if kind in (b"sv3d", b"proj", b"vexu", b"eyes", b"pack"):
                kinds += check(data[place + 8 : place + size])
            place += size
        assert place == len(data)
        return kinds

    assert check(stereo_boxes("side", sphere=180)) == [
        *(b"st3d", b"sv3d", b"svhd", b"proj", b"prhd", b"equi"),
        *(b"vexu", b"eyes", b"stri", b"hero", b"pack", b"pkin"),
    ]


@pytest.mark.parametrize("front", [True, False], ids=["index first", "index last"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_marking_changes_no_frame_and_no_time(tmp_path: Path, front: bool, codec: str) -> None:
    plain = make_clip(tmp_path / "a.mkv", codec=codec)
    path = tmp_path / "b.mp4"
    flags = ["-movflags", "+faststart"] if front else []
    ffmpeg("-i", str(plain), "-c", "copy", *flags, str(path))
    times, pictures = frame_times(path), hashes(path)
    insert_stereo_boxes(path, "side")
    assert frame_times(path) == times
    assert hashes(path) == pictures


def test_sound_behind_the_index_survives(tmp_path: Path) -> None:
    clip = with_extras(make_clip(tmp_path / "a.mp4"), tmp_path / "b.mp4")
    ffmpeg("-i", str(clip), "-map", "0", "-c", "copy", "-movflags", "+faststart", str(tmp_path / "c.mp4"))
    before = tmp_path / "before.wav"
    after = tmp_path / "after.wav"
    ffmpeg("-i", str(tmp_path / "c.mp4"), "-map", "0:a:1", str(before))
    insert_stereo_boxes(tmp_path / "c.mp4", "stack")
    ffmpeg("-i", str(tmp_path / "c.mp4"), "-map", "0:a:1", str(after))
    assert before.read_bytes() == after.read_bytes()


def test_ffprobe_reads_layout_and_projection(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")
    insert_stereo_boxes(path, "side", sphere=180)
    data = probe(path)["streams"][0]["side_data_list"]
    kinds = {entry["side_data_type"]: entry for entry in data}
    assert kinds["Stereo 3D"]["type"] == "side by side"
    assert kinds["Spherical Mapping"]["projection"] == "tiled equirectangular"


def test_find_box(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")
    assert find_box(path, "st3d") is None
    insert_stereo_boxes(path, "stack")
    assert find_box(path, "st3d") == b"\0\0\0\0\x01"
    assert find_box(path, "vexu", "pack", "pkin") == b"\0\0\0\0over"


def test_what_is_no_mp4_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="moov"):
        insert_stereo_boxes(make_clip(tmp_path / "a.mkv"), "side")
