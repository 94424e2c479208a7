from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commandline import run

from depth3d.depthmap import DepthMap
from depth3d.image import Image, Size
from depth3d.io.depth.read import read_depth
from depth3d.io.depth.write import write_depth
from depth3d.io.image.read import open_image, save_image

RAMP = DepthMap(np.tile(np.linspace(0, 1, 48, dtype=np.float32)[:, None], (1, 64)))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo with a depth file beside it that `auto` finds."""
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    write_depth(RAMP, tmp_path / "photo-depth.png")
    return save_image(Image(pixels), tmp_path / "photo.jpg")


def test_the_map_that_is_written_is_the_map_that_is_used(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("depth", photo) == 0
    told = capsys.readouterr()
    written = photo.with_name("photo_depth.png")
    assert told.out == f"{written}\n"
    assert "depth from photo-depth.png: 16-bit gray, white = near, 64x48" in told.err
    assert np.array_equal(read_depth(written).values, read_depth(photo.with_name("photo-depth.png")).values)
    assert run("depth", photo) == 1
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["d.jpg", "d.npy", "d.exr", "d.tif"])
def test_the_suffix_chooses_the_format(photo: Path, name: str, tmp_path: Path) -> None:
    assert run("depth", photo, "-o", tmp_path / name, "--quiet") == 0
    assert np.abs(read_depth(tmp_path / name).values - RAMP.values).max() < 0.02


def test_a_map_that_is_replaced_is_not_read(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_depth(RAMP.inverted(), photo.with_name("photo_depth.png"))
    assert run("depth", photo, "--force") == 0
    assert "depth from photo-depth.png" in capsys.readouterr().err
    assert np.allclose(read_depth(photo.with_name("photo_depth.png")).values, RAMP.values, atol=1e-4)


def test_heat_map_preview_and_json(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("depth", photo, "--heatmap", "turbo", "--preview", "--json", "--quiet") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["size"] == "64x48"
    assert [Path(name).name for name in facts["files"]] == ["photo_depth.png", "photo_depth_preview.jpg"]
    sheet = open_image(facts["files"][1])
    assert sheet.size.width == 3 * 64
    assert np.abs(read_depth(facts["files"][0]).values - RAMP.values).max() < 0.01


def test_the_facebook_pair(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "post").mkdir()
    assert run("depth", photo, "--facebook", "-o", tmp_path / "post") == 0
    names = {Path(line).name for line in capsys.readouterr().out.split()}
    assert names == {"photo.jpg", "photo_depth.jpg"}
    assert open_image(tmp_path / "post" / "photo_depth.jpg").size == Size(640, 480)


def test_a_folder_goes_on_after_an_error(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    (tmp_path / "out").mkdir()
    assert run("depth", tmp_path, "-o", tmp_path / "out") == 1
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'out' / 'photo_depth.png'}\n"
    assert "broken.png" in told.err
    assert "1 of 2 inputs" in told.err


def test_wrong_use_is_told_in_one_line(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("depth", tmp_path / "gone.jpg") == 1
    assert "no such file" in capsys.readouterr().err
    assert run("depth", photo, "--depth", save_image(Image(np.zeros((20, 64, 3), np.uint8)), tmp_path / "d.png")) == 1
    assert "64x20" in capsys.readouterr().err
    assert run("depth", photo, tmp_path / "other.jpg", "-o", tmp_path / "one.png") == 2
    assert "names one file" in capsys.readouterr().err
    assert run("depth", photo, "--heatmap", "rainbow") == 2
