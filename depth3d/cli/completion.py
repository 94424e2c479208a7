"""Values that shells complete after an option: formats, networks, paths, presets.

click makes the completion itself; ``_DEPTH3D_COMPLETE=bash_source depth3d`` prints the script for bash, with
``zsh_source`` and ``fish_source`` for the other shells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click

__all__ = ["VALUES", "complete"]


def _formats() -> Iterable[str]:
    from depth3d.stereoformats import FORMATS

    return FORMATS


def _networks() -> Iterable[str]:
    from depth3d.depth import registry

    return ("auto", *registry.names())


def _paths() -> Iterable[str]:
    from depth3d.geometry.camera.paths import PATHS

    return ("auto", *PATHS)


def _presets() -> Iterable[str]:
    from depth3d.pipeline.presets import read_config

    return read_config().all_presets()


VALUES: dict[str, Callable[[], Iterable[str]]] = {
    "format": _formats,
    "model": _networks,
    "path": _paths,
    "preset": _presets,
}
"""Name of an option -> function that lists its values."""


def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the values of an option that begin with ``incomplete``; the last one of a list with commas."""
    before, comma, last = incomplete.rpartition(",") if parameter.name == "format" else ("", "", incomplete)
    return [f"{before}{comma}{value}" for value in VALUES[str(parameter.name)]() if value.startswith(last)]
