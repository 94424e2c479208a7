"""Find the file formats of a folder: every module with a ``FORMAT`` entry is one, so adding a format is one file."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, TypeVar

__all__ = ["discover"]

Entry = TypeVar("Entry")


def discover(package: str, kind: type[Entry]) -> tuple[Entry, ...]:
    """Import the modules of a package and return their ``FORMAT`` entries, sorted by the field ``order``.

    Parameters
    ----------
    package : str
        Dotted name, ``depth3d.io.stereo``.
    kind : type[Entry]
        The dataclass of the entries; a ``FORMAT`` of another type is ignored.
    """
    found: list[Any] = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        entry = getattr(importlib.import_module(f"{package}.{module.name}"), "FORMAT", None)
        if isinstance(entry, kind):
            found.append(entry)
    return tuple(sorted(found, key=lambda entry: entry.order))
