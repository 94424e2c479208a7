"""What a person sees while it works: a bar with ETA on a terminal, nothing elsewhere; results on stdout."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

__all__ = ["bar", "say", "speak_plainly", "told"]


@contextmanager
def bar(title: str, *, quiet: bool, unit: str = "frame") -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with (done, in all); draws on a terminal only, and never with ``quiet``."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from tqdm import tqdm

    meter = tqdm(desc=title, unit=unit, leave=False, dynamic_ncols=True, file=sys.stderr)

    def update(done: int, total: int) -> None:
        meter.total = total
        meter.update(done - meter.n)

    try:
        yield update
    finally:
        meter.close()


def say(message: str, *, quiet: bool) -> None:
    """One line for the person, on standard error."""
    if not quiet:
        click.echo(message, err=True)


def told(path: Path, *, as_json: bool, **facts: Any) -> None:
    """The path that was written, on standard output; with ``as_json`` one line with all ``facts``."""
    click.echo(json.dumps({"output": str(path), **facts}, default=str) if as_json else str(path))


def speak_plainly(*, quiet: bool) -> None:
    """Warnings and log records become one plain line each on standard error, without Python's file and line."""

    def plain(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if not quiet:
            click.echo(f"depth3d: {message}", err=True)

    warnings.showwarning = plain
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
    logging.basicConfig(
        stream=sys.stderr, level=logging.ERROR if quiet else logging.WARNING, format="depth3d: %(message)s"
    )
    logging.getLogger("depth3d").setLevel(logging.ERROR if quiet else logging.INFO)
