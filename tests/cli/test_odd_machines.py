"""Odd machines and odd names: no streams, full disks, names of any bytes, users who do not exist."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from clips import make_clip

import depth3d
from depth3d.image import Image
from depth3d.io.image.read import save_image
from depth3d.quantities import home_path, printable

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of any bytes, /dev/full")
NAMES = {
    "not UTF-8": os.fsdecode(b"bad\xff\xe9"),
    "quotes": "quo\"te's",
    "line break": "new\nline",
    "shell": "semi;$(x)&",
    "hash": "a # b",
    "emoji": "\U0001f600 umlaut ä",
}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    save_image(Image(np.ascontiguousarray(np.tile(np.arange(48, dtype=np.uint8)[:, None, None], (1, 64, 3)))),
               tmp_path / "a_depth.png")  # fmt: skip
    return save_image(Image(pixels), tmp_path / "a.png")


def run(code: str, folder: Path, **streams: int | None) -> subprocess.CompletedProcess[bytes]:
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=where, check=False, timeout=100, **streams)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("['depth', 'a.png', '-o', 'out.png']", 0), ("['nosuch.png']", 1), ("['--nosuch']", 2), ("['info']", 0)],
)
def test_without_standard_streams(photo: Path, arguments: str, code: int) -> None:
    text = f"import sys; sys.stderr = sys.stdout = None\nfrom depth3d.cli.main import main\nmain({arguments})"
    assert run(text, photo.parent).returncode == code
    assert (photo.parent / "out.png").exists() == ("depth" in arguments)


@LINUX
def test_a_full_log_is_no_failure_and_a_full_output_is_one_in_words(photo: Path) -> None:
    text = "from depth3d.cli.main import main\nmain(['depth', 'a.png', '-o', 'out.png', '--force'])"
    with open("/dev/full", "wb") as full:
        assert run(text, photo.parent, stderr=full.fileno()).returncode == 0
        told = run(text, photo.parent, stdout=full.fileno(), stderr=subprocess.PIPE)
    assert told.returncode == 1
    assert told.stderr.decode().splitlines()[-1] == "depth3d: standard output: no space left on device"


def told_by(arguments: list[str], capsysbinary: pytest.CaptureFixture[bytes]) -> tuple[int, str]:
    from depth3d.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(arguments)
    told = capsysbinary.readouterr()
    return int(ended.value.code or 0), told.err.decode("utf-8", "replace")


@LINUX
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("command", ["view", "mesh"])
def test_names_of_any_bytes(photo: Path, name: str, command: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    odd = photo.rename(photo.with_name(f"{name}.png"))
    suffix = {"view": ".html", "mesh": ".obj"}[command]
    target = odd.with_name(f"{name}{suffix}")
    depth = str(photo.with_name("a_depth.png"))
    code, told = told_by([command, str(odd), "-o", str(target), "--depth", depth], capsysbinary)
    assert (code, "Traceback" in told, "a bug" in told) == (0, False, False)
    assert target.is_file()
    if command == "mesh":
        text = target.read_text("utf-8")
        library = next(line for line in text.splitlines() if line.startswith("mtllib ")).split(" ", 1)[1]
        assert not set(library) & set(" \n\t#")
        pictures = [line.split(" ", 1)[1] for line in target.with_name(library).read_text("utf-8").splitlines()
                    if line.startswith("map_Kd ")]  # fmt: skip
        assert pictures
        assert all(target.with_name(picture).is_file() for picture in pictures)
    if command == "view":
        assert f"<title>{html.escape(printable(name))}" in target.read_text("utf-8")


@LINUX
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_gallery_of_names_of_any_bytes(photo: Path, name: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    odd = photo.rename(photo.with_name(f"{name}.png"))
    code, told = told_by(["view", str(photo.parent), "-o", str(photo.with_name("page.html"))], capsysbinary)
    assert code == 0, told
    assert quote(os.fsencode(odd.name)) in photo.with_name("page.html").read_text("utf-8")


@LINUX
def test_shots_of_a_clip_with_an_odd_name(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    name = os.fsdecode(b'q"\xff\n.mp4')
    clip, shots = make_clip(tmp_path / name, count=6), tmp_path / os.fsdecode(b's"\\\xff\n.toml')
    code, told = told_by(["stereo", str(clip), "--shots", str(shots), "-o", str(tmp_path / "o.mp4")], capsysbinary)
    assert code == 0, told
    entries = tomllib.loads(shots.read_text("utf-8"))["shot"]
    assert entries[0]["thumbnail"].startswith('s"\\\ufffd _thumbnails/')
    code, told = told_by(["stereo", str(clip), "--shots", str(shots), "-o", str(tmp_path / "p.mp4")], capsysbinary)
    assert code == 0, told


@LINUX
@pytest.mark.parametrize(
    "arguments",
    [
        ["mesh", "a.png", "-o", "{}.obj"],
        ["depth", "a.png", "-o", "{}.png"],
        ["stereo", "c.mp4", "-o", "{}.mp4"],
        ["depth", "{}.png", "-o", "d.png"],
        ["depth", "{}_left.png", "-o", "d.png"],
        ["stereo", "{}.mp4", "-o", "d.mp4"],
    ],
)
def test_names_of_255_bytes(
    photo: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(photo.parent)
    if any(".mp4" in each for each in arguments):
        make_clip(photo.parent / "c.mp4", count=6)
    filled = [each.replace("{}", "y" * (255 - len(each) + 2)) for each in arguments]
    assert max(map(len, filled)) == 255
    if filled[1] != arguments[1]:
        shutil.copyfile("c.mp4" if filled[1].endswith(".mp4") else photo, filled[1])
    code, told = told_by(filled, capsysbinary)
    assert code == 0, told
    assert Path(filled[-1]).is_file()
    assert not [entry for entry in photo.parent.iterdir() if entry.name.startswith(".")]


@LINUX
@pytest.mark.parametrize(
    "arguments",
    [
        ["depth", "{}.png"],
        ["view", "a.png", "-o", "{}.html"],
        ["depth", "a.png", "--facebook", "-o", "{}.jpg"],
        ["stereo", "c.mp4", "-o", "c3.mp4", "--shots", "{}.toml"],
        ["stereo", "c.mp4", "-o", "{}.mp4", "--preview"],
    ],
)
def test_derived_names_beyond_255_bytes_end_in_one_line(
    photo: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(photo.parent)
    if "c.mp4" in arguments:
        make_clip(photo.parent / "c.mp4", count=6)
    filled = [each.replace("{}", "y" * (258 - len(each) if "view" in arguments else 250)) for each in arguments]
    if arguments == ["depth", "{}.png"]:
        photo.rename(filled[1])
    before = {*photo.parent.iterdir()}
    code, told = told_by(filled, capsysbinary)
    assert code in (1, 2)
    assert "a bug" not in told
    assert "Errno" not in told
    assert told.splitlines()[-1].startswith("depth3d: ")
    assert {*photo.parent.iterdir()} == before


# Root may read everything through two capabilities (Linux); without them a new program has only an owner's rights.
_AS_OTHERS = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of Unix")
@pytest.mark.parametrize("words", [[], ["view"], ["depth", "-o", "out.png"]])
def test_an_unreadable_folder(photo: Path, words: list[str]) -> None:
    folder, closed = photo.parent / "locked", photo.parent / "closed.png"
    folder.mkdir()
    for copy in (folder / "a.png", closed):
        copy.write_bytes(photo.read_bytes())
        copy.chmod(0)
    folder.chmod(0)
    start = [sys.executable, "-c", _AS_OTHERS] if os.geteuid() == 0 and sys.platform == "linux" else [sys.executable]
    try:
        probe = [*start, "-c", f"open({str(closed)!r})"]
        if b"PermissionError" not in subprocess.run(probe, capture_output=True, check=False).stderr:
            pytest.skip("root may read every folder here")
        where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        for name in (folder, folder / "a.png", closed):
            command = [*start, "-m", "depth3d", *words[:1], str(name), *words[1:]]
            done = subprocess.run(
                command, cwd=photo.parent, env=where, capture_output=True, text=True, check=False, timeout=100
            )
            assert done.returncode == 1
            assert "ermission denied" in done.stderr
            assert len(done.stderr.strip().splitlines()) == 1
        # The other pictures of a folder are converted.
        command = [*start, "-m", "depth3d", "depth", ".", "--recursive", "--model", "tiny", "-o", "maps/"]
        done = subprocess.run(
            command, cwd=photo.parent, env=where, capture_output=True, text=True, check=False, timeout=100
        )
        assert done.returncode == 1
        assert (photo.parent / "maps" / f"{photo.stem}_depth.png").exists()
        assert "locked: the folder cannot be read: permission denied" in done.stderr
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize(
    "arguments",
    [
        lambda photo: ["~nosuchuser/a.png"],
        lambda photo: [str(photo), "-o", "~nosuchuser/x.mp4"],
        lambda photo: [str(photo), "--model", "~nosuchuser/m.pt"],
        lambda photo: ["depth", str(photo), "--depth", "~nosuchuser/f.png"],
    ],
)
def test_a_user_who_does_not_exist(
    photo: Path,
    arguments: Callable[[Path], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.setenv("DEPTH3D_OFFLINE", "1")
    code, told = told_by(arguments(photo), capsysbinary)
    assert code in (1, 2)
    assert "a bug" not in told
    assert home_path("~nosuchuser/x") == Path("~nosuchuser/x")


def test_readme_and_code_name_one_opengl_version() -> None:
    import re

    from depth3d.render.context import _GL_VERSION

    wanted = f"{_GL_VERSION // 100}.{_GL_VERSION % 100 // 10}"
    top, package = Path(__file__).parents[2], Path(depth3d.__file__).parent  # the package may be an installed one
    for path in (top / "README.md", top / "CONTRIBUTING.md", package / "cli" / "doctor.py"):
        found = re.findall(r"OpenGL (\d\.\d)", path.read_text("utf-8"))
        assert set(found) <= {wanted}, path.name
    assert f"OpenGL {wanted}" in (top / "README.md").read_text("utf-8")
