"""The worker process of the studio: it owns the OpenGL context and keeps the depth network loaded.

The server talks to it over a pipe. Tasks have two lanes, so that a page stays quick while a clip is converted: short
tasks (open a file, build the 3D view) run in two threads; long ones (write files) run one at a time in the main thread,
where a signal can stop them as Ctrl-C does. Both render through the one render thread of ``depth3d.render``.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from depth3d.errors import Depth3DError, in_words

__all__ = ["Report", "plain_message", "run_worker"]

# Called by a task with anything that can be sent to the page as JSON.
Report = Callable[[dict[str, Any]], None]
_SHORT_THREADS = 2  # a stroke of the brush need not wait until a 3D view is built
# Modules with a table TASKS: name -> function(arguments, report).
_TABLES = ("depth3d.studio.scenes", "depth3d.studio.products", "depth3d.studio.clips", "depth3d.studio.strokes")


def run_worker(connection: Connection) -> None:
    """Run tasks from the pipe until the server sends "quit" or ends; the entry point of the worker process."""
    _Worker(connection).run()


def plain_message(error: BaseException) -> str:
    """Return the message of an error for the page: one line, without Python's marks.

    Parameters
    ----------
    error : BaseException
        What a task raised.
    """
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller size"
    if isinstance(error, Depth3DError):
        return " ".join(str(error).replace("`", "").split())
    if isinstance(error, OSError):
        return f"{error.filename}: {in_words(error)}" if error.filename else in_words(error)
    return f"unexpected {type(error).__name__}: {error} (a bug; the terminal shows where)"


class _Worker:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._short: queue.Queue[tuple[int, str, dict[str, Any]] | None] = queue.Queue()
        self._long: queue.Queue[tuple[int, str, dict[str, Any]] | None] = queue.Queue()
        self._cancelled: set[int] = set()
        self._running: int | None = None  # the long task

    def run(self) -> None:
        # Ctrl-C in the terminal reaches this process, too; the server decides what happens then.
        signal.signal(signal.SIGINT, self._interrupt)
        logging.getLogger("depth3d").setLevel(logging.INFO)
        threading.Thread(target=self._listen, name="depth3d-studio-listen", daemon=True).start()
        for number in range(_SHORT_THREADS):
            name = f"depth3d-studio-short-{number}"
            threading.Thread(target=self._work_short, name=name, daemon=True).start()
        while (task := self._long.get()) is not None:
            self._run_long(*task)
        from depth3d.render.context import close

        close()

    def _listen(self) -> None:
        """Receive messages; the end of the pipe means that the server has gone."""
        try:
            while (message := self._connection.recv())[0] != "quit":
                kind, task = message[0], message[1]
                if kind == "cancel":
                    self._cancelled.add(task)
                    self._wake(task)
                else:
                    _, _, lane, name, arguments = message
                    (self._long if lane == "long" else self._short).put((task, name, arguments))
        except (EOFError, OSError):
            pass
        running = self._running
        if running is not None:
            self._cancelled.add(running)
            self._wake(running)
        for _ in range(_SHORT_THREADS):
            self._short.put(None)
        self._long.put(None)

    def _wake(self, task: int) -> None:
        """Interrupt the main thread if it runs this task."""
        if self._running != task:
            return
        main = threading.main_thread().ident
        if hasattr(signal, "pthread_kill") and main is not None:
            signal.pthread_kill(main, signal.SIGINT)
        else:
            signal.raise_signal(signal.SIGINT)

    def _interrupt(self, number: int, frame: object) -> None:
        if self._running is not None and self._running in self._cancelled:
            self._cancelled.discard(self._running)  # once: cleaning up must not be interrupted
            raise KeyboardInterrupt

    def _work_short(self) -> None:
        while (task := self._short.get()) is not None:
            self._run(*task)

    def _run_long(self, number: int, name: str, arguments: dict[str, Any]) -> None:
        if number in self._cancelled:
            self._send("cancelled", number, None)
            return
        try:
            self._running = number
            self._run(number, name, arguments)
        except KeyboardInterrupt:  # between two statements of this method
            self._send("cancelled", number, None)
        finally:
            self._running = None

    def _run(self, number: int, name: str, arguments: dict[str, Any]) -> None:
        try:
            result = _task(name)(arguments, lambda facts: self._send("progress", number, facts))
        except KeyboardInterrupt:
            self._send("cancelled", number, None)
        except BaseException as error:
            if not isinstance(error, Depth3DError | OSError | MemoryError):
                traceback.print_exc(file=sys.stderr)
            self._send("failed", number, plain_message(error))
        else:
            self._send("done", number, result)

    def _send(self, kind: str, number: int, content: Any) -> None:
        try:
            with self._sending:
                self._connection.send((kind, number, content))
        except OSError:  # the server has gone
            os._exit(1)


def _task(name: str) -> Callable[[dict[str, Any], Report], Any]:
    for module in _TABLES:
        found: Callable[[dict[str, Any], Report], Any] | None = import_module(module).TASKS.get(name)
        if found is not None:
            return found
    raise ValueError(f"no task is called {name!r}")
