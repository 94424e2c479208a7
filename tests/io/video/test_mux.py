"""The last step: pieces joined stamp for stamp, everything else of the source kept."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
from clips import RATE, ffmpeg, frame_times, hashes, make_clip, probe, with_extras

from depth3d.errors import VideoError, WriteError
from depth3d.io.video import companions, mux
from depth3d.io.video.companions import Span
from depth3d.io.video.mux import Film, finish
from depth3d.io.video.reader import VideoReader
from depth3d.io.video.tracks import Track, plan_tracks

BASE = Fraction(1, 90000)


def pieces(
    folder: Path, counts: list[int], times: list[Fraction], bframes: int = 3, codec: str = "libx264"
) -> tuple[Path, ...]:
    files, done = [], 0
    for number, count in enumerate(counts):
        path = folder / f"p{number}.nut"
        options = {"crf": "12", "bf": str(bframes)} if codec == "libx264" else {}
        part = times[done : done + count]
        make_clip(path, count=count, times=part, time_base=BASE, codec=codec, options=options)
        files.append(path)
        done += count
    return tuple(files)


def film(folder: Path, counts: list[int], times: list[Fraction], **more: object) -> Film:
    return Film(pieces(folder, counts, times), times, BASE, end=times[-1] + Fraction(1001, 30000), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("begin", [Fraction(0), Fraction(1, 7)])
def test_pieces_become_one_film_with_the_exact_times(tmp_path: Path, begin: Fraction) -> None:
    ticks = [round(begin * 90000) + n * 3003 + (n * n * 37) % 1500 for n in range(40)]
    times = [tick * BASE for tick in ticks]
    finish(film(tmp_path, [15, 15, 10], times), tmp_path / "out.mp4")
    assert frame_times(tmp_path / "out.mp4") == times
    decoded = hashes(tmp_path / "out.mp4")
    assert [time for time, _ in decoded] == times, "a wrong length in the edit list hides frames from players"
    joined = [digest for _, digest in decoded]
    apart = [digest for n in range(3) for _, digest in hashes(tmp_path / f"p{n}.nut")]
    assert joined == apart


def test_all_of_the_source_is_kept_in_mp4(tmp_path: Path) -> None:
    source = with_extras(make_clip(tmp_path / "a.mp4"), tmp_path / "source.mp4")
    times = frame_times(source)
    lost = finish(film(tmp_path, [12, 12], times, source=source), tmp_path / "out.mp4")
    assert lost == ()
    found = probe(tmp_path / "out.mp4")
    kinds = [stream["codec_name"] for stream in found["streams"]]
    assert kinds[:4] == ["h264", "aac", "aac", "mov_text"]  # behind them the text track of the chapters
    assert [s["tags"]["language"] for s in found["streams"][1:3]] == ["eng", "deu"]
    assert [c["tags"]["title"] for c in found["chapters"]] == ["one", "two"]
    assert found["format"]["tags"]["title"] == "A title"
    assert found["format"]["tags"]["artist"] == "Somebody"
    assert Fraction(found["streams"][0]["avg_frame_rate"]) == RATE
    assert frame_times(tmp_path / "out.mp4") == times


def test_all_of_the_source_is_kept_in_matroska_with_its_stereo_mode(tmp_path: Path) -> None:
    source = with_extras(make_clip(tmp_path / "a.mp4"), tmp_path / "source.mkv")
    finish(film(tmp_path, [24], frame_times(source), source=source, stereo_mode="left_right"), tmp_path / "out.mkv")
    found = probe(tmp_path / "out.mkv")
    assert [stream["codec_name"] for stream in found["streams"]] == ["h264", "aac", "aac", "subrip"]
    side = [entry for entry in found["streams"][0].get("side_data_list", []) if "Stereo" in entry["side_data_type"]]
    assert side[0]["type"] == "side by side"
    assert len(found["chapters"]) == 2


def test_trimming_cuts_the_sound_too(tmp_path: Path) -> None:
    source = with_extras(make_clip(tmp_path / "a.mp4", count=24), tmp_path / "source.mp4")
    times = [Fraction(n, 30) for n in range(6)]
    span = Span(start=Fraction(3, 10), length=Fraction(1, 5))
    finish(film(tmp_path, [6], times, source=source, span=span), tmp_path / "out.mp4")
    found = probe(tmp_path / "out.mp4")
    assert float(found["streams"][1]["duration"]) == pytest.approx(0.2, abs=0.05)
    assert float(found["streams"][1]["start_time"]) == pytest.approx(0, abs=0.03)


def test_sound_that_cannot_be_copied_is_encoded_and_said_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = tmp_path / "source.mkv"
    clip = make_clip(tmp_path / "a.mp4")
    ffmpeg("-i", str(clip), "-f", "lavfi", "-t", "0.8", "-i", "sine", "-c:v", "copy", "-c:a", "wmav2", str(source))
    lost = finish(film(tmp_path, [24], frame_times(clip), source=source), tmp_path / "out.mp4")
    names = [stream["codec_name"] for stream in probe(tmp_path / "out.mp4")["streams"]]
    assert (names == ["h264", "wmav2"] and not lost) or (names == ["h264", "aac"] and "re-encoded as aac" in lost[0])


def test_sound_for_webm_becomes_opus(tmp_path: Path) -> None:
    source = with_extras(make_clip(tmp_path / "a.mp4"), tmp_path / "source.mp4")
    times = frame_times(source)
    made = Film(
        pieces(tmp_path, [24], times, codec="libvpx-vp9"), times, BASE, times[-1] + Fraction(1, 30), source=source
    )
    finish(made, tmp_path / "out.webm")
    assert [s["codec_name"] for s in probe(tmp_path / "out.webm")["streams"]] == ["vp9", "opus", "opus", "webvtt"]


def test_damaged_sound_never_stops_the_film(tmp_path: Path) -> None:
    source = with_extras(make_clip(tmp_path / "a.mp4"), tmp_path / "source.mkv")
    data = bytearray(source.read_bytes())
    for place in range(len(data) // 3, len(data), 97):
        data[place] ^= 0x5A
    source.write_bytes(data)
    times = [n / RATE for n in range(24)]
    finish(film(tmp_path, [24], [round(t / BASE) * BASE for t in times], source=source), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 24


def test_a_missing_frame_is_noticed(tmp_path: Path) -> None:
    times = [Fraction(n, 30) for n in range(10)]
    short = Film(pieces(tmp_path, [9], times), times, BASE, Fraction(1, 3))
    with pytest.raises(VideoError, match="9 frames, expected 10"):
        finish(short, tmp_path / "out.mp4")


def test_what_fits_where() -> None:
    tracks = [
        Track(1, "subtitle", "subrip"),
        Track(2, "subtitle", "hdmv_pgs_subtitle"),
        Track(3, "audio", "aac"),
        Track(4, "attachment", "ttf"),
        Track(5, "cover", "mjpeg"),
    ]
    kept, lost = plan_tracks(tracks, ".mp4")
    assert [(track.index, track.how) for track in kept] == [(1, "mov_text"), (3, "copy"), (5, "copy")]
    assert len(lost) == 2
    kept, lost = plan_tracks(tracks, ".mkv")
    assert [track.how for track in kept] == ["copy"] * 5
    assert not lost
    kept, _ = plan_tracks(tracks, ".webm")
    assert [(track.index, track.how) for track in kept] == [(1, "webvtt"), (3, "libopus")]


def test_mkvinfo_reads_the_stereo_mode(tmp_path: Path) -> None:
    """MKVToolNix as a second witness of what players look at."""
    program = shutil.which("mkvinfo")
    if program is None:
        pytest.skip("needs mkvinfo (MKVToolNix)")
    source = make_clip(tmp_path / "in.mp4", count=6)
    for mode, words in (("left_right", "side by side (left"), ("top_bottom", "top bottom (left"), (None, "")):
        path = tmp_path / f"{mode}.mkv"
        finish(film(tmp_path, [6], frame_times(source), source=source, stereo_mode=mode), path)
        told = subprocess.run([program, str(path)], check=True, capture_output=True, text=True).stdout
        lines = [line for line in told.splitlines() if "Stereo mode" in line]
        assert len(lines) == (mode is not None)
        assert all(words in line for line in lines)


def test_a_full_disk_is_no_fault_of_a_track(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = with_extras(make_clip(tmp_path / "a.mp4"), tmp_path / "source.mkv")
    program = tmp_path / "ffmpeg"
    program.write_text(
        "#!/bin/sh\ncat > /dev/null\necho 'av_interleaved_write_frame(): No space left on device' >&2\nexit 228\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr("depth3d.io.video.files.imageio_ffmpeg.get_ffmpeg_exe", lambda: str(program))
    with pytest.raises(WriteError, match="No space left on device"):
        finish(film(tmp_path, [24], frame_times(source), source=source), tmp_path / "out.mkv")


def test_a_result_without_its_sound_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = with_extras(make_clip(tmp_path / "a.mp4"), tmp_path / "source.mkv")
    whole = mux._maps

    def without_sound(*arguments: Any) -> list[str]:
        words = whole(*arguments)
        return ["4:0" if word == "2:0" else word for word in words]  # the subtitles in its place

    monkeypatch.setattr(mux, "_maps", without_sound)
    with pytest.raises(WriteError, match="audio stream"):
        finish(film(tmp_path, [24], frame_times(source), source=source), tmp_path / "out.mkv")


def test_tracks_are_cut_and_keep_their_flags_and_languages(tmp_path: Path) -> None:
    clip = with_extras(make_clip(tmp_path / "a.mp4"), tmp_path / "b.mkv")
    source = tmp_path / "source.mkv"
    ffmpeg(
        "-i",
        str(clip),
        "-map",
        "0",
        "-c",
        "copy",
        "-disposition:s:0",
        "forced",
        "-disposition:a:1",
        "comment",
        str(source),
    )
    span = Span(start=Fraction(1, 5), length=Fraction(1, 5))
    times = [Fraction(n, 30) for n in range(6)]
    finish(film(tmp_path, [6], times, source=source, span=span), tmp_path / "out.mkv")
    found = probe(tmp_path / "out.mkv", "-show_packets")
    streams = found["streams"]
    assert [s["codec_type"] for s in streams] == ["video", "audio", "audio", "subtitle"]
    assert [s["tags"]["language"] for s in streams[1:3]] == ["eng", "deu"]
    assert streams[2]["disposition"]["comment"] == 1
    assert streams[3]["disposition"]["forced"] == 1
    (line,) = [packet for packet in found["packets"] if packet["stream_index"] == 3]
    assert float(line["pts_time"]) == 0
    assert float(line["duration_time"]) == pytest.approx(0.2, abs=0.002)
    assert [c["tags"]["title"] for c in found["chapters"]] == ["one"]
    assert float(found["format"]["duration"]) == pytest.approx(0.2, abs=0.06)


def test_covers_stay_covers(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    Pillow.new("RGB", (400, 400), "red").save(tmp_path / "cover.png")
    source = tmp_path / "source.mp4"
    clip = make_clip(tmp_path / "a.mp4")
    ffmpeg(
        *("-i", str(tmp_path / "cover.png"), "-i", str(clip), "-map", "0", "-map", "1", "-c", "copy"),
        *("-disposition:v:0", "attached_pic", str(source)),
    )
    with VideoReader(source) as reader:
        assert reader.info.size == (64, 48)
        times = [frame.time for frame in reader]
    finish(film(tmp_path, [24], times, source=source, track=reader.info.track), tmp_path / "out.mp4")
    streams = probe(tmp_path / "out.mp4")["streams"]
    assert [s["disposition"]["attached_pic"] for s in streams] == [0, 1]


def test_one_refused_packet_does_not_cost_the_track(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A muxer that answers EINVAL for the fifth packet, as for one with a broken time."""
    source = with_extras(make_clip(tmp_path / "a.mp4"), tmp_path / "source.mkv")
    make = companions.create_container

    def create(path: Path) -> Any:
        output = make(path)
        mux, calls = output.mux, itertools.count(1)

        def refuse(packet: Any) -> None:
            if next(calls) == 5:
                raise av.error.ArgumentError(22, "Invalid argument")
            mux(packet)

        return SimpleNamespace(
            add_stream_from_template=output.add_stream_from_template,
            start_encoding=output.start_encoding,
            close=output.close,
            mux=refuse,
        )

    monkeypatch.setattr(companions, "create_container", create)
    assert finish(film(tmp_path, [24], frame_times(source), source=source), tmp_path / "out.mkv") == ()
    assert [s["codec_name"] for s in probe(tmp_path / "out.mkv")["streams"]] == ["h264", "aac", "aac", "subrip"]
