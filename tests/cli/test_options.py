"""Flags come from the option dataclasses: same names, same defaults, one place."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from typing import Literal, get_args, get_origin, get_type_hints

import click
import pytest
from click.testing import CliRunner

from depth3d import options
from depth3d.cli.options import NumberOr, build, flags
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


def literals(hint: object) -> tuple[str, ...]:
    """The words that a type allows, also beside numbers."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(word for member in get_args(hint) for word in literals(member))


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_a_type_can_be_given(kind: type) -> None:
    words = {name: literals(hint) for name, hint in get_type_hints(kind).items() if name in kind.__dataclass_fields__}
    given = flags(kind)(click.Command("command")).params
    for parameter in given:
        for word in words.get(parameter.name or "", ()):
            assert parameter.type.convert(word, parameter, None) == word, (parameter.name, word)


def test_a_number_beside_words() -> None:
    whole = NumberOr(("auto",), int)
    assert [whole.convert(said, None, None) for said in ("auto", "3", 2)] == ["auto", 3, 2]
    with pytest.raises(click.BadParameter, match="neither a whole number nor auto"):
        whole.convert("2.5", None, None)
    with pytest.raises(click.BadParameter, match="neither a whole number nor auto"):
        whole.convert(2.5, None, None)
    assert NumberOr(("keep",)).convert("0.25", None, None) == 0.25


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
