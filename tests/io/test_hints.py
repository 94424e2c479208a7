"""Hint files: written, read again, found beside the photo, told apart from depth maps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from depth3d.depthmap import DepthMap
from depth3d.errors import ReadError
from depth3d.hints import Hints, Stroke
from depth3d.image import Image, Size
from depth3d.io.depth.read import read_depth
from depth3d.io.hints import hints_beside, looks_like_strokes, read_hints, write_hints
from depth3d.io.image.read import save_image
from depth3d.options import DepthOptions
from depth3d.pipeline.inputs import expand
from depth3d.pipeline.scene import load_scene

SIZE = Size(160, 120)
DEPTH = DepthMap(np.full((SIZE.height, SIZE.width), 0.6, np.float32))
LINE = np.array([[0.2, 0.5], [0.8, 0.5]], np.float32)
HINTS = Hints((Stroke("nearer", LINE, value=0.25), Stroke("cut", LINE + 0.1), Stroke("same", LINE - 0.1)))


def test_strokes_come_back(tmp_path: Path) -> None:
    picture, notes = write_hints(HINTS, DEPTH, tmp_path / "a_hints.png")
    for file in (picture, notes):
        found = read_hints(file)
        assert [stroke.facts() for stroke in found.strokes] == [stroke.facts() for stroke in HINTS.strokes]
    pixels = np.asarray(Pillow.open(picture))
    assert pixels.shape == (120, 160, 4)
    assert tuple(pixels[60, 80]) == (153, 153, 153, 255)  # the depth of the repaired map
    assert pixels[10, 10, 3] == 0


def test_an_edited_picture_wins_over_its_json(tmp_path: Path) -> None:
    picture, _ = write_hints(HINTS, DEPTH, tmp_path / "a_hints.png")
    pixels = np.zeros((120, 160, 4), np.uint8)
    pixels[20:24, 20:60] = (51, 51, 51, 255)
    Pillow.fromarray(pixels).save(picture)
    found = read_hints(picture)
    assert found.strokes == ()
    assert found.painted is not None
    assert found.painted[22, 30] == pytest.approx(0.2)
    assert np.isnan(found.painted[60, 80])


def photo(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    path = folder / "a.png"
    save_image(Image(rng.integers(100, 130, (SIZE.height, SIZE.width, 3), np.uint8)), path)
    Pillow.fromarray(np.full((SIZE.height, SIZE.width), 153, np.uint8)).save(folder / "a_depth.png")
    return path


def test_every_command_finds_the_hints_beside_the_photo(tmp_path: Path) -> None:
    path = photo(tmp_path)
    write_hints(Hints((Stroke("nearer", LINE, value=0.25),)), DEPTH, tmp_path / "a_hints.png")
    scene = load_scene(path)
    assert scene.how.endswith("repaired by 1 stroke of a_hints.png")
    assert scene.depth.values[60, 80] == pytest.approx(0.85, abs=0.01)
    assert load_scene(path, DepthOptions(hints="none")).depth.values[60, 80] == pytest.approx(0.6, abs=0.01)
    other = tmp_path / "elsewhere.json"
    shutil.move(tmp_path / "a_hints.json", other)
    (tmp_path / "a_hints.png").unlink()
    assert hints_beside(path) is None
    assert load_scene(path, DepthOptions(hints=str(other))).depth.values[60, 80] == pytest.approx(0.85, abs=0.01)
    assert [item.path.name for item in expand([tmp_path])] == ["a.png"]


def test_hints_are_no_photo_of_a_folder(tmp_path: Path) -> None:
    path = photo(tmp_path)
    write_hints(HINTS, DEPTH, tmp_path / "a_hints.png")
    assert [item.path for item in expand([tmp_path])] == [path]


def test_strokes_given_as_a_depth_map_are_explained(tmp_path: Path) -> None:
    write_hints(HINTS, DEPTH, tmp_path / "b.png")
    with pytest.raises(ReadError, match="hints that repair a depth map, not a depth map; give it as `hints`"):
        read_depth(tmp_path / "b.png")


def test_a_cut_out_depth_map_is_no_picture_of_strokes() -> None:
    alpha = np.zeros((120, 160), np.uint8)
    alpha[40:90, 50:110] = 255
    assert not looks_like_strokes(Image(np.full((120, 160, 3), 99, np.uint8), alpha))
    assert not looks_like_strokes(Image(np.full((120, 160, 3), 99, np.uint8), alpha * 0))
    assert not looks_like_strokes(Image(np.full((120, 160, 3), 99, np.uint8)))


@pytest.mark.security
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        json.dumps({"format": "depth3d hints", "strokes": [{"kind": "same"}]}),
        json.dumps({"format": "depth3d hints", "strokes": [{"kind": "same", "points": "x"}]}),
        json.dumps({"format": "depth3d hints", "strokes": [{"kind": ["same"], "points": [[0, 0]]}]}),
        json.dumps({"format": "depth3d hints", "strokes": [{"kind": "same", "points": [[0, 0], [1]]}]}),
        json.dumps({"format": "depth3d hints", "strokes": [{"kind": "same", "points": [[0, 0]]}] * 501}),
    ],
)
def test_damaged_files_end_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a_hints.json"
    path.write_text(text)
    with pytest.raises(ReadError, match="not a hint file"):
        read_hints(path)


def test_a_photo_is_no_hint_file(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no transparency"):
        read_hints(photo(tmp_path))
