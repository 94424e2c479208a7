"""``check`` and ``fix`` of two eyes in two files of any name; what has no meaning there is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from stereoscenes import scene_pair

import depth3d as d3
from depth3d.cli.check import command as check_command
from depth3d.cli.fix import command as fix_command
from depth3d.errors import InvalidInput, InvalidOption
from depth3d.image import Image
from depth3d.io.image.read import open_image, save_image
from depth3d.options import CheckOptions, FixOptions


@pytest.fixture
def eyes(tmp_path: Path) -> tuple[Path, Path]:
    """Two files whose names say nothing; the right eye is 4 px too low."""
    pair = scene_pair(320, 240, 6, -3)
    first, second = tmp_path / "one.png", tmp_path / "two.png"
    save_image(pair.left, first)
    save_image(Image(np.roll(pair.right.pixels, 4, axis=0)), second)
    return first, second


def test_check_measures_two_files(eyes: tuple[Path, Path]) -> None:
    first, second = eyes
    found = CliRunner().invoke(check_command, [str(first), "--second-eye", str(second), "--json"])
    assert found.exit_code == 0, found.output
    facts = json.loads(found.stdout)
    assert "one.png and two.png" in facts["layout"]
    assert abs(facts["vertical"]) * 2.4 == pytest.approx(4, abs=0.3)
    assert facts["nearest"] == pytest.approx(6 / 3.2, abs=0.2)


def test_fix_writes_two_corrected_files(eyes: tuple[Path, Path]) -> None:
    first, second = eyes
    report = d3.fix(first, second_eye=str(second), comfort=False, convergence="keep", floating_window=False)
    assert len(report.paths) == 2
    assert report.after is not None
    assert report.after.vertical_worst * 2.4 <= 0.3
    left, right = (open_image(path) for path in report.paths)
    assert left.size == right.size
    assert d3.check(report.paths[0], second_eye=str(report.paths[1])).vertical_worst * 2.4 <= 0.3
    wide = d3.fix(first, first.with_name("wide.png"), second_eye=str(second), format="sbs")
    assert len(wide.paths) == 1


@pytest.mark.parametrize("command", [check_command, fix_command])
def test_an_ordinary_photo_is_refused_in_one_line(eyes: tuple[Path, Path], command: object) -> None:
    found = CliRunner().invoke(command, [str(eyes[0]), "--no-stereo"])  # type: ignore[arg-type]
    assert isinstance(found.exception, InvalidOption)
    assert "works on both eyes" in str(found.exception)
    missing = CliRunner().invoke(command, [str(eyes[0]), "--second-eye", "no.png"])  # type: ignore[arg-type]
    assert "no such file of the second eye" in str(missing.exception)


@pytest.mark.parametrize("options", [CheckOptions, FixOptions])
def test_two_files_have_no_layout(options: type) -> None:
    with pytest.raises(InvalidOption, match="excludes"):
        options(second_eye="two.png", layout="sbs")


def test_clips_have_no_second_file(tmp_path: Path) -> None:
    clip = tmp_path / "film_SBS.mp4"
    clip.write_bytes(b"0")
    for verb in (d3.check, d3.fix):
        with pytest.raises(InvalidInput, match="a clip"):
            verb(clip, second_eye="two.png")
