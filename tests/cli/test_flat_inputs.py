"""Photos and clips with one eye in folders given to `check` and `fix`, which need two."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip
from commandline import run
from stereoscenes import scene_pair

import depth3d as d3
from depth3d.image import Image
from depth3d.io.image.read import save_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``old.png`` and ``clip.mp4`` with one eye, ``old_SBS.png`` with two."""
    pair = scene_pair()
    save_image(pair.left, tmp_path / "old.png")
    save_image(Image(np.hstack([pair.left.pixels, pair.right.pixels])), tmp_path / "old_SBS.png")
    make_clip(tmp_path / "clip.mp4")
    return tmp_path


@pytest.mark.parametrize("command", ["check", "fix"])
def test_inputs_with_one_eye_are_left_out(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The result of old_SBS.png has the name that one of old.png would have: that is no conflict."""
    assert run(command, folder, "--json") == 0
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines()]
    left_out = {Path(line["input"]).name: line["reason"] for line in lines if line.get("state") == "skipped"}
    assert left_out == {"old.png": "has no second eye", "clip.mp4": "has no second eye"}
    assert told.err.splitlines()[-1] == "3 inputs: 1 done, 2 skipped"
    assert (folder / "old_fixed_LRF_Full_SBS.jpg").exists() == (command == "fix")


@pytest.mark.parametrize("command", ["check", "fix"])
def test_a_folder_without_a_second_eye_fails(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "old_SBS.png").unlink()
    assert run(command, folder) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "depth3d: none of 2 inputs could be used"


@pytest.mark.parametrize("name", ["old.png", "clip.mp4"])
@pytest.mark.parametrize("command", ["check", "fix"])
def test_named_inputs_with_one_eye_fail(
    command: str, name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(d3.FlatError, match="no second eye found"):
        {"check": d3.check, "fix": d3.fix}[command](folder / name)
    assert run(command, folder / name, folder / "old_SBS.png") == 1
    told = capsys.readouterr().err
    assert f"{name}: no second eye found" in told
    assert told.splitlines()[-1] == "depth3d: 1 of 2 inputs failed, 1 done"
