"""Shots: the file, its rules, and which strength a frame gets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from depth3d.errors import InvalidInput, ReadError
from depth3d.pipeline.clip.renderers import StereoStrength
from depth3d.pipeline.clip.shots import Shot, read_shots, write_shots

OTHERWISE = StereoStrength(2.0, 0.5)


def test_written_and_read_back_it_says_the_same(tmp_path: Path) -> None:
    # Times that six decimals cannot hold: frame 1001 * n / 30000.
    edges = [Fraction(1001 * n, 30000) for n in (0, 31, 77)]
    shots = [
        Shot(edges[0], edges[1], parallax=1.5, convergence=0.25, thumbnail="t/1.jpg"),
        Shot(edges[1], edges[2], first=31, parallax=3.0, convergence=0.75),
    ]
    write_shots(shots, tmp_path / "s.toml", "clip.mp4")
    found = read_shots(tmp_path / "s.toml", OTHERWISE)
    for frame in range(77):
        expected = StereoStrength(1.5, 0.25) if frame < 31 else StereoStrength(3.0, 0.75)
        assert found.strength(Fraction(1001 * frame, 30000)) == expected, frame
    assert found.strength(Fraction(1001 * 78, 30000)) == OTHERWISE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[shot]]\nstart = 0\nend = 1\nparalax = 2", "paralax"),
        ("[[shot]]\nstart = 2\nend = 1", "shot 1.*start < end"),
        (
            "[[shot]]\nstart = 0\nend = 1\n[[shot]]\nstart = 1\nend = 2\nconvergence = 3",
            "shot 2: convergence is 3, expected.* 0 to 1",
        ),
        ("[[shot]]\nstart = 0\nend = inf", "end is inf, expected a number, 0 to 3600000"),
        ("[[shot]]\nstart = nan\nend = 1", "start is nan"),
        ("[[shot]]\nstart = -1\nend = 1", "start is -1"),
        ("[[shot]]\nstart = 0\nend = 1\nparallax = 1e308", "parallax is 1e.308"),
        ("[[shot]]\nstart = 0\nend = " + "9" * 4000, "end is 9999"),
        ("[[shot]]\nstart = 0\nend = [1]", r"end is \[1\]"),
        ("[[shot]]\nstart = 0\nend = 1\nconvergence = {a = 1}", "convergence is {'a': 1}"),
        ("[[shot]]\nstart = 1979-05-27\nend = 1", "start is datetime.date"),
        ('[[shot]]\nstart = "a"\nend = 1', "shot 1: start"),
    ],
)
def test_mistakes_are_named_with_their_shot(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(InvalidInput, match=message):
        read_shots(tmp_path / "s.toml", OTHERWISE)


def test_what_is_no_shot_list_is_refused(tmp_path: Path) -> None:
    digits, deep = f"[[shot]]\nstart = 0\nend = {'9' * 5000}", "a = " + "[" * 100_000
    large = "# " + "a" * (1 << 24)
    for text in (
        "",
        "shot = 3",
        "shot = [3]",
        "shot = []",
        "[shot]\nstart = 0",
        "not toml at all [",
        digits,
        deep,
        large,
    ):
        (tmp_path / "s.toml").write_text(text)
        with pytest.raises(ReadError):
            read_shots(tmp_path / "s.toml", OTHERWISE)
