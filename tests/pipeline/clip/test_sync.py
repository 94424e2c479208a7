"""Flash and beep in one instant: they still are in the result, for every container, cut or not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest
from clip_child import FunctionOfThePicture
from clips import ffmpeg, frame_times, probe

import depth3d.depth.estimator
from depth3d.options import StereoOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert

SOUND = {
    "webm": "libopus",
    "ogv": "libvorbis",
    "wmv": "wmav2",
    "avi": "mp3",
    "mpg": "mp2",
    "vob": "ac3",
    "mxf": "pcm_s16le",
}


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = lambda *_, **__: FunctionOfThePicture()  # noqa: E731
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", stand_in)


def flash_and_beep(path: Path, late: float = 0.0) -> Path:
    """Six seconds; at 1, 3 and 5 s a white flash and a beep of 0.08 s. The sound may begin ``late``."""
    once = "lt(mod(t+1,2),0.08)"
    picture = "color=black:s=64x48:r=25:d=6,format=yuv420p,geq=lum='16+219*lt(mod(T+1,2),0.08)':cb=128:cr=128"
    sound = f"aevalsrc='sin(2*PI*1000*t)*{once}':s=48000:d=6"
    if late:
        sound = f"{sound},atrim=start={late}"
    late_words = ["-copyts"] if late else []
    words = [*late_words, "-c:a", SOUND.get(path.suffix[1:], "aac"), "-g", "15"]
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *words, str(path))
    return path


def offsets(path: Path) -> list[float]:
    """Seconds from each flash to its beep."""
    flashes, beeps = [], []
    with av.open(str(path)) as container:
        base = container.streams.video[0].time_base
        packets = [packet for packet in container.demux(video=0) if packet.size or packet.pts is None]
        frames = [frame for packet in packets for frame in packet.decode()]
        bright = [(float(frame.pts * base), frame.to_ndarray(format="gray").mean() > 100) for frame in frames]
    flashes = [time for n, (time, on) in enumerate(bright) if on and (n == 0 or not bright[n - 1][1])]
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        quiet = -1.0
        for frame in container.decode(stream):
            samples = np.abs(frame.to_ndarray().astype(float))
            samples = samples.reshape(-1, frame.samples, order="F") if not frame.format.is_planar else samples
            loud = samples.max(axis=0)
            loud = loud / (32768 if "s16" in frame.format.name else 2**31 if "s32" in frame.format.name else 1)
            for place in np.flatnonzero(loud > 0.2):
                time = float(frame.pts * frame.time_base) + place / frame.sample_rate
                if time - quiet > 0.5:
                    beeps.append(time)
                quiet = time
    assert len(flashes) == len(beeps), (flashes, beeps)
    return [b - f for f, b in zip(flashes, beeps, strict=True)]


def converted(source: Path, target: Path, **video: object) -> Path:
    return convert(source, target, stereo=StereoOptions(format="sbs-half"), video=VideoOptions(**video))  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", "mp4 mov mkv webm avi ts m2ts mpg vob flv wmv ogv mxf nut".split())  # noqa: SIM905
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
def test_flash_and_beep_stay_together(tmp_path: Path, suffix: str, cut: bool) -> None:
    source = flash_and_beep(tmp_path / f"a.{suffix}")
    span: dict[str, object] = {"start": "2.5", "end": "5.5"} if cut else {}
    found = offsets(converted(source, tmp_path / "out.mkv", **span))
    before = offsets(source)
    assert len(found) == (2 if cut else 3)
    assert max(abs(a - b) for a, b in zip(found, before[-len(found) :], strict=True)) <= 0.02
    assert max(map(abs, found)) <= 0.03  # the encoders of the sources are off by a few milliseconds themselves


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
@pytest.mark.parametrize("target", ["mp4", "mkv"])
def test_sound_that_begins_later_stays_in_sync(tmp_path: Path, suffix: str, target: str) -> None:
    source = flash_and_beep(tmp_path / f"a.{suffix}", late=0.78)
    assert max(map(abs, offsets(converted(source, tmp_path / f"out.{target}")))) <= 0.02


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_sync_behind_a_clock_that_starts_again(tmp_path: Path, suffix: str) -> None:
    part = flash_and_beep(tmp_path / f"a.{suffix}").read_bytes()
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(part + part)
    path = converted(joined, tmp_path / "out.mp4")
    found = offsets(path)
    assert len(found) == 6
    assert max(map(abs, found)) <= 0.02
    assert len(frame_times(path)) == 300


def test_the_fault_clips_are_in_sync(tmp_path: Path, shared: Path) -> None:
    source = shared / "data/faults/clips/sync_late.ts"
    assert max(map(abs, offsets(converted(source, tmp_path / "out.mp4")))) <= 0.02
    assert max(map(abs, offsets(converted(source, tmp_path / "cut.mp4", start="2.3")))) <= 0.02


def test_a_cut_clip_says_its_own_length(tmp_path: Path, shared: Path) -> None:
    for suffix in ("mkv", "mp4"):
        path = converted(shared / "data/faults/clips/film.mkv", tmp_path / f"out.{suffix}", end="1")
        found = probe(path)
        assert float(found["format"]["duration"]) == pytest.approx(1, abs=0.06)
        assert [chapter["tags"]["title"] for chapter in found["chapters"]] == ["One"]
    path = converted(shared / "data/faults/clips/film.mkv", tmp_path / "middle.mkv", start="0.5", end="2.5")
    chapters = [(float(c["start_time"]), float(c["end_time"])) for c in probe(path)["chapters"]]
    assert chapters == [(0, 0.5), (0.5, 2)]


def test_a_picture_that_is_held_stays_as_long(tmp_path: Path, shared: Path) -> None:
    for fps, count in ((None, 5), ("10", 34)):
        path = converted(shared / "data/faults/clips/hold.gif", tmp_path / f"{count}.mp4", fps=fps)
        assert float(probe(path)["format"]["duration"]) == pytest.approx(3.4, abs=0.05)
        assert len(frame_times(path)) == count
        assert frame_times(path)[1] == Fraction(1, 10)


@pytest.mark.parametrize(
    ("target", "codec"),
    [("mp4", "libx264"), ("mkv", "libx264"), ("mov", "libx265"), ("webm", "vp9"), ("mp4", "vp9"), ("mkv", "ffv1")],
)
def test_a_held_picture_behind_reordered_frames_stays_as_long(tmp_path: Path, target: str, codec: str) -> None:
    """Nearly equal frames make B-frames: the last one is not the last to be decoded unless it is a key frame."""
    grays = [PIL.Image.new("RGB", (64, 48), (40 * n, 40 * n, 40 * n)) for n in range(5)]
    source = tmp_path / "a.gif"
    grays[0].save(source, save_all=True, append_images=grays[1:], duration=[100] * 4 + [3000], loop=0)
    for fps, count in ((None, 5), ("10", 34)):
        path = converted(source, tmp_path / f"{count}.{target}", fps=fps, codec=codec)
        times = frame_times(path)
        assert len(times) == count
        assert times[:5] == [Fraction(n, 10) for n in range(5)]
        with av.open(str(path)) as container:
            assert container.duration == pytest.approx(3_400_000, abs=2000)


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
@pytest.mark.parametrize("target", ["mp4", "mkv"])
def test_sound_whose_format_changes_is_told_and_stays_in_sync(
    tmp_path: Path, suffix: str, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = flash_and_beep(tmp_path / f"a.{suffix}"), tmp_path / f"b.{suffix}"
    ffmpeg("-i", str(first), "-c:v", "copy", "-c:a", SOUND.get(suffix, "aac"), "-ar", "44100", "-ac", "2", str(second))
    source = tmp_path / f"c.{suffix}"
    source.write_bytes(first.read_bytes() + second.read_bytes())
    path = converted(source, tmp_path / f"out.{target}")
    assert "changes from 48000 Hz mono to 4" in caplog.text  # some decoders keep telling the first sample rate
    assert "stereo: re-encoded as aac" in caplog.text
    found = offsets(path)
    assert len(found) == 6
    assert max(map(abs, found)) <= 0.03
