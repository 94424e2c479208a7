"""Run a command on many inputs: find them, refuse options that apply to none, validate all, run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
from click.core import ParameterSource

from depth3d.cli.batch import Batch, Job
from depth3d.cli.options import build, flag_of, given
from depth3d.cli.output import log, setup_logging
from depth3d.errors import InvalidInput, InvalidOption
from depth3d.options import BatchOptions, OutputOptions
from depth3d.validation import applies

if TYPE_CHECKING:
    from depth3d.pipeline.inputs import Input

__all__ = ["Kinds", "from_settings", "input_arguments", "run_inputs", "takes"]

Command = TypeVar("Command", bound=Callable[..., Any])
# Media ("photo", "clip") -> the option dataclasses that a command uses for such an input.
Kinds = dict[str, tuple[type[Any], ...]]


def input_arguments(metavar: str, results: str) -> Callable[[Command], Command]:
    """Decorate a click command with its inputs and ``-o``; ``results`` names what is written."""

    def decorate(command: Command) -> Command:
        text = f"{results}, or a folder for the results (FOLDER/; created if missing)."
        command = click.option("-o", "--output", metavar="FILE|FOLDER/", help=text)(command)
        return click.argument("inputs", nargs=-1, required=True, metavar=metavar)(command)

    return decorate


def run_inputs(
    names: Sequence[str],
    output: str | None,
    values: dict[str, Any],
    kinds: Kinds,
    prepare: Callable[[Path, Path | None, str], Job],
    hint: Callable[[str, str], str] | None = None,
    *,
    results: Literal["none", "stereo", "all"] = "none",
    who: str = "this command",
) -> None:
    """Run a command on all inputs.

    Names, targets and options of all inputs are validated before the first one runs. If one of several inputs fails,
    the error is reported and the next one runs.

    Raises
    ------
    InvalidOption
        For an option that applies to none of the inputs.
    Depth3DError
        The error of a single input; ``Failed`` for several.

    Parameters
    ----------
    names : Sequence[str]
        Files, folders and patterns.
    output : str | None
        A file, a folder, or None.
    values : dict[str, Any]
        The options of the command, None where not given.
    kinds : Kinds
        Options that apply to photos and to clips.
    prepare : Callable[[Path, Path | None, str], Job]
        Validates one input without expensive work: (path, output, "photo" or "clip") -> job.
    hint : Callable[[str, str], str] | None
        Advice for an option that does not apply: (name, media) -> text.
    results : Literal["none", "stereo", "all"]
        Results of earlier runs in folders that are inputs: none, all but those of `fix`, all.
    who : str
        What errors call the command.
    """
    outputs, batch = build(OutputOptions, values), build(BatchOptions, values)
    log_renamed(values, kinds, outputs)
    setup_logging(quiet=outputs.quiet)
    from depth3d.pipeline.inputs import expand, media_of
    from depth3d.pipeline.targets import Destination

    inputs = expand(names, recursive=batch.recursive, results=results)
    destination = Destination.of(output, len(inputs))
    batch_run = Batch(len(inputs), outputs, batch)
    found: dict[Path, str] = {}
    for item in inputs:
        with batch_run.guard(item):
            media = media_of(item.path)
            if media in kinds:
                found[item.path] = media
            elif item.found and len(inputs) > 1:
                batch_run.skip_unusable(f"is a {media}")
            else:
                raise InvalidInput(f"{item.path} is a {media}; {who} supports {' and '.join(kinds)}s")
    if batch_run.nothing_usable():
        raise InvalidInput(f"{', '.join(names)}: nothing that {who} supports: {' and '.join(kinds)}s")
    _refuse_inapplicable(values, kinds, found, outputs, hint)
    jobs: list[tuple[Input, Job]] = []
    with destination.without_empty_folders():
        for item in inputs:
            if item.path not in found:
                continue
            with batch_run.guard(item):
                job = prepare(item.path, destination.for_input(item), found[item.path])
                if batch_run.admits(job):
                    jobs.append((item, job))
        batch_run.run(jobs)


def log_renamed(values: dict[str, Any], kinds: Kinds, outputs: OutputOptions) -> None:
    """Log the old names of options among the given values."""
    for old, new in dict.fromkeys(pair for group in kinds.values() for kind in group for pair in renamed_of(kind)):
        if values.get(old) is not None:
            log(f"depth3d: {flag_of(old)} is now {flag_of(new)}", quiet=outputs.quiet)


def renamed_of(kind: type[Any]) -> list[tuple[str, str]]:
    """Return (old name, new name) of the renamed options of a dataclass."""
    return list(getattr(kind, "renamed_fields", {}).items())


def _refuse_inapplicable(
    values: dict[str, Any],
    kinds: Kinds,
    found: dict[Path, str],
    outputs: OutputOptions,
    hint: Callable[[str, str], str] | None,
) -> None:
    """Raise if an option applies to none of the inputs; log options that apply only to some."""
    media = sorted(set(found.values()))
    everywhere = {item.name for kind in (OutputOptions, BatchOptions) for item in fields(kind)}
    new_names = {old: new for group in kinds.values() for kind in group for old, new in renamed_of(kind)}
    for name in dict.fromkeys(new_names.get(name, name) for name in given(values) if not from_settings(name)):
        known = {one: takes(kinds, name, one) for one in media}
        if name in everywhere or not any(_has(kind, name, None) for group in kinds.values() for kind in group):
            continue
        if media and not any(known.values()):
            what = f"{next(iter(found)).name}, a {media[0]}" if len(found) == 1 else f"{media[0]}s"
            more = hint(name, media[0]) if hint is not None else ""
            raise InvalidOption(name, f"does not apply to {what}{more}")
        for one in media:
            if not known[one]:
                log(
                    f"depth3d: {flag_of(name)} does not apply to {one}s and is ignored for them",
                    quiet=outputs.quiet,
                )


def from_settings(name: str) -> bool:
    """Whether the value of an option comes from the user's file of settings; it applies where it can."""
    context = click.get_current_context(silent=True)
    return context is not None and context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


def takes(kinds: Kinds, name: str, media: str) -> bool:
    """Return whether the options of a command for inputs of ``media`` hold one with this name."""
    return any(_has(kind, name, media) for kind in kinds.get(media, ()))


def _has(kind: type[Any], name: str, media: str | None) -> bool:
    if all(item.name != name for item in fields(kind)):
        return False
    return media is None or applies(kind, name, media)
