"""Streams without an index, clocks that jump, damage, changes midway: every frame at its time, from anywhere."""

from __future__ import annotations

import itertools
import logging
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from clips import ffmpeg, insert_into_sample_entry, make_clip, picture

from depth3d.errors import ReadError
from depth3d.frames import Frame
from depth3d.io.video.files import open_container
from depth3d.io.video.packets import packets_of
from depth3d.io.video.reader import VideoReader

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def made(path: Path, seconds: float = 4, *words: str, rate: int = 25) -> Path:
    """A clip of ffmpeg's test picture with a tone."""
    picture_words = ["-f", "lavfi", "-i", f"testsrc=s=128x96:r={rate}:d={seconds}"]
    ffmpeg(*picture_words, "-f", "lavfi", "-i", f"sine=r=48000:d={seconds}", *words, str(path))
    return path


def frames_of(path: Path) -> list[Frame]:
    with VideoReader(path) as reader:
        return list(reader)


@pytest.mark.parametrize(
    "suffix", ["ts", "m2ts", "mpg", "vob", "mp4", "mkv", "avi", "flv", "wmv", "ogv", "webm", "mxf"]
)
def test_reading_goes_on_anywhere_with_the_same_pictures(tmp_path: Path, suffix: str) -> None:
    clip = made(tmp_path / f"a.{suffix}", 6, "-g", "40")
    whole = frames_of(clip)
    assert len(whole) == 150
    assert [frame.index for frame in whole] == list(range(150))
    with VideoReader(clip) as reader:
        for place in (1, 39, 77, 149):
            rest = list(itertools.islice(reader.frames(place, whole[place].time), 3))
            for one, other in zip(rest, whole[place:], strict=False):
                assert (one.index, one.time) == (other.index, other.time)
                assert np.array_equal(one.image.pixels, other.image.pixels)
    begin = whole[60].time + Fraction(1, 1000)
    with VideoReader(clip, start=begin, end=begin + 1) as reader:
        part = list(reader)
    assert [frame.time for frame in part] == [frame.time for frame in whole if begin <= frame.time < begin + 1]
    assert np.array_equal(part[0].image.pixels, whole[61].image.pixels)


def test_a_stream_with_one_key_frame_far_back(tmp_path: Path) -> None:
    clip = made(tmp_path / "a.ts", 20, *X264, "-g", "9999", "-bf", "0")
    whole = frames_of(clip)
    assert len(whole) == 500
    with VideoReader(clip) as reader:
        frame = next(reader.frames(480, whole[480].time))
    assert np.array_equal(frame.image.pixels, whole[480].image.pixels)


def test_a_stream_that_begins_without_a_key_frame(tmp_path: Path) -> None:
    clip = made(tmp_path / "a.ts", 4, *X264, "-g", "25", "-bf", "2")
    data = clip.read_bytes()
    clip.write_bytes(data[188 * (len(data) // 188 // 8) :])
    frames = frames_of(clip)
    assert 70 < len(frames) < 100
    assert all(b.time - a.time == Fraction(1, 25) for a, b in itertools.pairwise(frames))


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_a_clock_that_starts_again_goes_on(tmp_path: Path, suffix: str) -> None:
    parts = [made(tmp_path / f"{n}.{suffix}", 2, "-g", "25") for n in range(3)]
    clip = tmp_path / f"a.{suffix}"
    clip.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = frames_of(clip)
    assert len(frames) == 150
    steps = [float(b.time - a.time) for a, b in itertools.pairwise(frames)]
    assert min(steps) >= 0.039
    assert max(steps) <= 0.12  # the sound of a part may be a little longer than its pictures
    with VideoReader(clip) as reader:
        assert float(reader.info.duration or 0) == pytest.approx(float(frames[-1].time) + 0.04, abs=0.03)
        frame = next(reader.frames(120, frames[120].time))
    assert np.array_equal(frame.image.pixels, frames[120].image.pixels)


class Begins:
    """A clip in which another stream begins after ten packets: PyAV cannot find it, once."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self.container, self.told = container, False

    def __getattr__(self, name: str) -> object:
        return getattr(self.container, name)

    def demux(self, *streams: object) -> Iterator[av.Packet]:
        for number, packet in enumerate(self.container.demux(*streams)):
            if number == 10 and not self.told:
                self.told = True
                raise IndexError("list index out of range")
            yield packet


def test_a_stream_that_begins_in_the_middle_costs_only_its_own_packet(tmp_path: Path) -> None:
    clip = made(tmp_path / "a.flv", 2, *X264)
    with open_container(clip) as container:
        begins = Begins(container)
        times = [packet.pts for packet in packets_of(begins, container.streams.video[0]) if packet.size]
    assert begins.told
    assert len(times) in (49, 50)  # one of ten packets, of picture or tone, is the lost one


def test_a_33_bit_clock_wraps(tmp_path: Path) -> None:
    clip = made(tmp_path / "a.ts", 4, *X264, "-output_ts_offset", str(2**33 / 90000 - 3.4))
    frames = frames_of(clip)
    assert [frame.time - frames[0].time for frame in frames] == [Fraction(n, 25) for n in range(100)]


def test_damage_in_the_middle_and_at_the_end_costs_only_what_is_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = made(tmp_path / "a.avi", 4, "-c:v", "mjpeg", "-an")
    data = bytearray(clip.read_bytes())
    places = [place for place in range(len(data) - 4) if data[place : place + 3] == b"\xff\xd8\xff"]
    assert len(places) == 100
    for number in (50, 99):
        length = int.from_bytes(data[places[number] - 4 : places[number]], "little")
        data[places[number] : places[number] + length] = bytes(length)
    clip.write_bytes(data)
    with caplog.at_level(logging.WARNING, "depth3d"):
        frames = frames_of(clip)
    assert len(frames) == 98
    assert frames[50].time == Fraction(51, 25)
    assert "2 damaged packets were skipped" in caplog.text


def test_another_picture_size_is_scaled_to_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    small, large = tmp_path / "0.ts", tmp_path / "1.ts"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=1", *X264, str(small))
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=128x96:r=25:d=1", *X264, "-output_ts_offset", "1", str(large))
    clip = tmp_path / "a.ts"
    clip.write_bytes(small.read_bytes() + large.read_bytes())
    with caplog.at_level(logging.WARNING, "depth3d"):
        frames = frames_of(clip)
    assert len(frames) == 50
    assert {frame.image.size for frame in frames} == {(64, 48)}
    assert "the picture size changes from 64x48 to 128x96" in caplog.text
    assert np.abs(frames[40].image.pixels.astype(int) - frames[15].image.pixels).mean() < 40


def test_the_last_frame_lasts_as_long_as_the_file_says(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    stills = [Pillow.fromarray(picture(n)) for n in range(3)]
    stills[0].save(tmp_path / "a.gif", save_all=True, append_images=stills[1:], duration=[100, 100, 3000])
    frames = frames_of(tmp_path / "a.gif")
    assert (frames[-1].time, frames[-1].duration) == (Fraction(1, 5), 3)


def test_titles_in_any_encoding(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "plain.mkv", count=3)
    ffmpeg("-i", str(clip), "-c:v", "mpeg4", "-metadata", "title=Ferien am XXXX", str(tmp_path / "a.avi"))
    data = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.avi").write_bytes(data.replace(b"XXXX", b"M\xfcrz"))
    assert len(frames_of(tmp_path / "a.avi")) == 3


FAULT_CLIPS = {
    "tv_gop50.ts": 250,
    "defaultgop.ts": 250,
    "r_nob.ts": 247,
    "sync_late.ts": 200,
    "j12.ts": 200,
    "cat_reset.ts": 100,
    "wrap.ts": 100,
    "joined.mpg": 100,
    "size_change.ts": 50,
    "ferien_latin1.avi": 50,
    "mirrored.mp4": 25,
    "hold.gif": 5,
    "exif_mjpeg.avi": 6,
    "film.mkv": 100,
}


def test_the_fault_clips(shared: Path) -> None:
    for name, count in FAULT_CLIPS.items():
        check_fault_clip(shared / "data/faults/clips" / name, count)


def check_fault_clip(path: Path, count: int) -> None:
    frames = frames_of(path)
    assert len(frames) == count, path.name
    steps = [b.time - a.time for a, b in itertools.pairwise(frames)]
    assert min(steps) > Fraction(1, 100)
    assert max(steps) < Fraction(11, 100)
    with VideoReader(path) as reader:
        for place in range(0, count, max(1, count // 5)):
            assert next(reader.frames(place, frames[place].time)).time == frames[place].time
    assert frames[-1].duration is not None


def test_what_has_no_frame_is_one_clear_error(tmp_path: Path) -> None:
    clip = made(tmp_path / "a.ts", 1, *X264)
    with VideoReader(clip, start=Fraction(5)) as reader, pytest.raises(ReadError, match="between `start` and `end`"):
        list(reader)


@pytest.mark.parametrize(
    ("box", "content", "words"),
    [
        (b"sinf", b"\0\0\0\x0cfrmaavc1", "is encrypted"),
        (b"dvcC", bytes([1, 0, 5 << 1, 0x35, 0x00]) + bytes(19), "Dolby Vision profile 5"),
    ],
)
def test_what_would_decode_to_noise_is_refused(tmp_path: Path, box: bytes, content: bytes, words: str) -> None:
    clip = make_clip(tmp_path / "a.mp4", count=2)
    insert_into_sample_entry(clip, struct.pack(">I4s", len(content) + 8, box) + content)
    with pytest.raises(ReadError, match=words):
        VideoReader(clip)
    profile_8 = make_clip(tmp_path / "b.mp4", count=2)
    insert_into_sample_entry(
        profile_8, struct.pack(">I4s", 32, b"dvvC") + bytes([1, 0, 8 << 1, 0x35, 0x10]) + bytes(19)
    )
    assert len(frames_of(profile_8)) == 2


def test_a_read_error_does_not_end_the_film(tmp_path: Path) -> None:
    """EINVAL for one packet, and an error instead of the end, as damaged files and old players' discs give."""
    clip = make_clip(tmp_path / "a.mkv", count=10)
    with open_container(clip) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        read, errors = iter(packets), {3: av.error.ArgumentError(22, "EINVAL")}

        def demux(_: object) -> Iterator[object]:
            for packet in read:
                yield packet
                error = errors.pop(len(packets) - read.__length_hint__(), None)  # type: ignore[attr-defined]
                if error is not None:
                    raise error
            raise av.error.InvalidDataError(1, "damaged end")

        form = SimpleNamespace(flags=0)
        broken = SimpleNamespace(demux=demux, streams=[stream], format=form, name=str(clip))
        assert list(packets_of(broken, stream)) == packets
