"""Mesh files read back: bounds, counts, colors, texture bytes, camera."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image as Pillow

from depth3d.errors import ExistsError, InvalidInput, WriteError
from depth3d.image import Image
from depth3d.io.mesh import MeshCamera, colored_points, write_mesh, write_points
from depth3d.layeredmesh import Mesh

CAMERA = MeshCamera(40.0, 1.5)
SQUARE = np.array([[-1, 1, 0], [-1, -1, 0], [1, -1, 0], [1, 1, 0]], np.float32)
CORNERS = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], np.float32)


def mesh_named(name: str, away: float, color: tuple[int, int, int] = (199, 60, 29)) -> Mesh:
    texture = Image(np.full((8, 12, 3), color, np.uint8))
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    return Mesh(SQUARE * away - np.array([0, 0, away], np.float32), faces, CORNERS, texture, name)


def jpeg_bytes() -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGB", (12, 8), (10, 200, 30)).save(buffer, "JPEG", quality=61)
    return buffer.getvalue()


def tree_of(data: bytes) -> tuple[dict[str, Any], bytes]:
    magic, version, length, size, _ = struct.unpack_from("<5I", data)
    assert (magic, version, length) == (0x46546C67, 2, len(data))
    return json.loads(data[20 : 20 + size]), data[28 + size :]


@pytest.fixture
def glb(tmp_path: Path) -> Path:
    meshes = [mesh_named("background", 5), mesh_named("photo", 2)]
    return write_mesh(meshes, tmp_path / "out.glb", CAMERA, jpegs=[None, jpeg_bytes()])


def test_glb_is_read_back_by_trimesh(glb: Path) -> None:
    scene = trimesh.load(glb)
    assert set(scene.geometry) == {"background", "photo"}
    np.testing.assert_allclose(scene.geometry["photo"].bounds, [[-2, -2, -2], [2, 2, -2]])
    np.testing.assert_allclose(scene.geometry["background"].bounds, [[-5, -5, -5], [5, 5, -5]])
    assert all(len(each.faces) == 2 and len(each.vertices) == 4 for each in scene.geometry.values())
    # trimesh's uv counts from below: the first vertex is the upper left corner.
    np.testing.assert_allclose(scene.geometry["photo"].visual.uv, [[0, 1], [0, 0], [1, 0], [1, 1]])
    np.testing.assert_array_equal(scene.geometry["photo"].faces, [[0, 1, 2], [0, 2, 3]])


def test_glb_holds_the_photo_s_own_bytes(glb: Path) -> None:
    tree, body = tree_of(glb.read_bytes())
    images = [tree["bufferViews"][image["bufferView"]] for image in tree["images"]]
    stored = [body[view["byteOffset"] : view["byteOffset"] + view["byteLength"]] for view in images]
    assert stored[1] == jpeg_bytes()
    assert [image["mimeType"] for image in tree["images"]] == ["image/jpeg"] * 2
    pixels = np.asarray(Pillow.open(io.BytesIO(stored[0])).convert("RGB")).astype(int)
    assert np.abs(pixels - (199, 60, 29)).max() <= 3


def test_glb_is_unlit_and_has_the_camera(glb: Path) -> None:
    tree, _ = tree_of(glb.read_bytes())
    assert tree["extensionsUsed"] == ["KHR_materials_unlit"]
    assert all("KHR_materials_unlit" in material["extensions"] for material in tree["materials"])
    node = next(node for node in tree["nodes"] if "camera" in node)
    assert "matrix" not in node
    assert "translation" not in node
    assert tree["nodes"].index(node) in tree["scenes"][0]["nodes"]
    lens = tree["cameras"][node["camera"]]["perspective"]
    assert lens["yfov"] == pytest.approx(math.radians(40))
    assert lens["aspectRatio"] == 1.5


def test_small_meshes_have_short_indices(glb: Path) -> None:
    tree, _ = tree_of(glb.read_bytes())
    for mesh in tree["meshes"]:
        assert tree["accessors"][mesh["primitives"][0]["indices"]]["componentType"] == 5123


def test_large_meshes_keep_long_indices(tmp_path: Path) -> None:
    count = 70_000
    vertices = np.random.default_rng(0).random((count, 3)).astype(np.float32)
    faces = np.array([[0, 1, count - 1]])
    big = Mesh(vertices, faces, vertices[:, :2], Image(np.zeros((2, 2, 3), np.uint8)))
    path = write_mesh([big], tmp_path / "big.glb", CAMERA)
    back = next(iter(trimesh.load(path, process=False).geometry.values()))
    np.testing.assert_array_equal(back.faces, faces)
    assert len(back.vertices) == count


def test_obj_is_read_back_with_its_textures(tmp_path: Path) -> None:
    path = write_mesh(
        [mesh_named("background", 5, (1, 2, 200)), mesh_named("photo", 2)],
        tmp_path / "my photo.obj",
        CAMERA,
        jpegs=[None, jpeg_bytes()],
    )
    assert (tmp_path / "my_photo_photo.jpg").read_bytes() == jpeg_bytes()
    names = {item.name for item in tmp_path.iterdir()}
    assert names == {"my photo.obj", "my_photo.mtl", "my_photo_photo.jpg", "my_photo_background.jpg"}
    scene = trimesh.load(path, process=False)
    parts = list(scene.geometry.values())
    assert sorted(float(each.bounds[1][0]) for each in parts) == [2, 5]
    for each in parts:
        pixel = np.asarray(each.visual.material.image.convert("RGB"))[0, 0].astype(int)
        expected = (10, 200, 30) if each.bounds[1][0] == 2 else (1, 2, 200)
        assert np.abs(pixel - expected).max() <= 4
        np.testing.assert_allclose(each.visual.uv[0], [0, 1])


def test_ply_mesh_joins_the_layers_with_srgb_colors(tmp_path: Path) -> None:
    path = write_mesh([mesh_named("background", 5, (1, 2, 200)), mesh_named("photo", 2)], tmp_path / "a.ply", CAMERA)
    back = trimesh.load(path, process=False)
    assert (len(back.vertices), len(back.faces)) == (8, 4)
    np.testing.assert_array_equal(back.visual.vertex_colors[:4, :3], np.tile([1, 2, 200], (4, 1)))
    np.testing.assert_array_equal(back.visual.vertex_colors[4:, :3], np.tile([199, 60, 29], (4, 1)))
    np.testing.assert_array_equal(back.faces[2], [4, 5, 6])


def test_points_are_srgb_in_ply_and_linear_in_glb(tmp_path: Path) -> None:
    points = np.array([[0, 0, -1], [1, 2, -3], [4, 5, -6]], np.float32)
    colors = np.array([[128, 128, 128], [255, 0, 10], [0, 64, 200]], np.uint8)
    cloud = trimesh.load(write_points(points, colors, tmp_path / "p.ply"))
    np.testing.assert_array_equal(cloud.colors[:, :3], colors)
    np.testing.assert_allclose(cloud.vertices, points)
    tree, body = tree_of(write_points(points, colors, tmp_path / "p.glb").read_bytes())
    accessor = tree["accessors"][tree["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]]
    assert (accessor["componentType"], accessor["normalized"], accessor["type"]) == (5123, True, "VEC4")
    start = tree["bufferViews"][accessor["bufferView"]]["byteOffset"]
    stored = np.frombuffer(body, "<u2", 12, start).reshape(3, 4) / 65535
    # sRGB 128 is 21.6 % of the light (IEC 61966-2-1), not 50 %.
    np.testing.assert_allclose(stored[0], [0.21586, 0.21586, 0.21586, 1], atol=1e-4)
    np.testing.assert_allclose(stored[1, :2], [1, 0], atol=1e-4)


def test_colors_at_vertices_are_the_texture_s() -> None:
    ramp = np.zeros((2, 4, 3), np.uint8)
    ramp[:, :, 0] = [0, 80, 160, 240]
    middles = np.array([[0.125, 0.5], [0.375, 0.5], [0.625, 0.5], [0.875, 0.5]], np.float32)
    mesh = Mesh(np.zeros((4, 3)), np.array([[0, 1, 2]]), middles, Image(ramp))
    np.testing.assert_allclose(colored_points(mesh)[:, 0], [0, 80, 160, 240], atol=1)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"unknown mesh format '\.stl'; use \.glb"):
        write_mesh([mesh_named("photo", 1)], tmp_path / "a.stl", CAMERA)
    empty = Mesh(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 2)), Image(np.zeros((1, 1, 3), np.uint8)))
    with pytest.raises(InvalidInput, match="no faces"):
        write_mesh([empty], tmp_path / "a.glb", CAMERA)
    (tmp_path / "a.mtl").write_text("mine")
    with pytest.raises(ExistsError, match=r"a\.mtl"):
        write_mesh([mesh_named("photo", 1)], tmp_path / "a.obj", CAMERA)
    assert {item.name for item in tmp_path.iterdir()} == {"a.mtl"}


def test_the_khronos_validator_finds_nothing(glb: Path, tmp_path: Path) -> None:
    modules = os.environ.get("DEPTH3D_NODE_MODULES")
    node = shutil.which("node")
    if node is None or modules is None or not Path(modules, "gltf-validator").is_dir():
        pytest.skip("needs node, and DEPTH3D_NODE_MODULES = a node_modules folder with gltf-validator")
    points = write_points(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.uint8), tmp_path / "p.glb")
    code = (
        "const v=require('gltf-validator'),fs=require('fs');(async()=>{for(const f of process.argv.slice(1)){"
        "const r=await v.validateBytes(new Uint8Array(fs.readFileSync(f)));"
        "console.log(r.issues.numErrors,r.issues.numWarnings,JSON.stringify(r.issues.messages))}})()"
    )
    said = subprocess.run(  # noqa: PLW1510 (its own words are checked below)
        [node, "-e", code, str(glb), str(points)],
        env={**os.environ, "NODE_PATH": modules},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("0 0 ") for line in lines), said.stdout
