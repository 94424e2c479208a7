"""One way to run many inputs: expand, check everything, run, go on after a failure, sum up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from depth3d.cli.options import build, flag_of, given, in_flags
from depth3d.cli.output import log, setup_logging
from depth3d.errors import Depth3DError, ExistsError, InvalidInput, InvalidOption
from depth3d.options import BatchOptions, OutputOptions
from depth3d.validation import applies

__all__ = ["Failed", "Job", "Kinds", "input_arguments", "run_inputs"]

Command = TypeVar("Command", bound=Callable[..., Any])
# Media ("photo", "clip") -> the option dataclasses that a command uses for such an input.
Kinds = dict[str, tuple[type[Any], ...]]


class Failed(Depth3DError):
    """Some of several inputs failed; each failure was reported when it happened."""


@dataclass(frozen=True, slots=True)
class Job:
    """One input that was checked and can run.

    Parameters
    ----------
    targets : tuple[Path, ...]
        Files that will be written; empty if none is.
    run : Callable[[], None]
        Does the work and prints the result.
    resumes : bool
        Existing targets may be those of a stopped run; ``run`` refuses what has to be.
    """

    targets: tuple[Path, ...]
    run: Callable[[], None]
    resumes: bool = False


def input_arguments(metavar: str, results: str) -> Callable[[Command], Command]:
    """Decorate a click command with its inputs and ``-o``; ``results`` names what is written."""

    def decorate(command: Command) -> Command:
        text = f"{results}, or a folder for the results (FOLDER/; made if missing)."
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
    results: bool = False,
) -> None:
    """Run a command on all inputs.

    Everything is checked before the first input runs: names, targets and options. A failure of one input of several
    is reported and the next one runs.

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
        Which options apply to photos, which to clips.
    prepare : Callable[[Path, Path | None, str], Job]
        Checks one input, without heavy work: (path, output, "photo" or "clip") -> job.
    hint : Callable[[str, str], str] | None
        What to do instead, for an option that does not apply: (name, media) -> text.
    results : bool
        Folders: also take the results of earlier runs.
    """
    outputs, batch = build(OutputOptions, values), build(BatchOptions, values)
    log_renamed(values, kinds, outputs)
    setup_logging(quiet=outputs.quiet)
    from depth3d.pipeline.inputs import Destination, expand, media_of

    inputs = expand(names, recursive=batch.recursive, results=results)
    destination = Destination.of(output, len(inputs))
    batch_run = _Batch(len(inputs), outputs, batch)
    found: dict[Path, str] = {}
    for item in inputs:
        with batch_run.guard():
            media = media_of(item.path)
            if media not in kinds:
                raise InvalidInput(f"{item.path} is a {media}; this command takes {' and '.join(kinds)}s")
            found[item.path] = media
    _refuse_inapplicable(values, kinds, found, outputs, hint)
    jobs: list[Job] = []
    for item in inputs:
        if item.path not in found:
            continue
        with batch_run.guard():
            job = prepare(item.path, destination.for_input(item), found[item.path])
            if batch_run.admits(item.path, job):
                jobs.append(job)
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
    """Refuse an option that applies to none of the inputs; log one that applies to some only."""
    media = sorted(set(found.values()))
    everywhere = {item.name for kind in (OutputOptions, BatchOptions) for item in fields(kind)}
    new_names = {old: new for group in kinds.values() for kind in group for old, new in renamed_of(kind)}
    for name in dict.fromkeys(new_names.get(name, name) for name in given(values)):
        known = {one: any(_has(kind, name, one) for kind in kinds.get(one, ())) for one in media}
        if name in everywhere or not any(_has(kind, name, None) for group in kinds.values() for kind in group):
            continue
        if media and not any(known.values()):
            what = f"{next(iter(found)).name}, a {media[0]}" if len(found) == 1 else f"{media[0]}s"
            more = hint(name, media[0]) if hint is not None else ""
            raise InvalidOption(name, f"does not apply to {what}{more}")
        for one in media:
            if not known[one]:
                log(
                    f"depth3d: {flag_of(name)} does not apply to {one}s; they run without it",
                    quiet=outputs.quiet,
                )


def _has(kind: type[Any], name: str, media: str | None) -> bool:
    if all(item.name != name for item in fields(kind)):
        return False
    return media is None or applies(kind, name, media)


class _Batch:
    """Counts what was done, skipped and failed, and reports failures of several inputs."""

    def __init__(self, count: int, outputs: OutputOptions, batch: BatchOptions) -> None:
        self._count, self._outputs, self._batch = count, outputs, batch
        self._errors: list[Depth3DError] = []
        self._done = self._skipped = 0
        self._running = False
        self._targets: dict[Path, Path] = {}

    def guard(self) -> _Batch:
        """Return a context manager that turns the failure of one of several inputs into a report."""
        return self

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None or self._count == 1 or not isinstance(error, Exception):
            return False
        if isinstance(error, click.ClickException | BrokenPipeError):
            return False
        if isinstance(error, InvalidOption) and not self._running:
            return False  # a wrong option is wrong for the whole run
        known = error if isinstance(error, Depth3DError) else Depth3DError(describe(error))
        self._errors.append(known)
        log(f"depth3d: {in_flags(known)}")
        return True

    def admits(self, path: Path, job: Job) -> bool:
        """Return whether a job shall run; False to skip it. Raises ``ExistsError`` for existing targets."""
        from depth3d.io.atomic import refuse_existing

        if self._batch.skip_existing and job.targets and all(target.exists() for target in job.targets):
            self._skipped += 1
            log(f"{path.name}: skipped, {job.targets[0].name} exists", quiet=self._outputs.quiet)
            return False
        for target in job.targets:
            other = self._targets.setdefault(target.resolve(), path)
            if other != path:
                raise ExistsError(target, f"is the result of {other.name} already; name another with `output`")
            refuse_existing(target, force=self._outputs.force or job.resumes)
        return True

    def run(self, jobs: list[Job]) -> None:
        """Run the jobs one after the other, then sum up; raises ``Failed`` after a failure."""
        self._running = True
        try:
            for job in jobs:
                with self.guard():
                    job.run()
                    self._done += 1
        except KeyboardInterrupt:
            if self._count > 1:
                log(f"depth3d: stopped after {self._done} of {self._count} inputs", quiet=self._outputs.quiet)
            raise
        if self._count == 1:
            return
        skipped = f", {self._skipped} skipped" if self._skipped else ""
        if self._errors:
            raise Failed(f"{len(self._errors)} of {self._count} inputs failed, {self._done} done{skipped}")
        log(f"{self._count} inputs: {self._done} done{skipped}", quiet=self._outputs.quiet)


def describe(error: Exception) -> str:
    """Return an unforeseen error as one line."""
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller `size`"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{(error.strerror or str(error)).lower()}"
    return f"unexpected {type(error).__name__}: {error} (a bug; DEPTH3D_TRACEBACK=1 shows where)"
