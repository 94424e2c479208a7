"""A photo to mesh files and to the 3D page, whole way, from Python and from the shell."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest
import trimesh
from PIL import ExifTags
from PIL import Image as Pillow

import depth3d as d3

WIDTH, HEIGHT = 320, 240


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A disc before a checkered wall, with its depth beside it: the depth file is found by itself."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    disc = (columns - 160) ** 2 + (rows - 120) ** 2 < 60**2
    checks = np.where((columns // 20 + rows // 20) % 2, 200, 100).astype(np.uint8)
    pixels = np.where(disc[..., None], np.array([199, 60, 29], np.uint8), checks[..., None])
    exif = Pillow.Exif()
    exif[ExifTags.Base.Model] = "camera"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 18  # 90 degrees across 36 mm
    path = tmp_path / "photo.jpg"
    Pillow.fromarray(pixels).save(path, quality=92, exif=exif)
    Pillow.fromarray(np.where(disc, 230, 51).astype(np.uint8)).save(tmp_path / "photo_depth.png")
    return path


def tree_of(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def depth3d(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "depth3d", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_glb_has_both_layers_the_photo_and_its_camera(photo: Path) -> None:
    path = d3.mesh(photo)
    assert path == photo.with_suffix(".glb")
    tree, body = tree_of(path)
    assert [mesh["name"] for mesh in tree["meshes"]] == ["background", "photo"]
    view = tree["bufferViews"][tree["images"][1]["bufferView"]]
    assert body[view["byteOffset"] : view["byteOffset"] + view["byteLength"]] == photo.read_bytes()
    # 18 mm on film 36 mm wide sees 90 degrees; 3/4 of that half width is tan of half the height's angle.
    assert tree["cameras"][0]["perspective"]["yfov"] == pytest.approx(2 * np.arctan(0.75), rel=1e-6)
    assert tree["cameras"][0]["perspective"]["aspectRatio"] == pytest.approx(4 / 3)
    scene = trimesh.load(path)
    front, back = scene.geometry["photo"], scene.geometry["background"]
    far = 1 / (0.1 + 0.9 * 0.2)
    np.testing.assert_allclose(front.bounds[0][2], -far, rtol=0.02)
    np.testing.assert_allclose(front.bounds[1][2], -1 / (0.1 + 0.9 * 230 / 255), rtol=0.02)
    # The wall's corners lie on the edges of a view of 90 degrees.
    assert front.bounds[1][0] == pytest.approx(far, rel=0.02)
    assert -far * 1.2 < back.bounds[0][2] <= back.bounds[1][2] < -far * 0.9  # the backdrop stands a hair behind


def test_meters_give_a_mesh_true_to_scale(photo: Path) -> None:
    path = d3.mesh(photo, photo.with_name("meters.ply"), near=2, far=20)
    cloud = trimesh.load(path, process=False)
    value = 51 / 255
    wall = 1 / (value * (1 / 2 - 1 / 20) + 1 / 20)
    red = (np.abs(cloud.visual.vertex_colors[:, :3].astype(int) - (199, 60, 29)) < 8).all(1)
    disc = 1 / (230 / 255 * (1 / 2 - 1 / 20) + 1 / 20)
    assert np.median(-cloud.vertices[red, 2]) == pytest.approx(disc, rel=0.01)
    assert np.median(-cloud.vertices[~red, 2]) == pytest.approx(wall, rel=0.02)
    # 60 pixels of 320 at this distance in a view of 90 degrees: the disc's true radius.
    assert np.abs(cloud.vertices[red, 0]).max() == pytest.approx(60 / 160 * disc, rel=0.05)


@pytest.mark.parametrize("name", ["cloud.ply", "cloud.glb"])
def test_points(photo: Path, name: str) -> None:
    loaded = trimesh.load(d3.mesh(photo, photo.with_name(name), points=True))
    points = next(iter(loaded.geometry.values())) if isinstance(loaded, trimesh.Scene) else loaded
    assert len(points.vertices) >= WIDTH * HEIGHT


def test_obj_s_textures_are_told_apart(photo: Path) -> None:
    path = d3.mesh(photo, photo.with_name("scene.obj"))
    assert photo.with_name("scene_photo.jpg").read_bytes() == photo.read_bytes()
    assert len(trimesh.load(path).geometry) == 2


def test_a_photo_of_12_megapixels_stays_under_4_megabytes(tmp_path: Path, shared: Path) -> None:
    kept = shared / "data" / "photos" / "with_depth"
    image = Pillow.open(kept / "oneshot_pumpkin.jpg").convert("RGB")
    size = (4000, round(4000 * image.height / image.width)) if image.width > image.height else (3000, 4000)
    path = tmp_path / "large.jpg"
    image.resize(size).save(path, quality=80)
    written = d3.mesh(path, depth=d3.DepthOptions(depth=str(kept / "oneshot_pumpkin.npy")))
    assert written.stat().st_size < 4_000_000
    tree, body = tree_of(written)
    view = tree["bufferViews"][tree["images"][-1]["bufferView"]]
    assert body[view["byteOffset"] : view["byteOffset"] + view["byteLength"]] == path.read_bytes()


def test_texture_and_detail_make_it_smaller(photo: Path) -> None:
    path = d3.mesh(photo, texture=64, detail=80)
    tree, body = tree_of(path)
    view = tree["bufferViews"][tree["images"][1]["bufferView"]]
    stored = Pillow.open(io.BytesIO(body[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]))
    assert stored.size == (64, 48)
    assert sum(each["count"] for each in tree["accessors"]) < 30_000


@pytest.mark.parametrize(
    "wrong",
    [{"near": 2.0}, {"far": 2.0}, {"near": 5.0, "far": 2.0}, {"near": -1.0, "far": 2.0}, {"detail": 3}, {"texture": 0}],
)
def test_wrong_settings_are_told(photo: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(d3.InvalidInput, match="expected"):
        d3.mesh(photo, **wrong)
    assert not photo.with_suffix(".glb").exists()


def scene_of(html: str) -> dict[str, Any]:
    found = re.search(r'id="scene">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def test_the_page_holds_the_photo_without_its_secrets(photo: Path) -> None:
    path = d3.view(photo, amount=3, title="My <photo>")
    html = path.read_text(encoding="utf-8")
    assert "<title>My &lt;photo&gt;</title>" in html
    scene = scene_of(html)
    jpeg = base64.b64decode(scene["photo"]["picture"].split(",")[1])
    stored = Pillow.open(io.BytesIO(jpeg))
    assert not stored.getexif()
    np.testing.assert_array_equal(np.asarray(stored), np.asarray(Pillow.open(photo)))
    assert scene["amount"] == 3
    assert scene["fieldOfView"] == pytest.approx(np.degrees(2 * np.arctan(0.75)), rel=1e-6)
    assert scene["background"] is not None


def test_the_page_s_background_lies_behind_the_photo_where_that_is_farthest() -> None:
    from depth3d.io.viewer import page_scene
    from depth3d.options import ViewOptions
    from depth3d.pipeline.page import view_page
    from depth3d.pipeline.scene import Scene

    depth = np.zeros((120, 160), np.float32)
    depth[30:90, 50:110] = 1.0
    pixels = np.random.default_rng(0).integers(60, 200, (120, 160, 3), dtype=np.uint8)
    page = page_scene(view_page(Scene(d3.Image(pixels), d3.DepthMap(depth), "made"), ViewOptions()))
    coded = [base64.b64decode(page[name]["depth"].split(",")[1]) for name in ("background", "photo")]
    behind, front = (np.asarray(Pillow.open(io.BytesIO(data))) for data in coded)
    assert (behind > 0).sum() > 1000
    assert (behind < front)[behind > 0].all()


def test_the_page_of_a_real_scene_shows_no_hole(photo: Path) -> None:
    path = d3.view(photo)
    for x in (-1, 1):
        picture, said = chromium.shoot(f"{path.as_uri()}#still&amount=4&x={x}&focus=0.2", 900, 600)
        assert said == ""
        page = picture[5, 5].astype(int)
        inside = picture[60:440, 130:770].astype(int)  # well within the photo
        assert not (np.abs(inside - page).max(2) <= 1).any()


def test_from_the_shell(photo: Path) -> None:
    done = depth3d("mesh", photo, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["output"] == str(photo.with_suffix(".glb"))
    assert told["bytes"] == photo.with_suffix(".glb").stat().st_size
    again = depth3d("mesh", photo)
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert again.stdout == ""
    viewed = depth3d("view", photo, "--quiet")
    assert (viewed.returncode, viewed.stdout.strip(), viewed.stderr) == (0, str(photo.with_suffix(".html")), "")
    usage = depth3d("mesh", photo, "-o", photo.with_name("a.stp"))
    assert usage.returncode == 2
    assert "a.stp: '.stp' is not a format of meshes" in usage.stderr


@pytest.mark.parametrize("kind", ["gdepth", "dynamic"])
def test_depth_inside_the_photo_from_the_shell(photo: Path, kind: str) -> None:
    done = depth3d("depth", photo, "--embed", kind)
    path = photo.with_name(f"photo_{kind}.jpg")
    assert (done.returncode, done.stdout.strip()) == (0, str(path)), done.stderr
    alone = photo.parent / "elsewhere"
    alone.mkdir()
    depth = d3.read_depth(path.rename(alone / "photo.jpg"))
    np.testing.assert_allclose(depth.values[120, 160], 230 / 255, atol=0.02)
    np.testing.assert_allclose(depth.values[20, 20], 51 / 255, atol=0.02)


def test_pages_and_meshes_show_no_frame_and_no_bars() -> None:
    from depth3d.pipeline.scene import Scene, without_frame

    pixels = np.random.default_rng(0).integers(60, 200, (120, 160, 3), dtype=np.uint8)
    depth = np.full((120, 160), 0.2, np.float32)
    framed, bars = (np.full_like(pixels, level) for level in (250, 2))
    framed[6:-6, 9:-7], bars[20:-20] = pixels[6:-6, 9:-7], pixels[20:-20]
    for picture, inside in ((framed, (slice(6, -6), slice(9, -7))), (bars, (slice(20, -20), slice(None)))):
        image, values, jpeg = without_frame(Scene(d3.Image(picture), d3.DepthMap(depth), "made"))
        assert np.array_equal(image.pixels, pixels[inside])
        assert values.size == image.size
        assert jpeg is None
    alone, _, _ = without_frame(Scene(d3.Image(pixels), d3.DepthMap(depth), "made"))
    assert alone.size == d3.Image(pixels).size
