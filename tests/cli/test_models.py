"""`depth3d models`: the list, the folder, one file; errors in one line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from depth3d.cli.main import main
from depth3d.cli.models import command
from depth3d.depth import weights


def test_the_list_names_everything() -> None:
    (weights.cache_folder() / "dpt_levit_224.pt").write_bytes(b"12345")
    shown = CliRunner().invoke(command, [])
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["NAME", "SIZE", "HERE", "ACCURACY", "SPEED", "LICENSE"]
    row = next(line for line in lines if line.startswith("dpt_large_384 "))
    assert row.split()[:6] == ["dpt_large_384", "1376", "MB", "no", "good", "slow"]
    assert "MIT" in row
    assert next(line for line in lines if line.startswith("dpt_levit_224 ")).split()[3] == "yes"


def test_the_list_for_programs() -> None:
    rows = {row["name"]: row for row in json.loads(CliRunner().invoke(command, ["list", "--json"]).stdout)}
    assert rows["dpt_beit_large_512"]["bytes"] == 1_581_966_003
    assert rows["tiny"]["cached"]
    assert not rows["midas_v21_small_256"]["cached"]
    assert rows["midas_v21_small_256"]["url"].endswith("v2_1/midas_v21_small_256.pt")


def test_paths() -> None:
    assert CliRunner().invoke(command, ["path"]).stdout.strip() == str(weights.cache_folder())
    file = weights.cache_folder() / "model-small-70d6b9c8.pt"
    file.write_bytes(b"12345")
    assert CliRunner().invoke(command, ["path", "small"]).stdout.strip() == str(file)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["models", "path", "dpt_large_384"], "depth3d models download dpt_large_384"),
        (["models", "download", "dpt_larg"], "did you mean dpt_large_384"),
        (["models", "download", "dpt_large_384"], "DEPTH3D_OFFLINE is set"),
    ],
)
def test_errors_are_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert told in said[0]
