"""Generate command line flags from option dataclasses, the single source of defaults, help and types.

Flags that are not given have the value None, so that a command knows which options the user set and can refuse those
that do not apply to an input. Ranges are checked when the dataclass is created (``depth3d.validation``).
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable
from dataclasses import fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import click

from depth3d.cli.completion import VALUES, complete
from depth3d.errors import Depth3DError, InvalidInput, InvalidOption
from depth3d.options import (
    ALL_OPTIONS,
    BatchOptions,
    ClusterOptions,
    DepthOptions,
    OutputOptions,
    StabilizeOptions,
    StudioOptions,
    VideoOptions,
    frame_rate,
)
from depth3d.validation import field_names

if TYPE_CHECKING:
    _NumberType = click.ParamType[float | str]
    _RateType = click.ParamType[Fraction]
else:  # generic for the type checker only: older clicks have a plain class
    _NumberType = _RateType = click.ParamType

__all__ = ["OptionsCommand", "both_eyes_needed", "build", "flag_of", "flags", "given", "in_flags"]

Options = TypeVar("Options")
Command = TypeVar("Command", bound=Callable[..., Any])

# Flags of function arguments that are not fields of an option dataclass.
_MORE_NAMES = {
    "output": "-o",
    "layout": "--layout",
    "frames": "--frames",
    "glasses": "--glasses",
    "kind": "--kind",
    "list_formats": "--list-formats",
}
# Headings of the help; options of other kinds are the command's own.
_HEADINGS: dict[type[Any], str] = {
    DepthOptions: "Depth of photos and clips",
    StabilizeOptions: "Stable depth in clips",
    VideoOptions: "Clips",
    ClusterOptions: "Clips",
    BatchOptions: "Inputs and results",
    OutputOptions: "Inputs and results",
}
_METAVARS = {"as_size": "SIZE", "as_time": "TIME", "as_file": "NAME|FILE", "convert": "LENGTH"}


class NumberOr(_NumberType):
    """Parameter type: a number or one of a few words ("auto")."""

    name = "number"

    def __init__(self, words: tuple[str, ...], kind: type[int] | type[float] = float) -> None:
        self.words, self.kind = words, kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """Return the word, or the number as ``kind``; the error names both possibilities."""
        if value in self.words:
            return str(value)
        try:
            return self.kind(str(value))  # a file of settings holds numbers: 2.5 is no whole one
        except ValueError:
            number = "a whole number" if self.kind is int else "a number"
            self.fail(f"{value!r} is neither {number} nor {' or '.join(self.words)}", param, ctx)


class FrameRate(_RateType):
    """Parameter type: a frame rate as an exact fraction."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """Return the exact fraction; the error gives examples of valid rates."""
        try:
            return frame_rate(value)
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


class HeadedOption(click.Option):
    """An option that is listed under a heading of its own in the help."""

    def __init__(self, *names: Any, heading: str = "Options", **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.heading = heading


class OptionsCommand(click.Command):
    """A command whose help lists its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section for each heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "heading", "Options"), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def both_eyes_needed(command: Command) -> Command:
    """Decorate a command that works on two eyes: it refuses, in its own words, to take a photo for an ordinary one."""

    def refuse(_context: click.Context, _parameter: click.Parameter, given: bool) -> None:
        if given:
            raise InvalidOption("stereo", "this command works on both eyes; it has no use for an ordinary photo")

    hidden = click.option("--no-stereo", is_flag=True, hidden=True, expose_value=False, callback=refuse)
    return hidden(command)


def flags(*kinds: type[Any]) -> Callable[[Command], Command]:
    """Decorate a click command with one flag for every field of the option dataclasses ``kinds``.

    Two dataclasses may share a field name (``size`` of animations and of clips): the help of the first one is used.
    """

    def decorate(command: Command) -> Command:
        made = {item.name: (kind, item) for kind in reversed(kinds) for item in fields(kind)}
        for name in reversed(field_names(*kinds)):
            kind, item = made[name]
            heading = _HEADINGS.get(kind, "Options")
            command = _flag(name, get_type_hints(kind)[name], item.default, dict(item.metadata), heading)(command)
        for old, new in {
            old: new for kind in kinds for old, new in getattr(kind, "renamed_fields", {}).items()
        }.items():
            kind, item = made[new]
            words = f"--{old.replace('_', '-')}"
            hint = _click_type(get_type_hints(kind)[new])
            command = click.option(words, old, hidden=True, type=hint, help=f"Old name of {flag_of(new)}.")(command)
        return command

    return decorate


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values that the user set by flag or environment variable (not None)."""
    return {name: value for name, value in values.items() if value is not None}


def build(kind: type[Options], values: dict[str, Any]) -> Options:
    """Create an options object of type ``kind`` from the values of the command.

    Raises ``InvalidOption`` for a value out of range.
    """
    known = given(values)
    for old, new in getattr(kind, "renamed_fields", {}).items():
        if old in known:
            known.setdefault(new, known[old])
    return kind(**{name: known[name] for name in field_names(kind) if name in known})


def flag_of(name: str) -> str:
    """Return the flag of a Python argument: ``save_depth`` -> ``--save-depth``."""
    return _MORE_NAMES.get(name, "--" + name.replace("_", "-"))


def in_flags(message: str | Depth3DError) -> str:
    """Return an error or log message with flags instead of Python arguments, on one line.

    "`parallax`" becomes --parallax, "`force=True`" --force, "`own_eyes=False`" --no-own-eyes, "`format='tb'`"
    --format tb; other words in backquotes are unchanged.
    """
    text = " ".join(str(message).split())
    if isinstance(message, InvalidOption) and text.startswith(message.option):
        text = f"`{message.option}`" + text[len(message.option) :]
    return _ARGUMENT.sub(_as_flag, text)


_NAMES = {*field_names(*ALL_OPTIONS, StudioOptions), *_MORE_NAMES}
_ARGUMENT = re.compile(r"`([a-z_]+)(?:=([^`]+))?`")


def _as_flag(found: re.Match[str]) -> str:
    name, value = found[1], found[2]
    if name not in _NAMES:
        return found[0]
    if value in (None, "True"):
        return flag_of(name)
    if value == "False":
        return "--no-" + name.replace("_", "-")
    return f"{flag_of(name)} {value.strip(chr(39) + chr(34))}"


def _flag(name: str, hint: Any, default: Any, metadata: dict[str, Any], heading: str) -> Callable[[Command], Command]:
    words = flag_of(name)
    help_text = in_flags(metadata.get("help", ""))
    common: dict[str, Any] = {"cls": HeadedOption, "heading": heading, "default": None}
    if hint is bool:
        both = f"{words}/--no-{words[2:]}" if default else words
        return click.option(both, name, is_flag=True, help=help_text, **common)
    if default is not None:
        help_text += f"  [default: {default}]"
    settings: dict[str, Any] = {**common, "help": help_text, "type": _type_of(hint, metadata)}
    if name in VALUES:
        settings["shell_complete"] = complete
    if not isinstance(settings["type"], click.Choice):
        settings["metavar"] = metadata.get("metavar") or _metavar(metadata, settings["type"])
    return click.option(words, name, **settings)


def _metavar(metadata: dict[str, Any], kind: Any) -> str:
    if "convert" in metadata:
        return _METAVARS[metadata["convert"].__name__]
    return "NAME" if kind is str else "N"


def _type_of(hint: Any, metadata: dict[str, Any]) -> Any:
    return click.Choice(metadata["choices"]) if "choices" in metadata else _click_type(hint)


def _click_type(hint: Any) -> Any:
    members: Iterable[Any] = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    words = tuple(word for member in members if get_origin(member) is Literal for word in get_args(member))
    if words and (float in members or int in members):
        return NumberOr(words, float if float in members else int)
    if Fraction in members:
        return FrameRate()
    for plain in (int, float, str):
        if plain in members:
            return plain
    return click.Choice(words) if words else str
