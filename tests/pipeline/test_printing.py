"""Solids for 3D printers, read back by trimesh's STL reader and by an XML parser that checks 3MF's schema by hand."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import trimesh
from PIL import Image as Pillow

import depth3d as d3

CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture whose left half is black and near, and whose right half is white and far."""
    left = np.arange(120)[None, :, None] < 60
    path = tmp_path / "photo.png"
    Pillow.fromarray(np.broadcast_to(np.where(left, 0, 255), (80, 120, 3)).astype(np.uint8)).save(path)
    depth = np.broadcast_to(np.where(left[..., 0], 230, 20), (80, 120)).astype(np.uint8)
    Pillow.fromarray(depth).save(tmp_path / "photo_depth.png")
    return path


def solid_of(path: Path) -> trimesh.Trimesh:
    """The one mesh of an STL or 3MF file."""
    if path.suffix == ".stl":
        return trimesh.load(path)
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        assert package.namelist()[0] == "[Content_Types].xml"
        model = ElementTree.fromstring(package.read("3D/3dmodel.model"))
    assert model.get("unit") == "millimeter"
    assert model.find(f"{CORE}build/{CORE}item").get("objectid") == "1"
    vertices = [[float(v.get(k)) for k in "xyz"] for v in model.iter(f"{CORE}vertex")]
    faces = [[int(t.get(k)) for k in ("v1", "v2", "v3")] for t in model.iter(f"{CORE}triangle")]
    return trimesh.Trimesh(vertices, faces, process=False)


def height_at(solid: trimesh.Trimesh, x: float) -> float:
    top = solid.vertices[solid.vertices[:, 2] > 0]
    return float(np.median(top[np.abs(top[:, 0] - x) < 3][:, 2]))


@pytest.mark.parametrize("suffix", [".stl", ".3mf"])
def test_reliefs_and_lithophanes_are_solids_of_the_asked_measures(photo: Path, suffix: str) -> None:
    relief = solid_of(d3.mesh(photo, photo.with_suffix(suffix), relief_mm=5, base_mm=2, size_mm=60))
    assert relief.is_watertight
    assert relief.volume > 0
    assert relief.bounds[1] == pytest.approx([60, 60 * 79 / 119, 7], abs=1e-3)
    assert height_at(relief, 15) == pytest.approx(7, abs=0.01)
    assert height_at(relief, 45) == pytest.approx(2, abs=0.01)
    lit = solid_of(d3.mesh(photo, photo.with_name(f"lit{suffix}"), lithophane=True))
    assert lit.is_watertight
    assert height_at(lit, 25) == pytest.approx(3.0, abs=0.01)  # black: the base of 0.8 and 2.2 more
    assert height_at(lit, 75) == pytest.approx(0.8, abs=0.01)


def test_lib3mf_reads_a_manifold_solid_without_a_warning(photo: Path) -> None:
    lib3mf = pytest.importorskip("lib3mf", reason="needs lib3mf")
    path = d3.mesh(photo, photo.with_suffix(".3mf"))
    model = lib3mf.Wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(path))
    assert reader.GetWarningCount() == 0
    meshes = model.GetMeshObjects()
    assert meshes.MoveNext()
    assert meshes.GetCurrentMeshObject().IsManifoldAndOriented()


def test_lithophanes_load_no_depth_network_and_names_follow_the_options(photo: Path) -> None:
    photo.with_name("photo_depth.png").unlink()
    code = (
        "import sys; from depth3d.cli.main import main\n"
        f"try: main(['mesh', {str(photo)!r}, '--lithophane', '--model', 'tiny'])\n"
        "except SystemExit as end: assert not end.code\n"
        "seen = [name for name in sys.modules if name == 'torch' or name.startswith('depth3d.depth.engines')]\n"
        "assert not seen, seen"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(photo.with_suffix(".stl"))), done.stderr


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("photo.glb", {"relief_mm": 3}, "relief_mm.*applies to .stl and .3mf"),
        ("photo.ply", {"lithophane": True}, "lithophane.*applies to"),
        ("photo.stl", {"near": 1, "far": 2}, "near.*does not apply to a print"),
        ("photo.stl", {"splats": 2000}, "is not a format of Gaussian splats"),
        ("photo.stl", {"points": True}, "is not a format of point clouds"),
        ("photo.step", {}, "'.step' is not a format of meshes"),
        ("photo.stl", {"relief_mm": 0}, "relief_mm"),
    ],
)
def test_wrong_combinations_and_suffixes_are_refused_before_the_photo_is_read(
    tmp_path: Path, name: str, changes: dict[str, float], message: str
) -> None:
    with pytest.raises(d3.Depth3DError, match=message):
        d3.mesh(tmp_path / "missing.jpg", tmp_path / name, **changes)
