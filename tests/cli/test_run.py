"""Many inputs, one way: what is checked before the work, what is refused, exit codes and the summary."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import imageio.v3 as imageio
import numpy as np
import pytest
from commandline import run

from depth3d.pipeline import inputs

_ROOMS = ("scene", "animate", "stereo", "depthmap", "export")
SHORT = ("--seconds", "0.2", "--fps", "10")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos with depth files, a clip, and a photo in a subfolder."""
    rows, columns = np.mgrid[0:48, 0:64]
    near = ((rows - 24) ** 2 + (columns - 32) ** 2 < 15**2).astype(np.uint8) * 200
    picture = np.dstack([columns * 3, rows * 4, near]).astype(np.uint8)
    (tmp_path / "inner").mkdir()
    for name in ("ball", "cube", "inner/cone"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture)
        cv2.imwrite(str(tmp_path / f"{name}_depth.png"), near)
    imageio.imwrite(tmp_path / "clip.mp4", np.stack([np.roll(picture, step, 1) for step in range(4)]), fps=8)
    return tmp_path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if a network is opened or a picture is read: checks come before any work."""

    def opened(*_: object, **__: object) -> None:
        pytest.fail("work began before the checks were done")

    monkeypatch.setattr("depth3d.depth.estimator.open_estimator", opened)
    # All are imported before the first one is changed: an import binds the name for good.
    for module in [import_module(f"depth3d.pipeline.{name}") for name in _ROOMS]:
        monkeypatch.setattr(module, "load_scene", opened)
    monkeypatch.setattr("depth3d.pipeline.clip.convert.convert", opened)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ball.png", "--path", "swnig"], "--path: 'swnig' is unknown; did you mean 'swing'"),
        (["animate", "clip.mp4", "--path", "swnig"], "did you mean 'swing'"),
        (["ball.png", "-o", "x.usdz"], "'.usdz' is not a format of animations"),
        (["mesh", "ball.png", "-o", "x.fbx"], "expected one of .glb, .obj, .ply"),
        (["view", "ball.png", "-o", "x.pdf"], ".html"),
        (["depth", "ball.png", "-o", "x.doc"], "is not a format of depth maps"),
        (["depth", "clip.mp4", "-o", "x.png"], "is not a format of clips"),
        (["stereo", "ball.png", "-o", "x.mp4"], "is not a format of the stereo format sbs"),
        (["clip.mp4", "-o", "x.usdz"], "is not a format of clips"),
        (["check", "ball.png", "-o", "x.doc"], "is not a format of pictures"),
        (["ball.png", "--amount", "-1"], "--amount: -1, expected a number, 0 to 50"),
        (["ball.png", "--model", "tinny"], "did you mean tiny"),
        (["ball.png", "--matcher", "sgmm"], "did you mean 'sgm'"),
        (["ball.png", "--device", "gpu"], "--device: 'gpu', expected auto"),
        (["clip.mp4", "--flow", "diss"], "did you mean 'dis'"),
        (["stereo", "ball.png", "--format", "sbss"], "did you mean sbs"),
        (["stereo", "clip.mp4", "--format", "mpo"], "does not apply to a clip"),
        (["clip.mp4", "--amount", "3"], "--amount does not apply to clip.mp4, a clip; `depth3d animate CLIP`"),
        (["clip.mp4", "--views", "8"], "--views does not apply to clip.mp4, a clip; it is for photos"),
        (["ball.png", "--parallax", "3"], "does not apply to ball.png, a photo; `depth3d stereo PHOTO` takes it"),
        (["ball.png", "--preview"], "--preview does not apply to ball.png, a photo; it is for clips"),
        (["stereo", "ball.png", "--size", "720p"], "--size does not apply"),
        (["depth", "clip.mp4", "--facebook"], "--facebook does not apply"),
        (["ball.png", "cube.png", "-o", "one.mp4"], "-o names one file, but there are 2 inputs"),
        (["view", "ball.png", "cube.png", "--serve"], "--serve needs exactly one photo"),
        (["ball.png", "-o", "a\0b.mp4"], "-o holds a NUL character"),
    ],
)
def test_wrong_options_are_refused_before_any_work(
    arguments: list[str], words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    assert run(*arguments) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
    assert len(told.err.strip().splitlines()) == 1
    assert sorted(folder.rglob("*")) == before


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bal.png"], "no such file; did you mean ball.png?"),
        (["mesh", "clip.mp4"], "is a clip; this command supports photos"),
        (["https://example.org/a.jpg"], "download the file"),
        (["-"], "standard input cannot be read"),
        (["*.bmp"], "no photo or clip matches"),
        (["ball.png", "--depth", "gone.png"], "no such depth file"),
        (["ball.png", "--model", "gone.pt"], "no such checkpoint file"),
        (["clip.mp4", "--save-depth", "gone/depth.mkv"], "the folder gone does not exist"),
        (["clip.mp4", "--shots", "gone/shots.toml"], "the folder gone does not exist"),
    ],
)
def test_missing_things_are_one_line(
    arguments: list[str], words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert run(*arguments) == 1
    told = capsys.readouterr()
    assert words in told.err
    assert len(told.err.strip().splitlines()) == 1


@pytest.mark.parametrize("options", [("--force",), ("-o", "x.mp4"), ("--depth", "ball_depth.png")])
def test_options_before_the_file(options: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert run(*options, "ball.png", *SHORT) == 0
    assert (folder / ("x.mp4" if "-o" in options else "ball_3d.mp4")).stat().st_size > 500


def test_one_bad_file_of_several(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.png").write_bytes(b"\x89PNG nothing")
    assert run("mesh", folder / "bad.png", folder / "ball.png", folder / "gone.jpg") == 1
    told = capsys.readouterr()
    assert told.out == f"{folder / 'ball.glb'}\n"
    assert "bad.png" in told.err
    assert "gone.jpg: no such file" in told.err
    assert told.err.strip().splitlines()[-1] == "depth3d: 2 of 3 inputs failed, 1 done"


def test_clips_in_folders_are_left_out_by_commands_for_photos(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clip that is named fails, one that lies in a folder does not."""
    assert run("mesh", folder) == 0
    told = capsys.readouterr()
    assert told.out.split() == [f"{folder / 'ball.glb'}", f"{folder / 'cube.glb'}"]
    assert "clip.mp4: skipped, is a clip" in told.err
    assert told.err.strip().splitlines()[-1] == "3 inputs: 2 done, 1 skipped"
    assert run("mesh", folder / "ball.png", folder / "clip.mp4", "--force") == 1
    assert "is a clip; this command supports photos" in capsys.readouterr().err
    (folder / "more.mp4").write_bytes((folder / "clip.mp4").read_bytes())
    assert run("mesh", folder / "*.mp4") == 1
    assert "nothing that this command supports: photos" in capsys.readouterr().err


def test_folders_recursive_skip_existing_and_summary(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "clip.mp4").unlink()
    out = f"{folder}/out/"
    assert run("mesh", folder, "--recursive", "-o", out) == 0
    told = capsys.readouterr()
    assert [Path(line).relative_to(out).as_posix() for line in told.out.split()] == [
        "ball.glb",
        "cube.glb",
        "inner/cone.glb",
    ]
    assert told.err.strip().splitlines()[-1] == "3 inputs: 3 done"
    (Path(out) / "cube.glb").unlink()
    assert run("mesh", folder, "-o", out, "--skip-existing") == 0
    told = capsys.readouterr()
    assert told.out.split() == [f"{out}cube.glb"]
    assert told.err.strip().splitlines()[-1] == "2 inputs: 1 done, 1 skipped"


def test_a_result_of_another_input_is_not_skipped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ball.png and ball.jpg would have one result: the second one says so, on every run."""
    imageio.imwrite(folder / "ball.jpg", imageio.imread(folder / "ball.png"))
    for state in ("done", "skipped"):
        assert run("mesh", folder / "ball.jpg", folder / "ball.png", "-o", f"{folder}/out/", "--skip-existing") == 1
        told = capsys.readouterr().err
        assert "ball.glb: is already the output of ball.jpg" in told
        assert f"1 {state}" in told.splitlines()[-1]


def test_a_list_of_inputs_and_one_json_line_for_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Done, skipped and failed ones; the table names each with its reason."""
    (folder / "bad.png").write_bytes(b"\x89PNG nothing")
    (folder / "ball.glb").write_bytes(b"before")
    (folder / "list.txt").write_text("# what to convert\nball.png\n\ncube.png\nbad.png\ninner\n")
    assert run("mesh", f"@{folder}/list.txt", "--skip-existing", "--json") == 1
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert [(Path(line["input"]).name, line["state"]) for line in lines if "state" in line] == [
        ("ball.png", "skipped"),
        ("bad.png", "failed"),
    ]
    assert [Path(line["output"]).name for line in lines if "state" not in line] == ["cube.glb", "cone.glb"]
    assert all("reason" in line for line in lines if "state" in line)
    table = [line.split()[:2] for line in told.err.splitlines()[-5:-1]]
    assert sorted(table) == [["done", "cone.png"], ["done", "cube.png"], ["failed", "bad.png"], ["skipped", "ball.png"]]
    assert told.err.splitlines()[-1] == "depth3d: 1 of 4 inputs failed, 2 done, 1 skipped"


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "one a line"), (b"@other.txt", "one a line"), (b"\xff\xfe\x00", "not a text")]
)
def test_a_list_that_is_none(folder: Path, content: bytes, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "list.txt").write_bytes(content)
    assert run("mesh", f"@{folder}/list.txt") == 1
    assert words in capsys.readouterr().err
    assert run("mesh", f"@{folder}/gone.txt") == 1
    assert "list of inputs cannot be read" in capsys.readouterr().err


def test_a_pattern_in_quotes(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    assert run("mesh", "*.png") == 0
    assert capsys.readouterr().out.split() == ["ball.glb", "cube.glb"]


@pytest.mark.parametrize(
    ("command", "result"),
    [
        (["animate", *SHORT], "ball_3d.mp4"),
        (["stereo"], "ball_LRF_Full_SBS.jpg"),
        (["anaglyph"], "ball_redcyan.png"),
        (["depth"], "ball_depth.png"),
        (["mesh"], "ball.glb"),
        (["view"], "ball.html"),
        ([*SHORT], "ball_3d.mp4"),
    ],
)
def test_every_command_takes_a_folder_for_its_results(command: list[str], result: str, folder: Path) -> None:
    first = command[:1] if command[0] in ("animate", "stereo", "anaglyph", "depth", "mesh", "view") else []
    assert run(*first, folder / "ball.png", *command[len(first) :], "-o", f"{folder}/new/") == 0
    assert (folder / "new" / result).stat().st_size > 0


def test_check_takes_many(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stereo", folder / "ball.png", folder / "cube.png", "--quiet") == 0
    pairs = capsys.readouterr().out.split()
    assert run("check", *pairs, "--json", "-o", f"{folder}/reports/") == 0
    told = capsys.readouterr()
    assert [Path(json.loads(line)["path"]).name for line in told.out.splitlines()] == [
        Path(pair).name for pair in pairs
    ]
    assert len(list((folder / "reports").glob("*_check.png"))) == 2


def test_an_option_for_some_inputs_is_logged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (folder / "ball.png", folder / "clip.mp4", "--amount", "3", *SHORT, "--dry-run", "--size", "64x48")
    run(*arguments, "--depth", folder / "ball_depth.png")
    told = capsys.readouterr().err
    assert "--amount does not apply to clips and is ignored for them" in told
    assert "--dry-run does not apply to photos and is ignored for them" in told


def test_two_inputs_never_share_a_result(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(folder / "ball.jpg"), cv2.imread(str(folder / "ball.png")))
    assert run("mesh", folder / "ball.png", folder / "ball.jpg", "--force") == 1
    assert "is already the output of ball.png" in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("help") == 0
    assert "Convert photos and clips to 3D." in capsys.readouterr().out
    assert run("help", "mesh") == 0
    assert "Usage: depth3d mesh" in capsys.readouterr().out
    assert run("help", "mehs") == 2
    assert "`depth3d mesh`" in capsys.readouterr().err
    assert run("anmate", "x.jpg") == 2
    assert "`depth3d animate`" in capsys.readouterr().err


def test_the_old_name_of_shake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder / "ball.png", "--tremble", "1", *SHORT) == 0
    assert "--tremble is now --shake" in capsys.readouterr().err


def test_expand_takes_every_file_once(folder: Path) -> None:
    found = inputs.expand([folder, folder / "ball.png", f"{folder}/b*.png", f"file://{folder}/cube.png"])
    assert [item.path.name for item in found] == ["ball.png", "clip.mp4", "cube.png"]


def test_names_that_get_too_long_are_told_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = folder / f"{'x' * 246}.png"
    (folder / "ball.png").rename(long)
    assert run("stereo", long, "--depth", folder / "ball_depth.png") == 1
    assert "bytes long, the limit is 255" in capsys.readouterr().err


def child(arguments: list[str], **settings: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "depth3d", *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, timeout=120, check=False, **settings)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_an_error_in_words() -> None:
    with Path("/dev/full").open("w") as full:
        done = child(["models", "path"], stdout=full)
    assert done.returncode == 1
    assert b"standard output: no space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="file descriptors are not inherited")
def test_closed_standard_streams(folder: Path) -> None:
    def close() -> None:
        for number in (0, 1, 2):
            os.close(number)

    done = subprocess.run(
        [sys.executable, "-m", "depth3d", "mesh", str(folder / "ball.png")], preexec_fn=close, timeout=120, check=False
    )
    assert done.returncode == 0
    assert (folder / "ball.glb").read_bytes()[:4] == b"glTF"


def test_a_dry_run_into_a_new_folder_leaves_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert run("stereo", "clip.mp4", "--model", "gradient", "--dry-run", "-o", "new/inner/") == 0
    assert not (folder / "new").exists()
    (folder / "bad.png").write_bytes(b"\x89PNG nothing")
    assert run("mesh", "bad.png", "-o", "new/") == 1
    assert not (folder / "new").exists()
