"""Option dataclasses become flags: one source of defaults, help and types for Python and the shell."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import click

from depth3d.errors import InvalidInput
from depth3d.options import frame_rate

if TYPE_CHECKING:
    _NumberType = click.ParamType[float | str]
    _RateType = click.ParamType[Fraction]
else:  # generic for the type checker only: older clicks have a plain class
    _NumberType = _RateType = click.ParamType

__all__ = ["build", "flags"]

Options = TypeVar("Options")
Command = TypeVar("Command", bound=Callable[..., Any])


class NumberOr(_NumberType):
    """A number, or one of a few words ("auto")."""

    name = "number"

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """Return the word, or the number as a float; fail with both possibilities named."""
        if isinstance(value, int | float):
            return float(value)
        if value in self.words:
            return str(value)
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor {' or '.join(self.words)}", param, ctx)


class FrameRate(_RateType):
    """A frame rate, kept as an exact fraction."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """Return the exact fraction; fail with examples of what is understood."""
        try:
            return frame_rate(value)
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


def flags(*kinds: type[Any]) -> Callable[[Command], Command]:
    """Decorate a click command with one flag for every field of the option dataclasses ``kinds``."""

    def decorate(command: Command) -> Command:
        for kind in reversed(kinds):
            hints = get_type_hints(kind)
            for item in reversed(fields(kind)):
                command = _flag(item.name, hints[item.name], item.default, dict(item.metadata))(command)
        return command

    return decorate


def build(kind: type[Options], values: dict[str, Any]) -> Options:
    """Take the fields of ``kind`` out of the command's ``values`` and make the dataclass of them."""
    names = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: values.pop(name) for name in names if name in values})


def _flag(name: str, hint: Any, default: Any, metadata: dict[str, Any]) -> Callable[[Command], Command]:
    words = "--" + name.replace("_", "-")
    settings: dict[str, Any] = {
        "help": metadata.get("help"),
        "default": None if default is MISSING else default,
    }
    if hint is bool:
        both = f"{words}/--no-{words[2:]}" if default else words
        return click.option(both, name, is_flag=True, **settings)
    settings["show_default"] = default is not None
    if "metavar" in metadata:
        settings["metavar"] = metadata["metavar"]
    if "choices" in metadata:
        settings["type"] = click.Choice(metadata["choices"])
        settings.pop("metavar", None)
    else:
        settings["type"] = _click_type(hint)
    return click.option(words, name, **settings)


def _click_type(hint: Any) -> Any:
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    words = tuple(word for member in members if get_origin(member) is Literal for word in get_args(member))
    if float in members and words:
        return NumberOr(words)
    if Fraction in members:
        return FrameRate()
    for plain in (int, float, str):
        if plain in members:
            return plain
    return click.Choice(words) if words else str
