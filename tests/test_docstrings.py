"""Every docstring of a public function or class is numpydoc that a machine can read."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import griffe
import pytest

import depth3d
from depth3d.validation import Validated

SECTIONS = ("parameters", "other parameters", "attributes")
PACKAGE = Path(depth3d.__file__).parent


@pytest.fixture(scope="module")
def package() -> griffe.Module:
    """The package as griffe reads it: parsed, never imported."""
    loaded = griffe.load("depth3d", search_paths=[PACKAGE.parent], docstring_parser="numpy", allow_inspection=False)
    assert isinstance(loaded, griffe.Module)
    return loaded


def public(parent: griffe.Module | griffe.Class) -> Iterator[griffe.Function | griffe.Class]:
    for member in parent.members.values():
        if member.is_alias or member.name.startswith("_"):
            continue
        if isinstance(member, griffe.Function | griffe.Class):
            yield member
        if isinstance(member, griffe.Module | griffe.Class):
            yield from public(member)


def described(item: griffe.Function | griffe.Class) -> list[griffe.DocstringNamedElement]:
    if item.docstring is None:
        return []
    sections = item.docstring.parse("numpy")
    return [entry for section in sections if section.kind.value in SECTIONS for entry in section.value]


def names(item: griffe.Function | griffe.Class) -> list[str]:
    return [parameter.name for parameter in item.parameters if parameter.name not in ("self", "cls")]


def faults(items: Iterator[griffe.Function | griffe.Class]) -> list[str]:
    found = []
    for item in items:
        entries = described(item)
        found += [f"{item.path}: {e.name} has no description" for e in entries if not (e.description or "").strip()]
        found += [f"{item.path}: {e.name} has no type" for e in entries if not str(e.annotation or "").strip()]
        if isinstance(item, griffe.Function):
            unknown = {name.lstrip("*") for entry in entries for name in entry.name.split(", ")} - set(names(item))
            found += [f"{item.path}: {name} is described, but is no parameter" for name in sorted(unknown)]
    return found


def test_the_count_finds_faults(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "sample.py").write_text(
        "def f(good: int, bare: int, untyped):\n"
        '    """Do.\n\n    Parameters\n    ----------\n    good : int\n        What it is.\n    bare : int\n'
        '    untyped\n        Text.\n    gone : str\n        Text.\n    """\n'
    )
    sample = griffe.load("sample", search_paths=[tmp_path], docstring_parser="numpy", allow_inspection=False)
    assert isinstance(sample, griffe.Module)
    assert faults(public(sample)) == [
        "sample.f: bare has no description",
        "sample.f: untyped has no type",
        "sample.f: gone is described, but is no parameter",
    ]
    assert any("'gone'" in record.getMessage() for record in caplog.records)


def test_every_listed_parameter_has_a_type_and_a_description(
    package: griffe.Module, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="griffe"):
        count = sum(len(described(item)) for item in public(package))
        found = faults(public(package))
    assert count > 400  # the parser sees the sections at all
    assert found == []
    # griffe knows no constructor of a NamedTuple; ``faults`` has looked at the functions.
    told = [record.getMessage() for record in caplog.records]
    assert [line for line in told if "does not appear in the function signature" not in line] == []


def of_the_public_list(package: griffe.Module) -> Iterator[griffe.Function | griffe.Class]:
    """What depth3d.__all__ names, with the public methods of its classes; options have help texts instead."""
    for name, module in depth3d._PUBLIC.items():
        item = package[f"{module.removeprefix('depth3d.')}.{name}"]
        if item.is_alias:
            item = item.final_target
        if isinstance(item, griffe.Class):
            yield from (found for found in public(item) if isinstance(found, griffe.Function))
            value = getattr(depth3d, name)
            if isinstance(value, type) and issubclass(value, Validated):
                continue
        assert isinstance(item, griffe.Function | griffe.Class)
        yield item


def test_every_parameter_of_the_public_functions_and_classes_is_described(package: griffe.Module) -> None:
    missing = []
    for item in of_the_public_list(package):
        listed = {name.strip().lstrip("*") for entry in described(item) for name in entry.name.split(",")}
        missing += [f"{item.path}: {name}" for name in names(item) if name.lstrip("*") not in listed]
    assert missing == []


def test_every_option_has_a_help_text() -> None:
    values = [getattr(depth3d, name) for name in depth3d._PUBLIC]
    kinds = [kind for kind in values if isinstance(kind, type) and issubclass(kind, Validated) and is_dataclass(kind)]
    assert len(kinds) >= 6
    options = [(kind.__name__, item) for kind in kinds for item in fields(kind)]
    assert [f"{kind}.{item.name}" for kind, item in options if not item.metadata.get("help", "").endswith(".")] == []
