"""Decides where results go: a file, a folder, or beside the input; checks names and suffixes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from depth3d.errors import InvalidOption, WriteError
from depth3d.io.atomic import make_folder
from depth3d.pipeline.inputs import Input
from depth3d.quantities import LONGEST_NAME, as_file

__all__ = ["Destination", "check_length", "check_suffix", "target_for"]


@dataclass(frozen=True, slots=True)
class Destination:
    """Destination of the results of a run.

    Parameters
    ----------
    path : Path | None
        A file or folder; None = the folder of each input.
    folder : bool
        Whether ``path`` is a folder.
    """

    path: Path | None = None
    folder: bool = False
    _created: list[Path] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of(cls, output: str | Path | None, inputs: int = 1) -> Destination:
        """Interpret an output name; a name that ends with a slash is a folder, existing or not.

        Raises ``InvalidOption`` for an invalid file name, or if one file is the target of several inputs.
        """
        if output is None:
            return cls()
        text = as_file("output", output)
        folder = text.endswith(("/", os.sep)) or os.path.isdir(text)
        if inputs > 1 and not folder:
            raise InvalidOption(
                "output", f"names one file, but there are {inputs} inputs; name a folder ({text}/) or omit `output`"
            )
        return cls(Path(text), folder)

    def for_input(self, item: Input) -> Path | None:
        """Return the ``output`` argument for one input; a folder is created if missing.

        Raises ``WriteError`` if it cannot be created.
        """
        if self.path is None or not self.folder:
            return self.path
        folder = self.path / item.inside
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        make_folder(folder)
        self._created.extend(missing)
        return folder

    @contextmanager
    def without_empty_folders(self) -> Iterator[None]:
        """Remove the folders that ``for_input`` created if nothing is in them at the end (a dry run, an error)."""
        try:
            yield
        finally:
            for folder in sorted(self._created, key=lambda each: len(each.parts), reverse=True):
                with suppress(OSError):
                    folder.rmdir()


def target_for(source: Path, output: str | Path | None, name: str) -> Path:
    """Return the output file: ``name`` in the folder of the source or in the folder ``output``, or the file ``output``.

    Raises ``InvalidOption`` for a name with NUL, ``WriteError`` for a name longer than file systems allow.
    """
    destination = Destination.of(output)
    if destination.path is None:
        target = source.with_name(name)
    else:
        target = destination.path / name if destination.folder else destination.path
    check_length(target)
    return target


def check_length(target: Path) -> None:
    """Raise ``WriteError`` for a name longer than file systems allow."""
    length = len(os.fsencode(target.name))
    if length > LONGEST_NAME:
        raise WriteError(
            target.parent,
            f"the output name is {length} bytes long, the limit is {LONGEST_NAME}; set a shorter name with `output`",
        )


def check_suffix(target: Path, suffixes: Sequence[str], what: str) -> Path:
    """Return ``target``; raise ``InvalidOption`` if its suffix is not in ``suffixes``, the formats of ``what``."""
    suffix = target.suffix.lower()
    if not suffix or not target.name.lower().endswith(tuple(suffixes)):
        known = ", ".join(suffixes)
        shown = f"'{suffix}'" if suffix else "a name without suffix"
        raise InvalidOption("output", f"{target.name}: {shown} is not a format of {what}; expected one of {known}")
    return target
