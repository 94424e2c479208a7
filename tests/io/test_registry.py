"""A format is one file: a toy module put into each registry is found, read and written."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from depth3d.cli.main import cli
from depth3d.depthmap import DepthMap
from depth3d.image import Image
from depth3d.io.depth.read import find_depth, read_depth
from depth3d.io.depth.registry import depth_formats, depth_suffixes
from depth3d.io.depth.write import write_depth
from depth3d.io.image.read import save_image
from depth3d.io.stereo.detect import read_stereo
from depth3d.io.stereo.registry import stereo_files, write_stereo
from depth3d.stereoformats import FORMATS
from depth3d.stereopair import StereoPair

DEPTH_TOY = """
import numpy as np
from depth3d.depthmap import DepthMap
from depth3d.io.depth.registry import DepthFormat, ReadDepth

def read(photo, invert):
    size = photo.data[4], photo.data[5]
    values = np.frombuffer(photo.data[6:], np.uint8).reshape(size).astype(np.float32) / 255
    return ReadDepth(DepthMap(values), "toy")

def write(depth, suffix):
    rows, columns = depth.values.shape
    return b"TOYD" + bytes([rows, columns]) + np.rint(depth.values * 255).astype(np.uint8).tobytes()

FORMAT = DepthFormat("toy", "a toy", (".toyd",), lambda photo: photo.data[:4] == b"TOYD", read, write)
"""

STEREO_TOY = """
from depth3d.io.image.read import encode_image, open_image
from depth3d.io.stereo.registry import StereoFile
from depth3d.stereopair import StereoPair

def read(photo, found):
    return StereoPair(open_image(photo.data[8:8 + found]), open_image(photo.data[8 + found:]))

def write(pair, path, force):
    left, right = (encode_image(eye, ".png") for eye in (pair.left, pair.right))
    path.write_bytes(b"TOYS" + len(left).to_bytes(4, "big") + left + right)
    return path

def detect(photo):
    return int.from_bytes(photo.data[4:8], "big") if photo.data[:4] == b"TOYS" else None

FORMAT = StereoFile("toy", "a toy", (".toys",), detect, read, write)
"""


@pytest.fixture
def add(tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """Put a module into a package without touching the source tree."""
    added: list[tuple[str, str]] = []

    def put(package: str, source: str) -> None:
        folder = tmp_path / package
        folder.mkdir()
        (folder / "toy.py").write_text(source)
        importlib.import_module(package).__path__.append(str(folder))
        added.append((package, str(folder)))
        depth_formats.cache_clear()
        stereo_files.cache_clear()

    yield put
    for package, folder in added:
        importlib.import_module(package).__path__.remove(folder)
        sys.modules.pop(f"{package}.toy", None)
    FORMATS.pop("toy", None)
    depth_formats.cache_clear()
    stereo_files.cache_clear()


def test_a_depth_format_is_one_file(tmp_path: Path, add: Callable[[str, str], None]) -> None:
    assert ".toyd" not in depth_suffixes()
    add("depth3d.io.depth", DEPTH_TOY)
    assert ".toyd" in depth_suffixes()
    depth = DepthMap(np.linspace(0, 1, 48, dtype=np.float32).reshape(6, 8))
    path = write_depth(depth, tmp_path / "photo_depth.toyd")
    assert path.read_bytes()[:4] == b"TOYD"
    np.testing.assert_allclose(read_depth(path).values, depth.values, atol=0.002)
    photo = save_image(Image(np.full((6, 8, 3), 9, np.uint8)), tmp_path / "photo.png")
    found = find_depth(photo)
    assert found is not None
    assert "toy" in found.how


def test_a_stereo_format_is_one_file(tmp_path: Path, add: Callable[[str, str], None]) -> None:
    add("depth3d.io.stereo", STEREO_TOY)
    eyes = np.random.default_rng(1).integers(0, 255, (2, 20, 30, 3), np.uint8)
    path = write_stereo(StereoPair(Image(eyes[0]), Image(eyes[1])), tmp_path / "a.toys")
    pair = read_stereo(path)
    np.testing.assert_array_equal(pair.left.pixels, eyes[0])
    np.testing.assert_array_equal(pair.right.pixels, eyes[1])


def test_a_stereo_format_of_one_file_is_written_by_the_command_line(
    tmp_path: Path, add: Callable[[str, str], None]
) -> None:
    add("depth3d.io.stereo", STEREO_TOY)
    photo = save_image(Image(np.random.default_rng(2).integers(0, 255, (48, 64, 3), np.uint8)), tmp_path / "photo.png")
    write_depth(DepthMap(np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(48, 64)), tmp_path / "photo_depth.png")
    done = CliRunner().invoke(cli, ["stereo", str(photo), "--format", "toy,mpo"])
    assert done.exit_code == 0, done.output
    assert read_stereo(tmp_path / "photo.toys").size == (64, 48)
    done = CliRunner().invoke(cli, ["stereo", str(photo), "-o", str(tmp_path / "other.toys")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "other.toys").read_bytes()[:4] == b"TOYS"
    listed = CliRunner().invoke(cli, ["stereo", "--list-formats"]).output
    assert "a toy." in listed


@pytest.mark.parametrize("suffix", [".mpo", ".jps", ".pns"])
def test_every_written_stereo_file_is_read_by_its_own_entry(tmp_path: Path, suffix: str) -> None:
    texture = np.random.default_rng(4).integers(0, 255, (60, 100, 3), np.uint8)
    pair = StereoPair(Image(texture[:, :80].copy()), Image(texture[:, 4:84].copy()))
    back = read_stereo(write_stereo(pair, tmp_path / f"x{suffix}"))
    assert back.size == pair.size
    assert np.abs(back.left.pixels.astype(int) - pair.left.pixels).mean() < 12
    assert np.abs(back.left.pixels.astype(int) - pair.right.pixels).mean() > 30


def test_names_and_orders_are_unique() -> None:
    for entries in (depth_formats(), stereo_files()):
        assert len({entry.name for entry in entries}) == len(entries) >= 5
        assert len({entry.order for entry in entries}) == len(entries)
        assert all(entry.about for entry in entries)
