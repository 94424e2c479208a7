"""Atomic file output: write to a temporary name, then rename."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from depth3d.errors import ExistsError, FileError, WriteError, in_words
from depth3d.io.leftovers import process_mark, remove_leftovers
from depth3d.validation import require_flag

__all__ = ["atomic_path", "make_folder", "publish", "refuse_existing"]


def refuse_existing(path: str | Path, *, force: bool) -> Path:
    """Return ``path`` if it can be written; call it before any expensive work.

    Raises ``ExistsError`` if it exists and ``force`` is false, ``WriteError`` if its folder is missing,
    ``InvalidOption`` if ``force`` is neither True nor False ("no" would replace the file).
    """
    force = require_flag(force, "force")
    final = Path(path)
    if final.is_dir():
        raise WriteError(final, "is a folder; give a file name")
    if final.exists() and not force:
        raise ExistsError(final)
    if not final.parent.is_dir():
        raise WriteError(final, f"the folder {final.parent} does not exist; create it first")
    if not os.access(final.parent, os.W_OK):
        raise WriteError(final, f"no file can be written to the folder {final.parent.absolute()}; choose another one")
    return final


def make_folder(folder: Path) -> None:
    """Make a folder for results, with those above it, if it is missing; raises ``WriteError``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(folder, f"the folder cannot be created: {in_words(error)}") from error


@contextmanager
def atomic_path(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path`` with the same suffix; rename it when the block succeeds.

    On any error, including Ctrl-C, the temporary file is deleted and ``path`` is unchanged. Without ``force`` a file
    that another process has created meanwhile is not replaced: exactly one of several writers succeeds.

    Raises ``ExistsError`` or ``WriteError`` as ``refuse_existing`` does; an ``OSError`` of the block
    (full disk, no permission) becomes a ``WriteError`` that names ``path``.
    """
    final = refuse_existing(path, force=force)
    remove_leftovers(final.parent.absolute())
    stem = os.fsencode(final.stem)[:60].decode(errors="ignore")  # the whole name must stay below 255 bytes
    temporary = final.with_name(f".{stem}.{process_mark()}.{secrets.token_hex(4)}.part{final.suffix}")
    try:
        yield temporary
        publish(temporary, final, force=force)
    except OSError as error:
        raise WriteError(final, f"cannot be written: {in_words(error)}") from error
    except FileError as error:
        if error.path != temporary:
            raise
        raise type(error)(final, error.reason) from error
    finally:
        temporary.unlink(missing_ok=True)


def publish(temporary: Path, final: Path, *, force: bool) -> None:
    """Rename the finished file to ``final``; raise ``ExistsError`` if it exists and ``force`` is false."""
    if force:
        os.replace(temporary, final)
        return
    try:
        if os.name == "nt":
            os.rename(temporary, final)  # fails on Windows if the name exists
        else:
            _link(temporary, final)
    except FileExistsError as error:
        raise ExistsError(final) from error


def _link(temporary: Path, final: Path) -> None:
    """Rename a file; raise ``FileExistsError`` if the name exists (a POSIX rename would replace it)."""
    try:
        os.link(temporary, final)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: reserve the name first
        os.close(os.open(final, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        os.replace(temporary, final)
