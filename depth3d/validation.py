"""Checks of option values: one place for the command line, Python calls and settings files.

An option dataclass states its rules once, in its types and in the metadata of its fields (``limits``, ``above``,
``choices``, ``convert``); ``Validated`` applies them whenever such a dataclass is made, and
``check_value`` applies the rule of one field to a value from elsewhere, such as an argument of a function.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import math
import numbers
import types
import warnings
from collections.abc import Callable, Hashable
from dataclasses import field, fields, replace
from fractions import Fraction
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from depth3d.errors import InvalidInput, InvalidOption
from depth3d.quantities import as_float, described, frame_rate, plain_path, text_of

__all__ = [
    "Validated",
    "applies",
    "changed",
    "check_value",
    "field_names",
    "nearest",
    "nothing_left",
    "option",
    "renamed",
    "require",
    "require_flag",
    "require_function",
]

Kind = TypeVar("Kind", bound=type)
Options = TypeVar("Options")


def option(default: object, help: str, **metadata: Any) -> Any:
    """Return a dataclass field with its help text and its rules.

    Parameters
    ----------
    default : object
        Value where the user gives none.
    help : str
        One or two sentences for ``--help``.
    **metadata : Any
        ``limits`` (lowest, highest) bound a number, ``above`` excludes the lowest, ``unit`` names its unit; ``choices``
        lists words; ``convert(name, value)`` checks and normalizes a text; ``metavar`` names the value in ``--help``;
        ``media`` is "photo" or "clip" where the option applies to one kind of input only (a class may say it for all
        of its options: ``media: ClassVar``).
    """
    return field(default=cast(Any, default), metadata={"help": help, **metadata})


class Validated:
    """Base class of option dataclasses: every field is checked and normalized when an object is made.

    Raises ``InvalidOption`` that names the field, the actual and the expected value.
    """

    def __post_init__(self) -> None:
        for item in fields(cast(Any, self)):
            value = getattr(self, item.name)
            checked = _checked(item.name, value, _hints(cast(Hashable, type(self)))[item.name], item.metadata)
            if checked is not value:
                object.__setattr__(self, item.name, checked)


def renamed(**names: str) -> Callable[[Kind], Kind]:
    """Let an option dataclass accept old field names (``old="new"``) with a ``DeprecationWarning``."""

    def decorate(kind: Kind) -> Kind:
        original: Any = vars(kind)["__init__"]

        @functools.wraps(original)
        def init(self: Any, *args: Any, **values: Any) -> None:
            for old, new in names.items():
                if old in values:
                    warnings.warn(f"{kind.__name__}: {old} is now {new}", DeprecationWarning, stacklevel=2)
                    values.setdefault(new, values.pop(old))
            original(self, *args, **values)

        kind.__init__ = init  # type: ignore[misc]
        kind.renamed_fields = names  # type: ignore[attr-defined]
        return kind

    return decorate


def check_value(kind: type[Any], name: str, value: object) -> Any:
    """Return ``value`` checked and normalized by the rule of the field ``name`` of the option dataclass ``kind``.

    Raises ``InvalidOption`` as the dataclass itself does.
    """
    item = next(item for item in fields(kind) if item.name == name)
    return _checked(name, value, _hints(cast(Hashable, kind))[name], item.metadata)


def nearest(word: str, known: list[str] | tuple[str, ...]) -> str:
    """Return "; did you mean 'x'?" for the closest of ``known``, or a list of all of them."""
    close = difflib.get_close_matches(word.lower(), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(cast(Any, kind))


def _checked(name: str, value: Any, hint: Any, rules: Any) -> Any:
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    words = tuple(word for member in members if get_origin(member) is Literal for word in get_args(member))
    if value is None and type(None) in members:
        return None
    if isinstance(value, str) and value in words:
        return value
    if "convert" in rules:
        return rules["convert"](name, value)
    if bool in members:
        return _boolean(name, value)
    if Fraction in members:
        return _rate(name, value)
    if float in members or int in members:
        return _number(name, value, rules, whole=float not in members, words=words)
    return _word(name, value, tuple(rules.get("choices") or words))


def _boolean(name: str, value: Any) -> bool:
    if isinstance(value, bool) or type(value).__name__ == "bool_" or type(value).__name__ == "bool":
        return bool(value)
    raise InvalidOption(name, f"{described(value)}, expected True or False")


def _rate(name: str, value: Any) -> Fraction:
    if not isinstance(value, str | numbers.Real) or isinstance(value, bool):
        raise InvalidOption(name, f"{described(value)}, expected a frame rate like 30, 59.94 or 30000/1001")
    try:
        return frame_rate(cast(Any, value))
    except InvalidInput as error:
        raise InvalidOption(name, str(error)) from None


def _number(name: str, value: Any, rules: Any, *, whole: bool, words: tuple[str, ...]) -> float | int:
    expected = _range_text(rules, whole) + "".join(f", or {word!r}" for word in words)
    if rules.get("numeric_text") and isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = float(value)
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
            return _number(name, value.item(), rules, whole=whole, words=words)  # 0-d arrays and tensors
        raise InvalidOption(name, f"{described(value)}, expected {expected}")
    low, high = rules.get("limits", (-math.inf, math.inf))
    above = rules.get("above", -math.inf)
    number = as_float(value)
    if not math.isfinite(number) or not low <= number <= high or not number > above:
        raise InvalidOption(name, f"{number:g}, expected {expected}")
    if not whole:
        return number
    if number != int(number):
        raise InvalidOption(name, f"{number:g}, expected {expected}")
    return int(number)


def _range_text(rules: Any, whole: bool) -> str:
    unit = f" {rules['unit']}" if "unit" in rules else ""
    noun = "a whole number" if whole else "a number"
    if "limits" not in rules:
        return noun + unit
    low, high = rules["limits"]
    if "above" in rules:
        return f"{noun} above {low:g}, at most {high:g}{unit}"
    return f"{noun}, {low:g} to {high:g}{unit}"


def _word(name: str, value: Any, choices: tuple[str, ...]) -> str:
    text = text_of(name, plain_path(name, value))
    if choices and text not in choices:
        raise InvalidOption(name, f"{text!r}, expected one of {', '.join(choices)}{_hint(text, choices)}")
    return text


def _hint(text: str, choices: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(text.lower(), choices, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def field_names(*kinds: type[Any]) -> list[str]:
    """Return the names of all fields of some option dataclasses, each once."""
    return list(dict.fromkeys(item.name for kind in kinds for item in fields(kind)))


def changed(options: Options, changes: dict[str, Any]) -> Options:
    """Take the fields of ``options`` out of ``changes`` and return it with these replaced; old names still work."""
    for old, new in getattr(options, "renamed_fields", {}).items():
        if old in changes:
            warnings.warn(f"{old} is now {new}", DeprecationWarning, stacklevel=3)
            changes.setdefault(new, changes.pop(old))
    names = {item.name for item in fields(cast(Any, options))}
    mine = {name: changes.pop(name) for name in list(changes) if name in names}
    return cast(Options, replace(cast(Any, options), **mine))


def nothing_left(changes: dict[str, Any], *options: object) -> None:
    """Refuse what no ``options`` dataclass has taken out of ``changes``, with the nearest name.

    Raises ``InvalidInput``.
    """
    if changes:
        name = next(iter(changes))
        raise InvalidInput(f"unknown option {name!r}{nearest(name, field_names(*map(type, options)))}")


def require(options: object, kind: type[Options], name: str) -> Options:
    """Return ``options`` as ``kind``, or its defaults for None. Raises ``InvalidInput`` for anything else."""
    if options is None:
        return kind()
    if not isinstance(options, kind):
        raise InvalidInput(f"{name}: got {type(options).__name__}, expected {kind.__name__}")
    return options


def require_flag(value: object, name: str) -> bool:
    """Return True or False as it is. Raises ``InvalidOption`` for anything else."""
    return _boolean(name, value)


def require_function(value: object, name: str) -> None:
    """Refuse what is neither None nor can be called. Raises ``InvalidOption``."""
    if value is not None and not callable(value):
        raise InvalidOption(name, f"{described(value)}, expected a function")


def applies(kind: type[Any], name: str, media: str) -> bool:
    """Return whether the option ``name`` of ``kind`` applies to inputs of ``media`` ("photo" or "clip")."""
    own = next(item.metadata.get("media") for item in fields(kind) if item.name == name)
    return (own or getattr(kind, "media", None)) in (None, media)
