"""Run a command on many inputs: expand, validate all, run, continue after a failure, print a summary."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
from click.core import ParameterSource

from depth3d.cli.options import build, flag_of, given, in_flags
from depth3d.cli.output import log, print_text, setup_logging
from depth3d.errors import Depth3DError, ExistsError, FlatError, InvalidInput, InvalidOption, in_words
from depth3d.options import BatchOptions, OutputOptions
from depth3d.validation import applies

if TYPE_CHECKING:
    from depth3d.pipeline.clip.space import Space
    from depth3d.pipeline.inputs import Input

__all__ = ["Failed", "Job", "Kinds", "from_settings", "input_arguments", "run_inputs"]

_LISTED = 40  # inputs; of more, the summary lists the failed ones only
Command = TypeVar("Command", bound=Callable[..., Any])
# Media ("photo", "clip") -> the option dataclasses that a command uses for such an input.
Kinds = dict[str, tuple[type[Any], ...]]


class Failed(Depth3DError):
    """Some of several inputs failed; each failure was reported when it happened."""


@dataclass(frozen=True, slots=True)
class Job:
    """A validated conversion of one input.

    Parameters
    ----------
    targets : tuple[Path, ...]
        Files that will be written; may be empty.
    run : Callable[[], None]
        Does the work and prints the result.
    resumes : bool
        Whether existing targets may be those of a stopped run; then ``run`` checks them.
    space : Callable[[], Space] | None
        Estimates the disk space of a clip; None = too little to count.
    """

    targets: tuple[Path, ...]
    run: Callable[[], None]
    resumes: bool = False
    space: Callable[[], Space] | None = None


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
    batch_run = _Batch(len(inputs), outputs, batch)
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
                if batch_run.admits(item.path, job):
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
                    f"depth3d: {flag_of(name)} does not apply to {one}s and is ignored for them",
                    quiet=outputs.quiet,
                )


def from_settings(name: str) -> bool:
    """Whether the value of an option comes from the user's file of settings; it applies where it can."""
    context = click.get_current_context(silent=True)
    return context is not None and context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


def _has(kind: type[Any], name: str, media: str | None) -> bool:
    if all(item.name != name for item in fields(kind)):
        return False
    return media is None or applies(kind, name, media)


class _Batch:
    """Count finished, skipped and failed inputs; report failures of one of several inputs."""

    def __init__(self, count: int, outputs: OutputOptions, batch: BatchOptions) -> None:
        self._count, self._outputs, self._batch = count, outputs, batch
        self._rows: list[tuple[str, Path, str]] = []  # state, input, seconds or reason
        self._path, self._named = Path(), True
        self._running, self._unusable = False, 0
        self._targets: dict[Path, Path] = {}

    def guard(self, item: Input) -> _Batch:
        """Return a context manager that reports the failure of one of several inputs instead of raising."""
        self._path, self._named = item.path, not item.found
        return self

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None or self._count == 1 or not isinstance(error, Exception):
            return False
        if isinstance(error, click.ClickException | BrokenPipeError):
            return False
        if isinstance(error, InvalidOption) and not self._running:
            return False  # an invalid option is invalid for all inputs
        if isinstance(error, FlatError) and not self._named:
            self.skip_unusable("has no second eye")
            return True
        known = error if isinstance(error, Depth3DError) else Depth3DError(describe(error))
        log(f"depth3d: {in_flags(known)}")
        self._note("failed", in_flags(known))
        return True

    def _note(self, state: str, text: str, **facts: Any) -> None:
        self._rows.append((state, self._path, text))
        if self._outputs.json and state != "done" and self._count > 1:
            print_text(json.dumps({"input": str(self._path), "state": state, "reason": text, **facts}))

    def _skip(self, reason: str, **facts: Any) -> None:
        """Leave the current input out, for a reason that is told."""
        log(f"{self._path.name}: skipped, {reason}", quiet=self._outputs.quiet)
        self._note("skipped", reason, **facts)

    def skip_unusable(self, reason: str) -> None:
        """Leave the current input out because the command has no use for it."""
        self._unusable += 1
        self._skip(reason)

    def nothing_usable(self) -> bool:
        """Return whether the command has no use for any of the inputs."""
        return self._unusable == self._count

    def admits(self, path: Path, job: Job) -> bool:
        """Return whether a job is to be run; False = skip it. Raises ``ExistsError`` for existing targets."""
        from depth3d.io.atomic import refuse_existing

        for target in job.targets:
            other = self._targets.setdefault(target.resolve(), path)
            if other != path:
                raise ExistsError(target, f"is already the output of {other.name}; set another name with `output`")
        if self._batch.skip_existing and job.targets and all(target.exists() for target in job.targets):
            self._skip(f"{job.targets[0].name} exists", output=str(job.targets[0]))
            return False
        for target in job.targets:
            refuse_existing(target, force=self._outputs.force or job.resumes)
        return True

    def run(self, jobs: list[tuple[Input, Job]]) -> None:
        """Run all jobs, then print a summary; raises ``Failed`` if any failed."""
        self._running = True
        self._check_space([job.space for _, job in jobs if job.space is not None])
        try:
            for item, job in jobs:
                with self.guard(item):
                    began = time.monotonic()
                    job.run()
                    self._note("done", f"{time.monotonic() - began:.1f} s")
        except KeyboardInterrupt:
            if self._count > 1:
                log(f"depth3d: stopped after {self._number('done')} of {self._count} inputs", quiet=self._outputs.quiet)
            raise
        if self._count > 1:
            self._summarize()

    def _check_space(self, estimates: Sequence[Callable[[], Space]]) -> None:
        """Tell the disk space of all clips together; raise if it cannot suffice. Unreadable clips fail later."""
        if len(estimates) < 2:
            return
        from depth3d.pipeline.clip.space import check_batch

        spaces = []
        for estimate in estimates:
            with suppress(Depth3DError):
                spaces.append(estimate())
        if spaces:
            check_batch(spaces)

    def _number(self, state: str) -> int:
        return sum(row[0] == state for row in self._rows)

    def _summarize(self) -> None:
        """Log one line per input (of many: per failed input) and the counts; raises ``Failed`` if any failed."""
        done, failed = self._number("done"), self._number("failed")
        width = max((len(path.name) for _, path, _ in self._rows), default=0)
        for state, path, text in self._rows:
            if state == "failed" or len(self._rows) <= _LISTED:
                log(f"{state:8}{path.name:{width}}  {text.removeprefix(f'{path}: ')}", quiet=self._outputs.quiet)
        skipped = f", {self._number('skipped')} skipped" if self._number("skipped") else ""
        if failed:
            raise Failed(f"{failed} of {self._count} inputs failed, {done} done{skipped}")
        if self.nothing_usable():
            raise Failed(f"none of {self._count} inputs could be used")
        log(f"{self._count} inputs: {done} done{skipped}", quiet=self._outputs.quiet)


def describe(error: Exception) -> str:
    """Describe an unexpected error in one line."""
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller `size`"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{in_words(error).lower()}"
    return f"unexpected {type(error).__name__}: {error} (a bug; DEPTH3D_TRACEBACK=1 shows where)"
