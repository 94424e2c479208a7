"""``--preset`` of destinations, the user's settings, and what shells complete."""

from __future__ import annotations

import json
from pathlib import Path

import av
import imageio.v2 as imageio
import numpy as np
import pillow_heif
import pytest
from click.shell_completion import ShellComplete
from commandline import run
from PIL import Image as Pillow

import depth3d as d3
from depth3d.cli.main import cli
from depth3d.io.depth.write import write_depth
from depth3d.io.image.read import open_image, save_image


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTH3D_CONFIG", str(tmp_path / "config.toml"))
    rng = np.random.default_rng(0)
    depth = np.zeros((60, 80), np.float32)
    depth[20:40, 30:50] = 1
    save_image(d3.Image(rng.integers(0, 256, (60, 80, 3), np.uint8)), tmp_path / "p.png")
    write_depth(d3.DepthMap(depth), tmp_path / "p_depth.png")
    return tmp_path / "p.png"


def test_a_destination_takes_its_command_and_its_options(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(photo), "--preset", "3d-tv") == 0
    written = Path(capsys.readouterr().out.strip())
    assert written.name == "p_LR.jpg"
    assert open_image(written).size == d3.Size(108, 60)  # 4:3 on a screen of 16:9


@pytest.mark.parametrize(
    ("preset", "name", "size"),
    [
        ("facebook", "p_depth.jpg", None),
        ("quest", "p_LRF_Full_SBS.jpg", (160, 60)),
        ("vision-pro", "p_spatial.heic", (80, 60)),
        ("red-cyan-print", "p_redcyan_half.png", (80, 60)),
    ],
)
def test_a_photo_becomes_what_its_destination_takes(
    photo: Path, tmp_path: Path, preset: str, name: str, size: tuple[int, int] | None
) -> None:
    assert run(str(photo), "--preset", preset, "-o", f"{tmp_path}/out/") == 0
    written = tmp_path / "out" / name
    if size is None:  # the pair of Facebook: of one size, enlarged
        size = Pillow.open(tmp_path / "out" / "p.jpg").size
        assert max(size) >= 600
    pillow_heif.register_heif_opener()
    assert Pillow.open(written).size == size


@pytest.mark.parametrize(("preset", "size"), [("instagram-reel", (1080, 1920)), ("3d-tv", (1920, 1080))])
def test_clips_have_the_size_and_codec_of_their_destination(
    photo: Path, tmp_path: Path, preset: str, size: tuple[int, int]
) -> None:
    more = ["--seconds", "0.1"]
    source = photo
    if preset == "3d-tv":
        source, more = tmp_path / "c.mp4", ["--depth", str(tmp_path / "wide_depth.png")]
        imageio.mimwrite(source, [np.full((72, 128, 3), 90, np.uint8)] * 3, fps=10, macro_block_size=2)
        write_depth(d3.DepthMap(np.full((72, 128), 0.5, np.float32)), tmp_path / "wide_depth.png")
    assert run(str(source), "--preset", preset, *more, "-o", f"{tmp_path}/out/") == 0
    (written,) = (tmp_path / "out").glob("*.mp4")
    with av.open(str(written)) as clip:
        stream = clip.streams.video[0]
        assert (stream.width, stream.height, stream.codec_context.name) == (*size, "h264")


def test_what_the_user_sets_counts_more(photo: Path, tmp_path: Path) -> None:
    loop = ("--preset", "instagram-reel", "--size", "32x48", "--seconds", "0.1")
    assert run(str(photo), *loop) == 0
    assert run(str(photo), *loop, "-o", f"{tmp_path}/out/") == 0
    for folder in (tmp_path, tmp_path / "out"):
        with av.open(str(folder / "p_reel.mp4")) as clip:
            assert (clip.streams.video[0].width, clip.streams.video[0].height) == (32, 48)


@pytest.mark.parametrize(
    ("name", "told"), [("qest", "did you mean 'quest'"), ("veryslow", "destinations are listed by `depth3d presets`")]
)
def test_other_names_are_refused(name: str, told: str, photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(photo), "--preset", name) == 2
    assert told in capsys.readouterr().err


def test_settings_apply_where_they_can_and_count_less(photo: Path, tmp_path: Path) -> None:
    """`look_ahead` is for clips only: as a default it is no error with a photo."""
    (tmp_path / "config.toml").write_text('[defaults]\nformat = "tb"\nlook_ahead = 3\n', encoding="utf-8")
    assert run("stereo", str(photo), "-o", f"{tmp_path}/a.png") == 0
    assert open_image(tmp_path / "a.png").size == d3.Size(80, 120)
    assert run("stereo", str(photo), "-o", f"{tmp_path}/b.png", "--format", "sbs") == 0
    assert open_image(tmp_path / "b.png").size == d3.Size(160, 60)
    assert run(str(photo), "--preset", "3d-tv", "-o", f"{tmp_path}/c.png") == 0
    assert open_image(tmp_path / "c.png").size == d3.Size(108, 60)


def test_own_presets_and_the_list(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = '[presets.den]\nphoto = { command = "stereo", format = "tb", ending = "_den.png" }\n'
    (tmp_path / "config.toml").write_text(own, encoding="utf-8")
    assert run(str(photo), "--preset", "den") == 0
    assert (tmp_path / "p_den.png").is_file()
    capsys.readouterr()
    assert run("presets", "--json") == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert listed[-1] == {
        "name": "den", "about": "own preset", "limits": "", "photo": {"command": "stereo", "format": "tb"}
    }  # fmt: skip


def test_config_is_created_once_and_broken_settings_are_told(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("config") == 0
    assert "does not exist" in capsys.readouterr().out
    assert run("config", "--create") == 0
    assert run("config", "--create") == 1
    assert "exists" in capsys.readouterr().err
    assert run("config") == 0
    (tmp_path / "config.toml").write_text("[defaults]\nparalax = 1", encoding="utf-8")
    assert run("stereo", str(photo)) == 1
    assert "did you mean 'parallax'" in capsys.readouterr().err


def test_config_creates_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a new machine there is none."""
    monkeypatch.setenv("DEPTH3D_CONFIG", str(tmp_path / "new/depth3d/config.toml"))
    assert run("config", "--create") == 0
    assert "[defaults]" in (tmp_path / "new/depth3d/config.toml").read_text(encoding="utf-8")
    (tmp_path / "file").touch()
    monkeypatch.setenv("DEPTH3D_CONFIG", str(tmp_path / "file/config.toml"))
    capsys.readouterr()
    assert run("config", "--create") == 1
    assert "the folder cannot be created" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "incomplete", "expected"),
    [
        (["stereo", "--format"], "quilt-", {"quilt-portrait", "quilt-go", "quilt-16", "quilt-32"}),
        (["stereo", "--format"], "sbs,anag", set()),
        (["stereo", "--format"], "sbs,tb", {"sbs,tb", "sbs,tb-half"}),
        (["animate", "--path"], "s", {"swing"}),
        (["depth", "--model"], "tin", {"tiny"}),
        (["photo.jpg", "--preset"], "q", {"quest"}),
        (["what", "--preset"], "q", {"quest"}),
        (["stereo", "--eyes"], "r", {"right"}),
        ([], "stu", {"studio"}),
    ],
)
def test_shells_complete_values(arguments: list[str], incomplete: str, expected: set[str], photo: Path) -> None:
    found = ShellComplete(cli, {}, "depth3d", "_DEPTH3D_COMPLETE").get_completions(arguments, incomplete)
    assert {item.value for item in found} == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(shell: str) -> None:
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(cli, {}, "depth3d", "_DEPTH3D_COMPLETE")
    assert "_DEPTH3D_COMPLETE" in script.source_template % script.source_vars()


def test_a_preset_for_photos_says_so_of_a_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"")
    assert run(str(tmp_path / "clip.mp4"), "--preset", "web") == 1
    assert "clip.mp4 is a clip; the preset web supports photos" in capsys.readouterr().err
