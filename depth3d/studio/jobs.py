"""The server's side of the worker process: start it, send tasks, hand out progress, replace it if it dies."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal

from depth3d.errors import Depth3DError
from depth3d.studio.estimate import Estimate
from depth3d.studio.worker import run_worker

__all__ = ["Job", "Jobs", "TaskFailed"]

State = Literal["waiting", "running", "done", "failed", "cancelled"]
_DIED = "the worker process ended unexpectedly (out of memory?); it was started again"
_KEPT = 200  # finished jobs that the page still lists
_PATIENCE = 15.0  # seconds for the worker to stop a long task cleanly at exit


class TaskFailed(Depth3DError):
    """A task of the worker process failed; the message is for the user."""


@dataclass(slots=True)
class Job:
    """One long task, as the page shows it.

    Parameters
    ----------
    number : int
        Unique in this server.
    title : str
        What is written, for people.
    task : str
        Name of the worker's task.
    arguments : dict[str, Any]
        What the task gets.
    item : str
        The photo or clip it belongs to.
    state : State
        Waiting in the queue, running, or how it ended.
    done, total : int
        Steps done and in all, 0 = not known.
    started, seconds : float
        Clock of its start; seconds it has taken.
    message : str
        Error or note.
    cost : tuple[str, float]
        Kind and work, for the estimate of its time.
    files : list[str]
        Paths written.
    resumed : bool
        Whether it goes on where another job was stopped.
    """

    number: int
    title: str
    task: str
    arguments: dict[str, Any]
    item: str
    cost: tuple[str, float]
    state: State = "waiting"
    done: int = 0
    total: int = 0
    started: float = 0.0
    seconds: float = 0.0
    message: str = ""
    files: list[str] = field(default_factory=list)
    resumed: bool = False

    def facts(self) -> dict[str, Any]:
        """Return what the page needs, as JSON."""
        took = time.monotonic() - self.started if self.state == "running" else self.seconds
        left = None
        if self.state == "running" and self.total and self.done >= 3:
            left = round(took * (self.total - self.done) / self.done, 1)
        names = [path.replace("\\", "/").rsplit("/", 1)[-1] for path in self.files]
        return {
            **{name: getattr(self, name) for name in ("number", "title", "item", "state", "done", "total", "message")},
            **{"seconds": round(took, 1), "left": left, "files": names},
            "output": self.arguments.get("output", ""),
            **{"resumable": self.task == "clip", "preview": self.task == "clip_preview"},
        }


class Jobs:
    """Queue of tasks for the one worker process, and the events that the pages listen to.

    Use it inside a running event loop: ``start``, then ``ask`` and ``submit``, at the end ``stop``.
    """

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self.estimate = Estimate()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._listeners: set[asyncio.Queue[dict[str, Any]]] = set()
        self._process: Any = None
        self._connection: Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the worker process."""
        self._loop = asyncio.get_running_loop()
        context = multiprocessing.get_context("spawn")  # a fork after OpenGL or torch hangs
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=run_worker, args=(theirs,), name="depth3d-studio-worker", daemon=False)
        self._process.start()
        theirs.close()
        threading.Thread(target=self._receive, args=(self._connection, self._loop), daemon=True).start()

    async def stop(self) -> None:
        """Stop the running task as Ctrl-C does, and end the worker process."""
        self._stopping = True
        for future in self._answers.values():
            future.cancel()
        for listener in self._listeners:
            listener.put_nowait({"kind": "end"})
        with contextlib.suppress(OSError):
            if self._connection is not None:
                self._connection.send(("quit",))
        await asyncio.to_thread(self._process.join, _PATIENCE)
        if self._process.is_alive():
            self._process.kill()

    async def ask(self, task: str, arguments: dict[str, Any]) -> Any:
        """Run a short task and return its result. Raises ``TaskFailed`` with a message for the user.

        Parameters
        ----------
        task : str
            Name of the task.
        arguments : dict[str, Any]
            What it gets.
        """
        number = next(self._numbers)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        try:
            self._send(("run", number, "short", task, arguments))
            return await future
        finally:
            self._answers.pop(number, None)

    def submit(self, task: str, arguments: dict[str, Any], title: str, item: str, cost: tuple[str, float]) -> Job:
        """Put a long task into the queue.

        Parameters
        ----------
        task : str
            Name of the task.
        arguments : dict[str, Any]
            What it gets.
        title : str
            What is written, for people.
        item : str
            The photo or clip it belongs to.
        cost : tuple[str, float]
            Kind and work, for the estimate of its time.
        """
        job = Job(next(self._numbers), title, task, arguments, item, cost)
        self.jobs[job.number] = job
        for old in [one.number for one in self.jobs.values() if one.state not in ("waiting", "running")][:-_KEPT]:
            del self.jobs[old]
        self._send(("run", job.number, "long", task, arguments))
        self._tell(job)
        return job

    def cancel(self, job: Job) -> None:
        """Stop a job; a clip keeps its finished part and can go on later."""
        if job.state in ("waiting", "running"):
            self._send(("cancel", job.number))

    def tell(self, event: dict[str, Any]) -> None:
        """Send an event to every open page."""
        for listener in self._listeners:
            listener.put_nowait(event)

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Yield events until the server stops; first the present state of all jobs."""
        listener: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            for job in self.jobs.values():
                yield {"kind": "job", **job.facts()}
            while not self._stopping:
                try:
                    event = await asyncio.wait_for(listener.get(), 15)
                except TimeoutError:
                    event = {"kind": "alive"}
                if event["kind"] == "end":
                    return
                yield event
        finally:
            self._listeners.discard(listener)

    def _send(self, message: tuple[Any, ...]) -> None:
        if self._connection is None:
            raise TaskFailed("the studio is not running")
        try:
            self._connection.send(message)
        except OSError as error:
            raise TaskFailed(_DIED) from error

    def _tell(self, job: Job) -> None:
        self.tell({"kind": "job", **job.facts()})

    def _receive(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            try:
                while True:
                    loop.call_soon_threadsafe(self._handle, *connection.recv())
            except (EOFError, OSError):
                loop.call_soon_threadsafe(self._died, connection)

    def _handle(self, kind: str, number: int, content: Any) -> None:
        answer = self._answers.get(number)
        if answer is not None and not answer.done():
            if kind == "done":
                answer.set_result(content)
            elif kind in ("failed", "cancelled"):
                answer.set_exception(TaskFailed(content or "stopped"))
        job = self.jobs.get(number)
        if job is None:
            return
        if job.state == "waiting":
            job.state, job.started = "running", time.monotonic()
        if kind == "progress":
            job.done, job.total = content.get("done", job.done), content.get("total", job.total)
            job.message = content.get("message", job.message)
        else:
            job.seconds = time.monotonic() - job.started
            job.state = kind  # type: ignore[assignment]
            job.message = content if kind == "failed" else job.message
            job.files = list(content["files"]) if kind == "done" else []
            if kind == "done" and not job.resumed:
                self.estimate.learn(*job.cost, job.seconds)
        self._tell(job)

    def _died(self, connection: Connection) -> None:
        if self._stopping or connection is not self._connection:
            return
        for future in self._answers.values():
            if not future.done():
                future.set_exception(TaskFailed(_DIED))
        for job in self.jobs.values():
            if job.state in ("waiting", "running"):
                job.state, job.message = "failed", _DIED
                self._tell(job)
        self.start()
