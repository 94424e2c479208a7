"""A run that is killed goes on: the result is frame for frame that of an unbroken one.

``DEPTH3D_KILLS=20 pytest tests/pipeline/clip/test_resume.py`` kills twenty runs instead of two.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clips import ffmpeg, hashes, make_clip

CHILD = Path(__file__).parents[2] / "clip_child.py"
KILLS = int(os.environ.get("DEPTH3D_KILLS", "2"))


def start(source: Path, target: Path, *more: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), str(source), str(target), *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )


def run(source: Path, target: Path, *more: str) -> str:
    """Run to the end; what it said on standard error."""
    process = start(source, target, *more)
    _, said = process.communicate()
    assert process.returncode == 0, said
    return said


def stop_after(process: subprocess.Popen[str], steps: int, number: int, pause: float = 0.0) -> bool:
    """Send signal ``number`` after so many steps; False if the run ended before."""
    assert process.stdout is not None
    for line in process.stdout:
        steps -= line.startswith(("depth", "draw"))
        if steps <= 0:
            time.sleep(pause)
            process.send_signal(number)
            break
    process.communicate()
    return process.returncode != 0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", count=44, options={"crf": "8", "g": "15", "bf": "2"})


@pytest.fixture(scope="module")
def unbroken(clip: Path) -> list[tuple[object, str]]:
    target = clip.with_name("whole.mkv")
    run(clip, target)
    assert not list(clip.parent.glob(".*")), "the work folder is gone when all is done"
    return list(hashes(target))


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_random_moments(clip: Path, unbroken: list[tuple[object, str]], tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    target = tmp_path / "out.mkv"
    kill_at_random(clip, target, dice, 60)
    run(clip, target)
    assert hashes(target) == unbroken
    assert not list(tmp_path.glob(".*"))


# Containers whose index cannot be trusted: frames are found again by their decoded times.
STREAMS = {
    "ts": ["-c:v", "libx264", "-bf", "0", "-c:a", "aac"],
    "m2ts": ["-c:v", "libx264", "-bf", "2", "-c:a", "ac3"],
    "mpg": ["-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2"],
    "vob": ["-c:v", "mpeg2video", "-bf", "0", "-c:a", "ac3"],
}


@pytest.fixture(scope="module", params=STREAMS)
def stream(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    """A clip without an index, and the frames of its unbroken conversion."""
    folder = tmp_path_factory.mktemp("stream")
    clip = folder / f"clip.{request.param}"
    picture, sound = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1.8"], ["-f", "lavfi", "-i", "sine=d=1.8"]
    ffmpeg(*picture, *sound, *STREAMS[request.param], "-g", "12", str(clip))
    run(clip, folder / "whole.mkv")
    return clip, list(hashes(folder / "whole.mkv"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(int(os.environ.get("DEPTH3D_KILLS", "1"))))  # 5: the whole of 20, some minutes
def test_killed_runs_of_streams_without_an_index(stream: tuple[Path, list[object]], tmp_path: Path, seed: int) -> None:
    clip, whole = stream
    assert len(whole) == 45
    dice = random.Random(f"{clip.suffix} {seed}")
    target = tmp_path / "out.mkv"
    kill_at_random(clip, target, dice, 85)
    run(clip, target)
    assert hashes(target) == whole
    assert not list(tmp_path.glob(".*"))


def kill_at_random(clip: Path, target: Path, dice: random.Random, steps: int) -> None:
    """Kill one to three runs in the first ``steps`` frames of both passes."""
    for _ in range(dice.randint(1, 3)):
        killed = stop_after(start(clip, target), dice.randint(1, steps), signal.SIGKILL, dice.random() * 0.05)
        # The finished file appears only whole.
        assert killed != target.exists()
        if not killed:
            break


@pytest.mark.skipif(os.name == "nt", reason="needs a shell script as ffmpeg")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=["kill", "term", "int"])
def test_stopped_in_the_last_step(clip: Path, unbroken: list[tuple[object, str]], tmp_path: Path, number: int) -> None:
    """The program that muxes hangs: the run is stopped there, and leaves its work folder and nothing else."""
    program, begun, target = tmp_path / "ffmpeg", tmp_path / "begun", tmp_path / "out.mkv"
    program.write_text(f"#!/bin/sh\nfor last; do :; done\necho half > ${{last#file:}}\ntouch {begun}\nexec sleep 20\n")
    program.chmod(0o755)
    process = start(clip, target, IMAGEIO_FFMPEG_EXE=str(program))
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate()
    assert process.returncode != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.mkv.depth3d", "begun", "ffmpeg"]
    run(clip, target)
    assert hashes(target) == unbroken
    assert not list(tmp_path.glob(".*"))


def test_a_changed_option_starts_afresh_and_says_so(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    assert stop_after(start(clip, target), 70, signal.SIGKILL)
    assert "starts over: changed since the last run: parallax" in run(clip, target, "ffv1", "3.0")


def test_ctrl_c_tells_how_to_go_on(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    process = start(clip, target)
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:
        if line.startswith("draw 20"):  # the encoder may be a few frames behind
            process.send_signal(signal.SIGINT)
            break
    _, said = process.communicate()
    assert "run the same command to resume" in said
    assert not target.exists()
    assert any(tmp_path.glob(".out.mkv.depth3d/pictures/segment-*"))


def test_a_second_run_on_the_same_clip_is_refused(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    first = start(clip, target)
    assert first.stdout is not None
    first.stdout.readline()
    first.send_signal(signal.SIGSTOP)
    second = start(clip, target)
    _, said = second.communicate()
    assert second.returncode != 0
    assert "another run is converting this clip" in said
    first.kill()
    first.communicate()
