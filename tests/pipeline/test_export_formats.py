"""Meshes as USDZ and Gaussian splats, from a photo file to the file on disk."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

import depth3d as d3


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A square before a wall, with its depth beside it."""
    pixels = np.random.default_rng(2).integers(60, 200, (96, 144, 3), np.uint8)
    values = np.full((96, 144), 0.2, np.float32)
    values[30:70, 50:100] = 1
    path = d3.save_image(d3.Image(pixels), tmp_path / "photo.png")
    d3.write_depth(d3.DepthMap(values), tmp_path / "photo_depth.png")
    return path


def test_splats_in_every_format_hold_the_same_number(photo: Path, tmp_path: Path) -> None:
    ply = d3.mesh(photo, tmp_path / "a.ply", splats=5000).read_bytes()
    splat = d3.mesh(photo, tmp_path / "a.splat", splats=5000).read_bytes()
    spz = gzip.decompress(d3.mesh(photo, tmp_path / "a.spz", splats=5000).read_bytes())
    count = int(ply.split(b"element vertex ")[1].split()[0])
    assert 2500 < count <= 5000
    assert b"f_dc_0" in ply
    assert len(splat) == 32 * count
    assert struct.unpack_from("<I", spz, 8)[0] == count


def test_true_distances_scale_splats(photo: Path, tmp_path: Path) -> None:
    data = d3.mesh(photo, tmp_path / "a.splat", splats=2000, near=2.0, far=4.0).read_bytes()
    forward = np.frombuffer(data, "<f4").reshape(-1, 8)[:, 2]
    assert forward.min() == pytest.approx(2, rel=0.05)
    assert forward.max() < 4.1


def test_usdz_is_a_table_scene_or_true_to_scale(photo: Path, tmp_path: Path) -> None:
    pytest.importorskip("pxr", reason="needs usd-core (the extra `usd`)")
    from pxr import Usd, UsdGeom

    def nearest(path: Path) -> float:
        stage = Usd.Stage.Open(str(path))
        places = [np.array(UsdGeom.Mesh(p).GetPointsAttr().Get()) for p in stage.Traverse() if p.IsA(UsdGeom.Mesh)]
        assert len(places) == 2
        return float(max(each[:, 2].max() for each in places))

    assert nearest(d3.mesh(photo, tmp_path / "a.usdz")) == pytest.approx(-0.15, rel=0.02)
    assert nearest(d3.mesh(photo, tmp_path / "b.usdz", near=1.5, far=9)) == pytest.approx(-1.5, rel=0.02)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.stp", {}, "'.stp' is not a format of meshes"),
        ("a.glb", {"splats": 5000}, "is not a format of Gaussian splats"),
        ("a.usdz", {"points": True}, "is not a format of point clouds"),
        ("a.ply", {"points": True, "splats": 5000}, "points cannot be written together with"),
    ],
)
def test_impossible_targets_are_refused_before_any_work(
    photo: Path, tmp_path: Path, name: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(d3.InvalidInput, match=words):
        d3.mesh(tmp_path / "missing.jpg", tmp_path / name, **options)  # type: ignore[arg-type]
