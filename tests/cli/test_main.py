"""Exit codes, messages and the streams they go to: what a shell script relies on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small photo with a depth file beside it: no network is needed."""
    import cv2

    rows, columns = np.mgrid[0:48, 0:64]
    near = ((rows - 24) ** 2 + (columns - 32) ** 2 < 15**2).astype(np.uint8) * 200
    cv2.imwrite(str(tmp_path / "ball.png"), np.dstack([columns * 3, rows * 4, near]).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "ball_depth.png"), near)
    return tmp_path / "ball.png"


def depth3d(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "depth3d", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


def test_one_word_makes_a_film(photo: Path) -> None:
    done = depth3d(photo, "--seconds", "0.3", "--fps", "10")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(photo.with_name("ball_3d.mp4"))
    assert photo.with_name("ball_3d.mp4").stat().st_size > 500
    assert "ball_depth.png" in done.stderr  # where the depth came from is told


def test_existing_files_are_refused_before_any_work(photo: Path) -> None:
    target = photo.with_name("ball_3d.mp4")
    target.write_bytes(b"mine")
    refused = depth3d(photo)
    assert refused.returncode == 1
    assert "exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert refused.stdout == ""
    assert target.read_bytes() == b"mine"
    assert depth3d(photo, "--force", "--seconds", "0.2", "--fps", "10").returncode == 0
    assert target.stat().st_size > 500


def test_json_is_one_line_and_quiet_is_silent(photo: Path) -> None:
    done = depth3d("animate", photo, "--json", "--quiet", "--seconds", "0.2", "--fps", "10")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert json.loads(done.stdout)["output"] == str(photo.with_name("ball_3d.mp4"))


def test_folder_takes_the_photos_and_leaves_depth_files_and_results(photo: Path) -> None:
    done = depth3d(photo.parent, "--seconds", "0.2", "--fps", "10")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(photo.with_name("ball_3d.mp4"))]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["x.jpg", "--modle", "tiny"],
            "no such option --modle; did you mean --model? `depth3d help auto` lists the options",
        ),
        (["depth", "x.jpg", "--zzzz"], "no such option --zzzz; `depth3d help depth` lists the options"),
        (["mesh", "x.jpg", "--layers", "x"], "no such option --layers; `depth3d help mesh` lists the options"),
        (["info", "x"], "got unexpected extra argument (x); `depth3d help info` lists the options"),
        (["animat"], "'animat' is neither a file nor a command. Did you mean `depth3d animate`?"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    from depth3d.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(arguments)
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert line in told
    assert told.count("\n") == 1


def test_in_a_batch_the_good_ones_are_done_and_the_bad_one_is_told(photo: Path) -> None:
    bad = photo.with_name("bad.jpg")
    bad.write_bytes(b"not a picture")
    done = depth3d(bad, photo, "--seconds", "0.2", "--fps", "10")
    assert done.returncode == 1
    assert photo.with_name("ball_3d.mp4").exists()
    assert "bad.jpg" in done.stderr
    assert "1 of 2" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["animat", "x"], 2, "animate"),
        (["nowhere.jpg"], 1, "nowhere.jpg"),
        (["animate"], 2, "missing argument"),
        (["animate", "x.jpg", "--amount", "much"], 2, "much"),
        (["animate", "x.jpg", "--fps", "0"], 2, "frame rate"),
        (["animate", "nowhere.jpg"], 1, "nowhere.jpg"),
    ],
)
def test_errors_are_one_line_with_the_right_code(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    done = depth3d(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1


def test_version() -> None:
    import depth3d as package

    assert depth3d("--version").stdout.strip() == f"depth3d {package.__version__}"


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stopped_run_leaves_nothing_and_exits_130(photo: Path, name: str) -> None:
    command = [sys.executable, "-m", "depth3d", str(photo), "--seconds", "3000", "--size", "64x48"]
    before = signal.signal(getattr(signal, name), signal.SIG_DFL)  # under nohup a child inherits that SIGHUP is ignored
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(getattr(signal, name), before)
    with process:
        try:
            deadline = time.monotonic() + 100
            while not any(".part" in item.name for item in photo.parent.iterdir()):  # until the first bytes are written
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(getattr(signal, name))
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert sorted(item.name for item in photo.parent.iterdir()) == ["ball.png", "ball_depth.png"]


def test_an_interrupt_while_the_program_is_loaded_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from depth3d.__main__ import main

    class Interrupted:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "depth3d.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "depth3d.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "depth3d: interrupted\n"


def test_info_answers() -> None:
    done = depth3d("info", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert {"depth3d", "torch", "moderngl", "OpenGL", "ffmpeg", "weights cache"} <= set(facts)
