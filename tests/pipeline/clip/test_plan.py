"""``--dry-run`` tells the true size of the work folder; errors and interruptions name the true frame."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from clip_child import Broken, stand_in
from clips import ffmpeg, frame_times, make_clip

import depth3d.depth.estimator
from depth3d.errors import VideoError
from depth3d.io.video.packets import frames_before
from depth3d.options import StabilizeOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip import convert as conversion
from depth3d.pipeline.clip import depth_pass, output, plan, render_pass, state, workspace
from depth3d.pipeline.clip.convert import convert


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", stand_in)
    monkeypatch.setattr(plan, "predict_frame", lambda job, frame: stand_in().predict([frame.guide])[0])


def planned(monkeypatch: pytest.MonkeyPatch, source: Path, target: Path, **video: Any) -> plan.Plan:
    made: list[plan.Plan] = []
    make = plan.make_plan
    with monkeypatch.context() as patched:
        patched.setattr(conversion, "make_plan", lambda *words: made.append(make(*words)) or made[0])
        convert(source, target, stereo=StereoOptions(format="sbs"), video=VideoOptions(dry_run=True, **video))
    return made[0]


@pytest.mark.parametrize(
    ("frames", "codec", "sound"), [(36, "libx264", "aac"), (120, "libx264", "aac"), (220, "ffv1", "pcm_s16le")]
)
def test_the_peak_of_the_work_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: int, codec: str, sound: str
) -> None:
    silent = make_clip(tmp_path / "v.mp4", count=frames, size=(160, 120), rate=Fraction(25), options={"crf": "20"})
    clip, target, seconds = tmp_path / "a.mkv", tmp_path / "out.mkv", frames / 25
    ffmpeg("-i", str(silent), "-f", "lavfi", "-i", f"sine=d={seconds}", "-c:v", "copy", "-c:a", sound, str(clip))
    told, peak = planned(monkeypatch, clip, target, codec=codec), [0]
    write, mux = workspace.whole, output.finish

    def measure(extracted: float = 0) -> None:
        files = [one for one in (tmp_path / ".out.mkv.depth3d").rglob("*") if one.is_file()]
        peak[0] = max(peak[0], round(sum(one.stat().st_size for one in files) + extracted))

    @contextlib.contextmanager
    def measured(path: Path) -> Iterator[Path]:
        with write(path) as temporary:
            yield temporary
            measure()

    def finish(film: Any, path: Path) -> tuple[str, ...]:
        result = mux(film, path)
        measure(seconds * (16_000 if sound == "aac" else 88_200))  # extracted sound, deleted before the muxer returns
        return result

    for module in (depth_pass, state):
        monkeypatch.setattr(module, "whole", measured)
    monkeypatch.setattr(output, "finish", finish)
    convert(clip, target, stereo=StereoOptions(format="sbs"), video=VideoOptions(codec=codec))
    assert 0.75 < told.work_bytes / peak[0] < 1.35, (told.work_bytes, peak)
    assert 0.7 < told.bytes / target.stat().st_size < 1.4, (told.bytes, target.stat().st_size)


def test_a_plan_of_one_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = planned(monkeypatch, make_clip(tmp_path / "a.mp4", count=1), tmp_path / "out.mp4")
    assert told.frames == 1
    assert told.bytes > 0


@pytest.mark.parametrize(("video", "frame"), [({"start": "0.25"}, 14), ({"start": "0.25", "fps": "12"}, 22)])
def test_errors_name_the_frame_of_the_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, video: dict[str, str], frame: int
) -> None:
    broken = Broken()
    monkeypatch.setattr(depth3d.depth.estimator, "open_estimator", lambda *_, **__: broken)
    clip = make_clip(tmp_path / "a.mp4", count=48, rate=Fraction(24))
    assert frames_before(clip, Fraction(1, 4)) == 6
    with pytest.raises(VideoError, match=f"^frame {frame}: predict failed") as caught:
        convert(clip, tmp_path / "b.mp4", video=VideoOptions(**video))  # type: ignore[arg-type]
    assert caught.value.frame == frame


def test_a_stopped_run_tells_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in (depth_pass, render_pass):
        monkeypatch.setattr(module, "SEGMENT", 8)
    clip, target = make_clip(tmp_path / "a.mp4", count=44), tmp_path / "b.mkv"

    def run(stage: str, frame: int) -> None:
        def stop(name: str, done: int, _: int) -> None:
            if (name, done) == (stage, frame):
                raise KeyboardInterrupt

        options = {"stereo": StereoOptions(format="rgbd"), "stabilize": StabilizeOptions(look_ahead=4)}
        convert(clip, target, **options, video=VideoOptions(codec="ffv1"), progress=stop)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt), caplog.at_level(logging.INFO, "depth3d"):
        run("depth", 43)
    assert "depth of 40 and pictures of 0 frames are kept" in caplog.text
    caplog.clear()
    with pytest.raises(KeyboardInterrupt), caplog.at_level(logging.INFO, "depth3d"):
        run("draw", 23)
    assert "depth: resumed after 40 frames" in caplog.text
    assert "depth of 44 and pictures of" in caplog.text
    kept = int(caplog.text.split("pictures of ")[1].split()[0])
    assert kept in (8, 16)
    caplog.clear()
    with caplog.at_level(logging.INFO, "depth3d"):
        run("none", 0)
    assert f"rendering: resumed after {kept} frames" in caplog.text
    assert target.exists()


def test_a_change_of_the_picture_size_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number, size in enumerate(("64x48", "128x96")):
        source = f"testsrc=s={size}:r=25:d=1"
        ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", "-c:v", "libx264", str(tmp_path / f"{number}.ts"))
    clip = tmp_path / "a.ts"
    clip.write_bytes((tmp_path / "0.ts").read_bytes() + (tmp_path / "1.ts").read_bytes())
    assert len(frame_times(convert(clip, tmp_path / "b.mp4"))) == 50
    assert caplog.text.count("the picture size changes from 64x48 to 128x96: scaled to 64x48") == 1
