"""USDZ packages: read back by usd-core's own reader and validators."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from depth3d.errors import ExistsError, InvalidInput, WriteError
from depth3d.image import Image
from depth3d.io.usd import write_usdz
from depth3d.layeredmesh import Mesh


def square(depth: float, name: str, color: int) -> Mesh:
    corners = np.array([[-1, 1], [1, 1], [1, -1], [-1, -1]], np.float32) * depth
    vertices = np.column_stack([corners, np.full(4, -depth, np.float32)])
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    texture = Image(np.full((8, 8, 3), color, np.uint8))
    return Mesh(vertices.astype(np.float32), np.array([[0, 3, 2], [0, 2, 1]], np.uint32), uv, texture, name)


def test_the_package_holds_both_layers_in_meters_and_no_validator_complains(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pxr", reason="needs usd-core (the extra `usd`)")
    from pxr import Usd, UsdGeom, UsdShade, UsdValidation

    path = write_usdz([square(4, "background", 60), square(1.5, "photo", 200)], tmp_path / "scene.usdz")
    assert capfd.readouterr().err == ""  # of usd-core itself
    stage = Usd.Stage.Open(str(path))
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    meshes = [UsdGeom.Mesh(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)]
    assert [float(np.array(mesh.GetPointsAttr().Get())[0, 2]) for mesh in meshes] == [-4, -1.5]
    uv = np.array(UsdGeom.PrimvarsAPI(meshes[1]).GetPrimvar("st").Get())
    assert uv.tolist() == [[0, 1], [1, 1], [1, 0], [0, 0]]
    for mesh in meshes:
        material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
        surface = UsdShade.Shader(material.GetPrim().GetChild("surface"))
        assert surface.GetInput("emissiveColor").HasConnectedSource()
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    errors = UsdValidation.ValidationContext(validators).Validate(stage)
    assert [error.GetMessage() for error in errors] == []


def test_nothing_to_write_and_existing_files_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("pxr", reason="needs usd-core (the extra `usd`)")
    empty = Mesh(
        np.zeros((3, 3), np.float32),
        np.zeros((0, 3), np.uint32),
        np.zeros((3, 2), np.float32),
        Image(np.zeros((2, 2, 3), np.uint8)),
    )
    with pytest.raises(InvalidInput, match="no faces"):
        write_usdz([empty], tmp_path / "a.usdz")
    (tmp_path / "b.usdz").write_bytes(b"old")
    with pytest.raises(ExistsError):
        write_usdz([square(1, "photo", 9)], tmp_path / "b.usdz")
    assert (tmp_path / "b.usdz").read_bytes() == b"old"


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(WriteError, match=r"depth3d\[usd\]"):
        write_usdz([square(1, "photo", 9)], tmp_path / "a.usdz")
