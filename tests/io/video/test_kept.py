"""What phones, cameras and broadcasters put beside the pictures is kept where the container can, else told."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import pytest
from clips import ffmpeg, frame_times, make_clip, probe

from depth3d.io.video.captions import has_captions, write_captions
from depth3d.io.video.companions import Span
from depth3d.io.video.dtvcc import DtvccDecoder
from depth3d.io.video.mux import Film, finish
from depth3d.io.video.reader import VideoReader

Pair = tuple[int, int]


def muxed(source: Path, target: Path, *, start: Fraction = Fraction(0), codec: str = "libx264") -> tuple[str, ...]:
    """Encode every frame of the source from ``start`` anew, and mux it with all else of the source."""
    with VideoReader(source) as reader:
        times = [frame.time - start for frame in reader if frame.time >= start]
        info = reader.info
    piece = target.with_suffix(".piece.nut")
    make_clip(piece, count=len(times), times=times, time_base=info.time_base, codec=codec, options={"crf": "30"})
    span = Span(info.origin, start)
    return finish(
        Film((piece,), times, info.time_base, times[-1] + Fraction(1, 25), codec, source, span, info.track), target
    )


def parity(value: int) -> int:
    return value | 0x80 if value.bit_count() % 2 == 0 else value


def caption(text: str) -> list[Pair]:
    """The byte pairs of a pop-on caption of EIA-608, shown by the last pair."""
    letters = text.encode() + b"\0" * (len(text) % 2)
    pairs = [(0x14, 0x20), (0x14, 0x2E), (0x14, 0x70), *zip(letters[::2], letters[1::2], strict=True), (0x14, 0x2F)]
    return [(parity(a), parity(b)) for a, b in pairs]


def captioned(path: Path, texts: dict[int, list[Pair]]) -> Path:
    """An MPEG-2 clip of four seconds with EIA-608 captions in each picture; ``texts``: frame -> pairs sent from it."""
    waiting: list[Pair] = []
    sent = []
    for number in range(100):
        waiting += texts.get(number, [])
        sent.append(bytes([0xFC, *(waiting.pop(0) if waiting else (0x80, 0x80))]))
    return with_user_data(path, sent)


def with_user_data(path: Path, sent: list[bytes]) -> Path:
    """An MPEG-2 clip of 100 pictures with A/53 caption data: the triples of each picture."""
    bare = path.with_name("bare.m2v")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=4", "-c:v", "mpeg2video", "-bf", "0", str(bare))
    pictures = bare.read_bytes().split(b"\0\0\1\0")
    for number, triples in enumerate(sent, 1):
        count = len(triples) // 3
        data = b"\0\0\1\xb2GA94\x03" + bytes([0x40 | count, 0xFF]) + triples + b"\xff"
        pictures[number] = pictures[number].replace(b"\0\0\1\1", data + b"\0\0\1\1", 1)
    bare.write_bytes(b"\0\0\1\0".join(pictures))
    sound = ["-f", "lavfi", "-i", "sine=d=4"]
    ffmpeg(*sound, "-fflags", "+genpts", "-framerate", "25", "-i", str(bare), "-c:v", "copy", "-c:a", "mp2", str(path))
    return path


TEXTS = {10: caption("Hello there"), 60: caption("Second"), 90: [(parity(0x14), parity(0x2C))]}


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.h264"])
def test_closed_captions_of_h264_are_seen(tmp_path: Path, name: str) -> None:
    clip = captioned(tmp_path / "old.ts", TEXTS)
    ffmpeg("-i", str(clip), "-c:v", "libx264", "-a53cc", "1", str(tmp_path / name))
    assert has_captions(tmp_path / name)
    ffmpeg("-i", str(clip), "-c:v", "libx264", "-a53cc", "0", str(tmp_path / f"bare_{name}"))
    assert not has_captions(tmp_path / f"bare_{name}")


@pytest.mark.parametrize("suffix", ["ts", "mpg", "mkv"])
def test_closed_captions_become_subtitles(tmp_path: Path, suffix: str) -> None:
    clip = captioned(tmp_path / f"a.{suffix}", TEXTS)
    assert has_captions(clip)
    lines = tmp_path / "lines.srt"
    with VideoReader(clip) as reader:
        origin = reader.info.origin
        shown = [reader.info.start + Fraction(n, 25) for n in (10 + 9, 60 + 7, 90)]
    track, said = write_captions(clip, lines, Span(origin))
    assert track is not None
    assert said == []
    blocks = lines.read_text().strip().split("\n\n")
    assert [block.splitlines()[2:] for block in blocks] == [["Hello there"], ["Second"]]
    begin, seconds = blocks[0].splitlines()[1].split(" --> ")[0].split(":")[2].replace(",", "."), float(shown[0])
    assert float(begin) == pytest.approx(seconds, abs=0.045)
    assert float(track.end) == pytest.approx(float(shown[2]), abs=0.045)
    track, _ = write_captions(clip, lines, Span(origin, Fraction(2), Fraction(1)))
    assert track is not None
    assert "00:00:00,000 --> 00:00:00," in lines.read_text()
    assert track.end == 1


@pytest.mark.parametrize(("target", "codec"), [("mp4", "mov_text"), ("mkv", "subrip"), ("webm", "webvtt")])
def test_captions_are_muxed(tmp_path: Path, target: str, codec: str) -> None:
    clip = captioned(tmp_path / "a.ts", TEXTS)
    path = tmp_path / f"out.{target}"
    assert muxed(clip, path, codec="libvpx-vp9" if target == "webm" else "libx264") == ()
    streams = probe(path)["streams"]
    assert [stream["codec_name"] for stream in streams][2] == codec
    times = [float(p["pts_time"]) for p in probe(path, "-show_packets")["packets"] if p["stream_index"] == 2]
    with VideoReader(clip) as reader:
        shown = float(reader.info.start) + 19 / 25
    assert any(time == pytest.approx(shown, abs=0.045) for time in times)


def dtvcc(code: bytes, sequence: int = 0, service: int = 1) -> list[tuple[int, bytes]]:
    """The cc_data triples (kind, two bytes) of a caption channel packet with this service block."""
    block = bytes([service << 5 | len(code)]) + code
    size = -(-(1 + len(block)) // 2)
    packet = (bytes([sequence << 6 | size]) + block).ljust(2 * size, b"\0")
    return [(0xFE if n else 0xFF, packet[n : n + 2]) for n in range(0, len(packet), 2)]


def modern(path: Path, texts: dict[int, list[tuple[int, bytes]]]) -> Path:
    """A clip whose pictures hold CEA-708 captions only: twelve triples a picture as in broadcasts."""
    sent: dict[int, list[tuple[int, bytes]]] = {}
    waiting: list[tuple[int, bytes]] = []
    for number in range(100):
        waiting += texts.get(number, [])
        sent[number], waiting = waiting[:10], waiting[10:]
    return with_user_data(path, [b"".join(bytes([kind]) + pair for kind, pair in sent[n]) for n in range(100)])


WINDOW = bytes([0x98, 0x07, 0x4A, 0x10, 0x11, 0x1F, 0x11])  # define window 0: hidden, two rows
POP_ON = {
    10: dtvcc(WINDOW + b"Gr\xfc\xdfe"),  # with the letters of Latin-1
    12: dtvcc(b"\x0d\x90\x05\x00second line" + b"\x10\x25", 1),
    20: dtvcc(b"\x89\x01", 2),  # show
    60: dtvcc(b"\x8c\xff" + WINDOW[:1] + b"\x27" + WINDOW[2:] + b"\x7f la", 3),  # visible at once
    62: dtvcc(b" la", 0),
    70: dtvcc(b"\x0dnext", 1),
    80: dtvcc(b"\x0drolled", 2),
    90: dtvcc(b"\x8a\x01", 3),  # hide
}


@pytest.mark.parametrize("suffix", ["ts", "mkv"])
def test_modern_captions_alone_become_subtitles(tmp_path: Path, suffix: str) -> None:
    clip = modern(tmp_path / f"a.{suffix}", POP_ON)
    with VideoReader(clip) as reader:
        origin, begin = reader.info.origin, float(reader.info.start)
    track, said = write_captions(clip, tmp_path / "a.srt", Span(origin))
    assert track is not None
    assert said == []
    blocks = [block.splitlines() for block in (tmp_path / "a.srt").read_text().strip().split("\n\n")]
    expected = ["Grüße\nsecond line…", "♪ la la", "♪ la la\nnext", "next\nrolled"]
    assert ["\n".join(block[2:]) for block in blocks] == expected
    times = [
        [float(part.split(":")[2].replace(",", ".")) - begin for part in block[1].split(" --> ")] for block in blocks
    ]
    starts = pytest.approx([20 / 25, 60 / 25, 70 / 25, 80 / 25], abs=0.045)
    assert [time[0] for time in times] == starts
    assert [time[1] for time in times] == pytest.approx([60 / 25, 70 / 25, 80 / 25, 90 / 25], abs=0.045)
    path = tmp_path / "out.mp4"
    assert muxed(clip, path) == ()
    assert [stream["codec_name"] for stream in probe(path)["streams"]][2] == "mov_text"


def test_a_second_language_is_told_and_padding_is_not(tmp_path: Path) -> None:
    clip = modern(tmp_path / "a.ts", {10: dtvcc(WINDOW + b"\x89\x01si", service=2)})
    track, said = write_captions(clip, tmp_path / "x.srt", Span())
    assert track is None
    assert said == ["closed captions of service 2 (CEA-708) cannot be converted to subtitles: left out"]
    assert write_captions(captioned(tmp_path / "b.ts", {}), tmp_path / "x.srt", Span()) == (None, [])
    assert not has_captions(make_clip(tmp_path / "c.mp4", count=30))


@pytest.mark.parametrize("seed", range(20))
def test_noise_in_captions_does_no_harm(seed: int) -> None:
    chance = random.Random(seed)
    decoder = DtvccDecoder()
    found = []
    for number in range(200):
        data = b"".join(bytes([0xFC | chance.randrange(4), *chance.randbytes(2)]) for _ in range(20))
        found += decoder.push(data[: chance.randrange(61)], Fraction(number, 25))
    found += decoder.finish(Fraction(8))
    assert all(begin < end and text for begin, end, text in found)


def with_data(path: Path, kind: bytes, handler: str) -> Path:
    """An MP4 whose second track, two seconds of samples, is made into timed data of this kind."""
    lines = path.with_name("s.srt")
    lines.write_text("1\n00:00:00,200 --> 00:00:00,500\nAAAA\n\n2\n00:00:01,200 --> 00:00:01,500\nBBBB\n")
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=2", "-i", str(lines), "-c:s", "mov_text", "-timecode"),
        *("01:00:00:00", "-metadata:s:s", f"handler_name={handler}", "-pix_fmt", "yuv420p", str(path)),
    )
    data = path.read_bytes()
    assert data.count(b"sbtl") == data.count(b"tx3g") == 1
    path.write_bytes(data.replace(b"sbtl", b"meta").replace(b"tx3g", kind))
    return path


@pytest.mark.parametrize("start", [Fraction(0), Fraction(1)])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_telemetry_is_kept_in_its_time(tmp_path: Path, suffix: str, start: Fraction) -> None:
    target = tmp_path / f"out.{suffix}"
    clip = with_data(tmp_path / "a.mp4", b"gpmd", "GoPro MET")
    assert muxed(clip, target, start=start) == ()
    with av.open(str(target)) as container:
        (stream,) = [one for one in container.streams if one.type == "data" and "timecode" not in one.metadata]
        assert stream.metadata["handler_name"] == "GoPro MET"
        packets = [packet for packet in container.demux(stream) if packet.size > 2]
        times = [float(packet.pts * packet.time_base) for packet in packets]
        assert [bytes(packet)[2:6] for packet in packets] == ([b"AAAA"] if not start else []) + [b"BBBB"]
    assert times[-1] == pytest.approx(1.2 - float(start), abs=0.002)


@pytest.mark.parametrize(
    ("kind", "handler", "suffix"),
    [(b"gpmd", "GoPro MET", "mkv"), (b"mebx", "Core Media Metadata", "mp4"), (b"djmd", "DJI meta", "mov")],
)
def test_telemetry_that_cannot_be_kept_is_told(tmp_path: Path, kind: bytes, handler: str, suffix: str) -> None:
    lost = muxed(with_data(tmp_path / "a.mp4", kind, handler), tmp_path / f"out.{suffix}")
    assert lost == (f"data stream 1 ({handler}) cannot be stored in .{suffix}: left out",)


APPLE = {
    "com.apple.quicktime.location.ISO6709": "+48.1371+011.5754/",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 15",
}
ANDROID = {"location": "+48.1371+011.5754/", "make": "Samsung", "model": "S24"}


@pytest.mark.parametrize("tags", [APPLE, ANDROID], ids=["apple", "android"])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_place_and_model_are_kept(tmp_path: Path, tags: dict[str, str], suffix: str) -> None:
    words = [word for name, value in tags.items() for word in ("-metadata", f"{name}={value}")]
    plain, clip, target = make_clip(tmp_path / "a.mp4", count=5), tmp_path / "b.mov", tmp_path / f"out.{suffix}"
    ffmpeg("-i", str(plain), "-c", "copy", "-movflags", "use_metadata_tags", *words, str(clip))
    assert muxed(clip, target, codec="libvpx-vp9" if suffix == "webm" else "libx264") == ()
    found = {key.lower(): value for key, value in probe(target)["format"]["tags"].items()}
    for name, value in tags.items():
        assert found[name.lower()].rstrip("/") == value.rstrip("/")
    assert suffix in ("mkv", "webm") or found.get("major_brand", "").strip() in ("isom", "qt")
    assert len(frame_times(target)) == 5
