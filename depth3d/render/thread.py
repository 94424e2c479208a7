"""The render thread: the one thread that owns the OpenGL context. Every GPU operation is a job for it.

An OpenGL context is current in one thread only; calls from another thread have no effect and give no error. Public
functions therefore submit their work to this thread and wait for it. Jobs run one at a time, in the order of the calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from depth3d.errors import ContextError
from depth3d.forkguard import ForkGuard

__all__ = ["RenderThread"]

P = ParamSpec("P")
Result = TypeVar("Result")
_Job = tuple[Callable[[], Any], "Future[Any]"]


class RenderThread:
    """A worker thread for jobs, started with the first job.

    Parameters
    ----------
    after_job : Callable[[], None]
        Called in the thread after every job, whether it failed or not.
    """

    def __init__(self, after_job: Callable[[], None]) -> None:
        self._after_job = after_job
        self._lock = threading.Lock()
        self._guard = ForkGuard("the OpenGL context", ContextError)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self.ended = False  # the interpreter is shutting down: a new thread would never run

    def is_current(self) -> bool:
        """True if the caller runs in the render thread."""
        return threading.current_thread() is self._thread

    def run(self, function: Callable[P, Result], *arguments: P.args, **named: P.kwargs) -> Result:
        """Call ``function`` in the render thread; wait for it, return its result or raise its exception.

        Raises ``ContextError`` in a forked child of a process that has rendered.
        """
        if self.is_current():
            self._guard.check()
            return function(*arguments, **named)
        return self.submit(function, *arguments, **named).result()

    def submit(self, function: Callable[P, Result], *arguments: P.args, **named: P.kwargs) -> Future[Result]:
        """Queue a call of ``function`` for the render thread, without waiting; not for jobs of that thread.

        Raises ``ContextError`` in a forked child of a process that has rendered.
        """
        self._guard.check()
        done: Future[Result] = Future()
        with self._lock:
            if self.ended:
                raise ContextError("the interpreter is shutting down: no more pictures can be rendered")
            if self._thread is None:
                # A daemon: a program must be able to end while a generator of frames is still open.
                self._thread = threading.Thread(target=self._work, name="depth3d-render", daemon=True)
                self._thread.start()
            self._jobs.put((lambda: function(*arguments, **named), done))
        return done

    def stop(self, last: Callable[[], None]) -> None:
        """Run the waiting jobs, then ``last``, and end the thread; the next job starts another one."""
        if self._thread is not None:
            self._guard.check()
        if self.is_current():
            raise ContextError("the render thread cannot be closed by one of its own jobs")
        with self._lock:
            thread = self._thread
            if thread is None:
                return
            done: Future[None] = Future()
            self._jobs.put((last, done))
            self._jobs.put(None)
            thread.join()
            self._thread = None
        done.result()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, done = job
            try:
                try:
                    result = work()
                finally:
                    self._after_job()
            except BaseException as error:  # raised again in the calling thread
                done.set_exception(error)
            else:
                done.set_result(result)
            # Drop all references to the finished job before waiting for the next one.
            result = work = done = job = None  # type: ignore[assignment]
