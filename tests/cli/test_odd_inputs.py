"""Addresses, standard input, patterns, missing files, still GIFs, and clips where pictures belong: work or one line.

The network is replaced by one that fails, so that every refusal is shown to come before it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commandline import run
from PIL import Image as Pillow

from depth3d.cli.main import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    photo = Pillow.fromarray(pixels)
    photo.save(tmp_path / "photo.jpg")
    photo.save(tmp_path / "other[1].jpg")
    photo.convert("P").save(tmp_path / "still.gif")
    moving = [photo.rotate(5 * number).convert("P") for number in range(3)]
    moving[0].save(tmp_path / "moving.gif", save_all=True, append_images=moving[1:])
    (tmp_path / "clip.mkv").write_bytes(b"\x1a\x45\xdf\xa3" + bytes(64))
    (tmp_path / "raw.cr3").write_bytes(b"\0\0\0\x18ftypcrx " + bytes(64))
    (tmp_path / "map.exr").write_bytes(b"v/1\x01" + bytes(64))
    np.savez(tmp_path / "numbers.npz", depth=np.zeros((6, 8)))
    (tmp_path / "folder").mkdir()
    Pillow.fromarray(np.tile(np.arange(80, dtype=np.uint8), (60, 1))).save(tmp_path / "map.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a network was opened before the inputs were checked")

    monkeypatch.setattr("depth3d.depth.estimator.open_estimator", fail)


@pytest.mark.usefixtures("folder", "no_network")
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["https://example.org/x.jpg"], "download the file first"),
        (["-"], "save it to a file first"),
        (["raw.cr3"], "develop it first"),
        (["numbers.npz"], "give it as the --depth of a photo"),
        (["map.exr"], "give it as the --depth of a photo"),
        (["*.tiff"], "no photo or clip matches"),
        (["phot.jpg"], "did you mean photo.jpg"),
        (["gone.jpg"], "gone.jpg: no such file\n"),
        (["photo.jpg", "--depth", "https://example.org/x.png"], "download or save it first"),
        (["photo.jpg", "--depth", "-"], "download or save it first"),
        (["photo.jpg", "--depth", "no.png"], "no such depth file"),
        (["photo.jpg", "--depth", "clip.mkv"], "is a clip, expected a picture"),
        (["photo.jpg", "--depth", "moving.gif"], "is a clip, expected a picture"),
        (["photo.jpg", "--second-eye", "https://example.org/x.png"], "download or save it first"),
        (["photo.jpg", "--second-eye", "no.png"], "no such file of the second eye"),
        (["photo.jpg", "--second-eye", "moving.gif"], "is a clip, expected a picture"),
        (["photo.jpg", "-o", "x.xyz"], "'.xyz' is not a format of animations"),
        (["photo.jpg", "-o", "missing/x.mp4"], "does not exist"),
        (["stereo", "photo.jpg", "-o", "x.mp4"], "is not a format of"),
        (["stereo", "photo.jpg", "-o", "missing/x.jpg"], "does not exist"),
        (["depth", "photo.jpg", "-o", "x.mp4"], "is not a format of depth maps"),
        (["depth", "photo.jpg", "-o", "missing/x.png"], "does not exist"),
        (["mesh", "photo.jpg", "-o", "x.mp4"], "is not a format of meshes"),
        (["mesh", "photo.jpg", "-o", "missing/x.glb"], "does not exist"),
        (["view", "photo.jpg", "-o", "x.png"], "is not a format of web pages"),
        (["view", "photo.jpg", "-o", "missing/x.html"], "does not exist"),
        (["anaglyph", "photo.jpg", "-o", "x.mp4"], "is not a format of"),
    ],
)
def test_refused_in_one_line_before_any_network(
    arguments: list[str], line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) in (1, 2)
    output = "".join(capfd.readouterr())
    assert line in output
    assert len(output.strip().splitlines()) == 1
    assert not list(Path().glob("*_3d*"))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("photo", ["still.gif", "oth*.jpg", "other[1].jpg", "p?oto.jpg"])
def test_still_gifs_patterns_and_brackets_work(photo: str) -> None:
    assert run("depth", photo, "--depth", "map.png") == 0
    assert len(list(Path().glob("*_depth.png"))) == 1


@pytest.mark.usefixtures("folder", "no_network")
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["studio", "photo.jpg", "--model", "tinny"], "--model: there is no model 'tinny'"),
        (["live", "moving.gif", "--model", "tinny"], "--model: there is no model 'tinny'"),
        (["studio", "--largest", "0"], "--largest: 0, expected a number above 0"),
        (["studio", "nothing.jpg"], "no such file"),
    ],
)
def test_pages_are_not_opened_for_wrong_options(
    arguments: list[str], line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("uvicorn", reason='needs pip install "depth3d[studio]"')
    assert run(*arguments, "--no-browser") in (1, 2)
    told = capfd.readouterr().err
    assert line in told
    assert len(told.splitlines()) == 1


@pytest.mark.usefixtures("folder")
def test_a_still_gif_can_be_the_depth() -> None:
    Pillow.fromarray(np.tile(np.arange(80, dtype=np.uint8), (60, 1))).save("gray.gif")
    assert run("depth", "photo.jpg", "--depth", "gray.gif") == 0


@pytest.mark.usefixtures("folder", "no_network")
@pytest.mark.parametrize("arguments", ["--model tiny depth photo.jpg", "--force -o out/ stereo photo.jpg"])
def test_a_command_behind_its_options_is_told(arguments: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    assert "is a command and comes first: depth3d " in capfd.readouterr().err
    assert not Path("photo_3d.mp4").exists()


@pytest.mark.usefixtures("folder", "no_network")
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--no-stereo", "--layout", "sbs"], "--stereo cannot be off together with --layout"),
        (["--no-stereo", "--swap-eyes"], "--stereo cannot be off together with --layout"),
        (["--second-eye", "map.png", "--layout", "sbs"], "--second-eye excludes --layout: the eyes are in two files"),
        (["--from-anaglyph", "--layout", "sbs"], "--from-anaglyph excludes --layout and --second-eye"),
    ],
)
def test_options_about_the_eyes_that_contradict_each_other(
    arguments: list[str], line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("stereo", "photo.jpg", *arguments) == 2
    assert line in capfd.readouterr().err
