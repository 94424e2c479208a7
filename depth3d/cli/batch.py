"""The inputs of a command, one after the other: go on after a failure, skip what cannot be used, print a summary."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depth3d.cli.options import in_flags
from depth3d.cli.output import log, print_text
from depth3d.errors import Depth3DError, ExistsError, FlatError, InvalidOption, in_words
from depth3d.options import BatchOptions, OutputOptions

if TYPE_CHECKING:
    from depth3d.pipeline.clip.space import Space
    from depth3d.pipeline.inputs import Input

__all__ = ["Batch", "Failed", "Job", "describe"]

_LISTED = 40  # inputs; of more, the summary lists the failed ones only


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


class Batch:
    """Count finished, skipped and failed inputs; report failures of one of several inputs."""

    def __init__(self, count: int, outputs: OutputOptions, batch: BatchOptions) -> None:
        self._count, self._outputs, self._batch = count, outputs, batch
        self._rows: list[tuple[str, Path, str]] = []  # state, input, seconds or reason
        self._path, self._named = Path(), True
        self._running, self._unusable = False, 0
        self._targets: dict[Path, Path] = {}

    def guard(self, item: Input) -> Batch:
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

    def admits(self, job: Job) -> bool:
        """Return whether the current input's job is to be run, False = skip it; raises ``ExistsError``."""
        from depth3d.io.atomic import refuse_existing

        for target in job.targets:
            other = self._targets.setdefault(target.resolve(), self._path)
            if other != self._path:
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
