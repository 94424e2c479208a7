"""Flags come from the option dataclasses: same names, same defaults, one place."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction

import click
import pytest
from click.testing import CliRunner

from depth3d import options
from depth3d.cli.options import build, flags
from depth3d.errors import InvalidInput

KINDS = [getattr(options, name) for name in options.__all__ if name.endswith("Options")]


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_survive_the_command_line(kind: type) -> None:
    seen = []

    @click.command()
    @flags(kind)
    def command(**values: object) -> None:
        seen.append(build(kind, values))

    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0, result.output
    assert seen == [kind()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_is_explained(kind: type) -> None:
    for item in fields(kind):
        assert item.metadata.get("help", "").endswith("."), f"{kind.__name__}.{item.name}"


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        ("30", Fraction(30)),
        (25, Fraction(25)),
        ("59.94", Fraction(60000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        (12.5, Fraction(25, 2)),
        (Fraction(15, 2), Fraction(15, 2)),
    ],
)
def test_frame_rates_are_exact(said: float | str | Fraction, rate: Fraction) -> None:
    assert options.frame_rate(said) == rate


@pytest.mark.parametrize("said", ["0", "-3", "fast", "1/0", "nan", 5000])
def test_bad_frame_rates(said: str) -> None:
    with pytest.raises(InvalidInput, match="frame rate"):
        options.frame_rate(said)
