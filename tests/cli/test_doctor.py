"""`depth3d doctor` says what is broken and what to install."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depth3d.cli import doctor
from depth3d.cli.main import main
from depth3d.errors import ContextError


def report(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return int(ended.value.code or 0), {line["name"]: line for line in lines}


def test_all_is_well_here(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = report(capsys)
    assert code == 0
    assert {name for name, one in found.items() if one["state"] == "ok"} >= {"OpenGL", "ffmpeg", "weights cache"}


def test_what_is_missing_comes_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(doctor.EXTRAS, "usd", ("no_such_module", "USDZ"))
    code, found = report(capsys)
    assert code == 0
    assert found["usd"] == {"name": "usd", "state": "missing", "text": 'USDZ: pip install "depth3d[usd]"'}


def test_what_is_broken_gives_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fails() -> dict[str, str]:
        raise ContextError("no OpenGL context; install one")

    monkeypatch.setattr("depth3d.render.context.describe_context", fails)
    monkeypatch.setenv("DEPTH3D_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("[", encoding="utf-8")
    code, found = report(capsys)
    assert code == 1
    assert found["OpenGL"]["text"] == "no OpenGL context; install one"
    assert found["own settings"]["state"] == "broken"
