"""How the studio starts: from the shell, from the Dockerfile, without its extra."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from depth3d.cli.studio import command

DOCKERFILE = Path(__file__).parents[2] / "examples" / "Dockerfile"


def test_the_dockerfile_starts_it_with_flags_that_exist() -> None:
    text = DOCKERFILE.read_text()
    words = json.loads(re.search(r"^CMD (.+)$", text, re.MULTILINE)[1])  # type: ignore[index]
    assert words[:2] == ["depth3d", "studio"]
    help_text = CliRunner().invoke(command, ["--help"]).output
    assert all(word in help_text for word in words if word.startswith("--"))
    assert "/source[studio]" in text
    assert "USER depth3d" in text


def test_without_its_extra_there_is_one_line(tmp_path: Path) -> None:
    for name in ("starlette", "uvicorn"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise ModuleNotFoundError('no {name}', name='{name}')")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    said = subprocess.run(
        [sys.executable, "-m", "depth3d", "studio", "--no-browser"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert re.fullmatch(
        r'depth3d: the studio needs (starlette|uvicorn): pip install "depth3d\[studio\]"\n', said.stderr
    )


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["nothing.jpg"], 1, "no such file"),
        (["--port", "99999"], 2, "--port"),
        (["--results", __file__], 1, "cannot be created"),
    ],
)
def test_wrong_words_end_before_anything_starts(words: list[str], code: int, text: str) -> None:
    command_line = [sys.executable, "-m", "depth3d", "studio", "--no-browser", *words]
    said = subprocess.run(command_line, capture_output=True, text=True, check=False, timeout=60)
    assert said.returncode == code, said.stderr
    assert text in said.stderr
    assert said.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = subprocess.run(
            [sys.executable, "-m", "depth3d", "studio", "--no-browser", "--port", port],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert said.returncode == 2
    assert f"--port: {port} cannot be used" in said.stderr
