"""Output of commands: paths on standard output, log lines and errors on standard error."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import click

from depth3d.cli.options import in_flags

__all__ = ["log", "print_result", "print_text", "setup_logging"]


def log(message: str, *, quiet: bool = False) -> None:
    """Print one line on standard error, with flags for Python arguments, unless ``quiet``."""
    if not quiet:
        _write(in_flags(message), error=True)


def print_result(path: Path, *, as_json: bool, **facts: Any) -> None:
    """Print the output path, or with ``as_json`` one JSON line with the path and all ``facts``."""
    if as_json:
        print_text(json.dumps({"output": str(path), **facts}, default=str))
        return
    # As bytes, so that a shell can use file names that are not valid UTF-8.
    click.echo(os.fsencode(path))


def print_text(text: str) -> None:
    """Print text on standard output; undecodable bytes of file names are shown as question marks."""
    _write(text, error=False)


def setup_logging(*, quiet: bool) -> None:
    """Print warnings and log records as one plain line each on standard error, with flags for Python arguments."""

    def plain(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if not quiet:
            log(f"depth3d: {in_flags(str(message))}")

    warnings.showwarning = plain
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
    # Pillow's, from 89 megapixels on; the limit of this program is another one.
    warnings.filterwarnings("ignore", message=".*decompression bomb")
    handler = _Handler(level=logging.ERROR if quiet else logging.WARNING)
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    level = logging.ERROR if quiet else logging.INFO
    logging.getLogger("depth3d").setLevel(level)
    handler.setLevel(level)


class _Handler(logging.Handler):
    """Log handler: one line per record; other libraries only from level WARNING."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING and not record.name.startswith("depth3d"):
            return
        log(f"depth3d: {in_flags(record.getMessage())}")


def _write(text: str, *, error: bool) -> None:
    stream = sys.stderr if error else sys.stdout
    if stream is None:  # a program without a console (pythonw, a service)
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = text.encode(encoding, "replace").decode(encoding, "replace")
    try:
        click.echo(shown, err=error)
    except OSError:
        if not error:  # losing results is a failure, losing log lines is not
            raise
