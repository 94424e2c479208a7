"""Files appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from depth3d.errors import ExistsError, WriteError

__all__ = ["atomic_path", "refuse_existing"]


def refuse_existing(path: str | Path, *, force: bool) -> Path:
    """Return ``path``, or raise before any work is done that could not be saved.

    Raises ``ExistsError`` if it exists and ``force`` is false, ``WriteError`` if its folder is missing.
    """
    final = Path(path)
    if final.is_dir():
        raise WriteError(final, "is a folder; give a file name")
    if final.exists() and not force:
        raise ExistsError(final)
    if not final.parent.is_dir():
        raise WriteError(final, f"the folder {final.parent} does not exist; make it first")
    return final


@contextmanager
def atomic_path(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path`` with the same suffix; rename it when the block succeeds.

    On any error, Ctrl-C included, the temporary file is removed and ``path`` stays as it was.

    Raises ``ExistsError`` or ``WriteError`` as ``refuse_existing`` does; an ``OSError`` of the block
    (full disk, no permission) becomes a ``WriteError`` that names ``path``.
    """
    final = refuse_existing(path, force=force)
    temporary = final.with_name(f".{final.stem[:60]}.{secrets.token_hex(4)}.part{final.suffix}")
    try:
        yield temporary
        os.replace(temporary, final)
    except OSError as error:
        raise WriteError(final, f"cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
