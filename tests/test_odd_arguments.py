"""Constructors and functions of the public API given values of any type: one ``InvalidInput`` each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import depth3d
from depth3d.errors import Depth3DError, ReadError
from depth3d.io.image.photofile import PhotoFile

GRAY = np.linspace(0, 1, 48, dtype=np.float32).reshape(6, 8)
IMAGE = depth3d.Image(np.zeros((24, 32, 3), np.uint8))
ODD: list[Any] = [1j, "x", b"x", object(), lambda: None, float("nan"), 2**2000, [], (1, "a", 3), np.zeros((2, 2, 2, 2))]
ODD += [np.array("x"), np.array([None]), GRAY > 0.5, type, depth3d.DepthMap(GRAY)]
LAYER = {
    "positions": np.zeros((3, 2)),
    "depth": np.zeros(3),
    "uv": np.zeros((3, 2)),
    "faces": np.array([[0, 1, 2]]),
    "texture": IMAGE,
}
GOOD: dict[str, dict[str, Any]] = {
    "Camera": {"position": (0, 0, 0), "rotation": (0, 0, 0), "field_of_view": 50, "shift": (0, 0), "zoom": 1},
    "CameraPath": {"duration": 1, "motion": lambda phase: depth3d.Camera()},
    "Layer": LAYER,
    "LayeredMesh": {"layers": (depth3d.Layer(**LAYER),), "size": depth3d.Size(4, 4), "camera": depth3d.Camera()},
    "Mesh": {"vertices": np.zeros((3, 3)), "faces": np.array([[0, 1, 2]]), "uv": np.zeros((3, 2)), "texture": IMAGE},
    "Stroke": {"kind": "value", "points": [[0.5, 0.5]], "radius": 0.1, "value": 0.5},
    "Hints": {"strokes": (), "painted": None},
    "write_hints": {"hints": depth3d.Hints(), "depth": depth3d.DepthMap(GRAY), "path": "hints.png"},
    "match_stereo": {"left": IMAGE, "right": IMAGE, "matcher": "sgm"},
    "stereo": {"source": "nosuch.png", "output": None},
    "write_depth": {"depth": depth3d.DepthMap(GRAY), "path": "out.png", "heatmap": None},
    "convert": dict.fromkeys(
        ("stereo", "animate", "depth", "video", "stabilize", "output_options", "output", "progress")
    ),
}
FINE = {("CameraPath", "motion"), ("write_hints", "depth"), ("write_hints", "path"), ("write_depth", "path")}
FINE |= {("write_depth", "depth"), ("stereo", "source")}
CASES = [(name, field) for name, values in GOOD.items() for field in values]


@pytest.mark.parametrize(("name", "field"), CASES)
def test_values_of_any_type_raise_one_kind_of_error(
    name: str, field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = 0
    for value in ODD:
        values = {**GOOD[name], field: value}
        if name == "convert":
            values["input"] = "nosuch.mp4"
        try:
            getattr(depth3d, name)(**values)
        except Depth3DError:
            refused += 1
    assert refused >= len(ODD) // 2 or (name, field) in FINE


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "\ud800.png", "\0", " "])
def test_names_that_no_file_can_have(name: str) -> None:
    for call in (depth3d.open_image, depth3d.read_depth, depth3d.read_hints, depth3d.animate, depth3d.check):
        with pytest.raises(Depth3DError):
            call(name)
    with pytest.raises(Depth3DError):
        depth3d.save_image(IMAGE, name)


def test_a_heic_without_a_main_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")

    class Opened:
        @property
        def info(self) -> dict[str, Any]:
            raise IndexError("list index out of range")

    monkeypatch.setattr(pillow_heif, "open_heif", lambda *_, **__: Opened())
    with pytest.raises(ReadError, match="unsupported or corrupt HEIC"):
        PhotoFile(b"\0\0\0\x18ftypheic").heif  # noqa: B018 (reading it is what is tested)


def test_an_animation_that_claims_a_huge_size(tmp_path: Path) -> None:
    import PIL.Image

    from depth3d.io.video.webp import webp_as_mov

    path = tmp_path / "a.webp"
    gray = [PIL.Image.new("L", (32, 24), 40 * n) for n in range(4)]
    gray[0].save(path, save_all=True, append_images=gray[1:])
    data = bytearray(path.read_bytes())
    assert data[12:16] == b"VP8X"
    data[24:30] = b"\xff" * 6  # width and height of the canvas, less one
    path.write_bytes(data)
    with pytest.raises(ReadError, match="unsupported or corrupt animation"):
        webp_as_mov(path)


def test_an_animation_larger_than_8k_is_refused_before_decoding(tmp_path: Path) -> None:
    import PIL.Image

    from depth3d.io.video.webp import webp_as_mov

    path = tmp_path / "a.webp"
    gray = [PIL.Image.new("L", (32, 24), 40 * n) for n in range(3)]
    gray[0].save(path, save_all=True, append_images=gray[1:])
    data = bytearray(path.read_bytes())
    data[24:30] = (12000 - 1).to_bytes(3, "little") * 2
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"frames of 12000x12000 pixels, more than 8K"):
        webp_as_mov(path)


def test_an_animation_is_decoded_once_and_anew_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import PIL.Image

    from depth3d.io.video.webp import webp_as_mov

    path, opened = tmp_path / "a.webp", []
    really = PIL.Image.open
    monkeypatch.setattr(PIL.Image, "open", lambda *given: opened.append(given) or really(*given))
    for shades in ((0, 99), (0, 99, 200)):
        gray = [PIL.Image.new("L", (32, 24), shade) for shade in shades]
        gray[0].save(path, save_all=True, append_images=gray[1:])
        assert webp_as_mov(path).read() == webp_as_mov(path).read() != b""
    assert len(opened) == 2


def test_an_existing_file_for_the_depth_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clips import make_clip

    clip, kept = make_clip(tmp_path / "c.mp4", count=4), tmp_path / "kept.mkv"
    kept.write_bytes(b"mine")
    monkeypatch.setattr("depth3d.pipeline.clip.convert.plan_job", lambda *_, **__: pytest.fail("the work came first"))
    with pytest.raises(depth3d.ExistsError, match="exists already"):
        depth3d.convert(clip, tmp_path / "o.mp4", video=depth3d.VideoOptions(save_depth=str(kept)))
    with pytest.raises(Depth3DError, match="folder"):
        depth3d.convert(clip, tmp_path / "o.mp4", video=depth3d.VideoOptions(save_depth=str(tmp_path / "no" / "k.mkv")))
    assert kept.read_bytes() == b"mine"
    for name, message in (("k.mp4", r"k\.mp4: depth clips are \.mkv or \.nut"), ("o.mkv", "gets this name")):
        with pytest.raises(depth3d.InvalidOption, match=message):
            depth3d.convert(clip, tmp_path / "o.mkv", video=depth3d.VideoOptions(save_depth=str(tmp_path / name)))
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != tmp_path / "locked")
    (tmp_path / "locked").mkdir()
    with pytest.raises(depth3d.WriteError, match=r"no file can be written to the folder .*locked"):
        depth3d.convert(clip, tmp_path / "o.mp4", video=depth3d.VideoOptions(save_depth=str(tmp_path / "locked/k.mkv")))


def test_a_wrong_shot_list_is_told_before_the_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clips import make_clip

    clip, shots = make_clip(tmp_path / "c.mp4", count=4), tmp_path / "s.toml"
    monkeypatch.setattr("depth3d.pipeline.clip.convert.first_pass", lambda *_: pytest.fail("the work came first"))
    for content, message in ((b"[[shot]]\nstart = 2\nend = 1\n", "expected start < end"), (b"x = [", "not a valid")):
        shots.write_bytes(content)
        with pytest.raises(Depth3DError, match=message):
            depth3d.convert(clip, tmp_path / "o.mp4", video=depth3d.VideoOptions(shots=str(shots)))
    shots.unlink()
    shots.mkdir()
    with pytest.raises(Depth3DError, match=r"s\.toml: is not a valid shot list: Is a directory$"):
        depth3d.convert(clip, tmp_path / "o.mp4", video=depth3d.VideoOptions(shots=str(shots)))
    (tmp_path / "t_thumbnails").touch()
    with pytest.raises(depth3d.ExistsError, match="t_thumbnails: is a file"):
        depth3d.convert(clip, tmp_path / "o.mp4", video=depth3d.VideoOptions(shots=str(tmp_path / "t.toml")))


def test_files_beside_a_mesh_are_told_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = depth3d.save_image(IMAGE, tmp_path / "a.png")
    monkeypatch.setattr("depth3d.pipeline.export.load_scene", lambda *_: pytest.fail("the work came first"))
    for name in ("b.mtl", "b_photo.jpg", "b_background.jpg"):
        (tmp_path / name).write_bytes(b"mine")
        with pytest.raises(depth3d.ExistsError, match=name):
            depth3d.mesh(photo, tmp_path / "b.obj")
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("fix", {"output": type}),
        ("convert", {"only_depth": IMAGE.pixels}),
        ("convert", {"runner": "a.png"}),
        ("stereo", {"force": "no"}),
    ],
)
def test_outputs_flags_and_runners_of_any_type(name: str, wrong: dict[str, Any], tmp_path: Path) -> None:
    photo = depth3d.save_image(IMAGE, tmp_path / "a.png")
    with pytest.raises(depth3d.InvalidInput, match=next(iter(wrong))):
        getattr(depth3d, name)(photo, **wrong)


@pytest.mark.parametrize("name", ["animate", "stereo", "fix", "check", "convert"])
def test_progress_that_cannot_be_called_is_told_before_the_work(name: str, tmp_path: Path) -> None:
    photo = depth3d.save_image(IMAGE, tmp_path / "a.png")
    with pytest.raises(depth3d.InvalidInput, match=r"progress: .*, expected a function"):
        getattr(depth3d, name)(photo, progress=depth3d.Size(40, 30))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_an_array_without_dimensions_is_no_sequence_of_frames() -> None:
    with pytest.raises(Depth3DError, match="expected an iterable"):
        list(depth3d.stabilize(np.array("x"), []))  # type: ignore[call-overload]
