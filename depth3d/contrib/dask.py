"""Run the parts of a clip conversion on many machines with Dask distributed (``pip install "depth3d[dask]"``).

``connect("tcp://scheduler:8786")`` uses a running cluster (``dask scheduler``, and ``dask worker`` on every machine);
``connect("local:4")`` starts four processes here. Dask distributes the parts, repeats those of lost workers and does
all the scheduling; every worker keeps its network in memory between parts. A scheduler that was restarted is found
again within a minute; processes of this machine that were lost are started again; a cluster that has had no worker for
two minutes ends the run with an error. Trust the network: whoever reaches a Dask scheduler can run any program on its
workers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

from depth3d.errors import InvalidOption, VideoError
from depth3d.options.cluster import ClusterOptions, as_cluster

__all__ = ["DaskRunner", "connect"]

log = logging.getLogger("depth3d.video")

_PATIENCE = 60  # seconds to wait for a scheduler and its first worker
_ALONE = 120  # seconds to wait for a worker during a run
_SHORT_HANDED = 30  # seconds with too few processes of this machine; Dask gives up those that do not restart in 15 s
_AGAIN = 4  # times that all processes of this machine are started again while no part ends
_LOOK = 5  # seconds between looks at the workers while nothing ends
_LOST = ("cancelled", "lost")


def connect(cluster: str, *, ship: bool = False) -> DaskRunner:
    """Return a runner for ``depth3d.convert(..., runner=runner)``; a context manager.

    Raises ``InvalidOption`` without Dask or for an unknown address, ``VideoError`` if no scheduler or worker answers.

    Parameters
    ----------
    cluster : str
        "tcp://host:port" of a scheduler, or "local:N" for N processes on this machine.
    ship : bool
        The workers see no common storage: the packets of a part's frames are sent with it, its results come back, all
        through the scheduler.
    """
    options = ClusterOptions(as_cluster("cluster", cluster), ship=ship)
    return DaskRunner(str(options.cluster), ship=options.ship)


class DaskRunner:
    """Runs functions on the workers of a Dask cluster; follows `depth3d.pipeline.clip.parallel.runner.Runner`."""

    def __init__(self, cluster: str, *, ship: bool = False) -> None:
        try:
            import distributed
        except ImportError:
            raise InvalidOption("cluster", 'needs Dask: pip install "depth3d[dask]"') from None
        self._dask: Any = distributed
        self._address, self._ships = cluster, ship
        self._local: Any = None
        self._client: Any = None
        self._live: weakref.WeakSet[_Part] = weakref.WeakSet()
        self._count = int(cluster.partition(":")[2]) if cluster.startswith("local:") else 0
        self._looked = 0.0  # when the workers were last looked at
        self._missing: float | None = None  # since when processes are missing, or all workers
        self._again = 0  # how often all processes were started again since the last part ended

    def __enter__(self) -> DaskRunner:
        try:
            self._open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._close(_PATIENCE / 2)

    @property
    def width(self) -> int:
        """Number of parts that run at once: threads of all workers."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    @property
    def ships(self) -> bool:
        """Whether parts are sent with the bytes that they need."""
        return self._ships

    def submit(self, function: Callable[..., Any], *arguments: Any) -> _Part:
        """Start ``function(*arguments)`` on a worker."""
        part = _Part(self, function, arguments)
        part.start()
        self._live.add(part)
        return part

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Call ``function(*arguments)`` once in every worker; return worker address -> result.

        Raises ``VideoError`` if there is no worker, or one is lost meanwhile.
        """
        try:
            found: dict[str, Any] = self._client.run(function, *arguments)
        except OSError as error:
            raise VideoError(
                f"{self._address}: a worker was lost while it was asked ({error}); run the same command again"
            ) from error
        if not found:
            raise VideoError(f"{self._address}: no worker is connected; start one and run the same command again")
        return found

    def completed(self, parts: dict[Any, int]) -> Iterator[tuple[Any, int]]:
        """Yield (result, number) of all parts, in the order in which they end."""
        waiting = dict(parts)
        while waiting:
            tasks = {part.future: part for part in waiting}
            for future in self._ended(list(tasks)):
                part = tasks[future]
                if future.status == "cancelled":  # the scheduler is gone: all parts are started again together
                    self.reopen(future)
                    break
                yield part.result(), waiting.pop(part)

    def fetch(self, future: Any) -> Any:
        """Wait for the result of a task and return it.

        Raises its error, ``VideoError`` if no worker is left, ``CancelledError`` if all parts were started again.
        """
        result = self._client.gather(future, asynchronous=True)  # repeats what was lost with a worker
        fetched = asyncio.run_coroutine_threadsafe(result, self._client.loop.asyncio_loop)
        try:
            while not futures.wait([fetched], timeout=min(1, _LOOK)).done:
                if self._tend():
                    raise futures.CancelledError
            return fetched.result()
        finally:
            fetched.cancel()

    def _ended(self, waiting: list[Any]) -> Iterator[Any]:
        """Yield futures in the order in which they end; stop early if all parts were started again."""
        client = self._client
        watched = self._dask.as_completed(waiting, loop=client.loop)
        while not watched.is_empty():
            if watched.has_ready():
                yield next(watched)
            else:
                time.sleep(0.02)
            if self._tend() or self._client is not client:
                return

    def start(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Return the future of a new task."""
        import dask

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):  # packets of a 4K film
            return self._client.submit(function, *arguments, pure=False)

    def reopen(self, lost: Any) -> None:
        """Connect again after the scheduler was lost with the future ``lost``; start all unfinished parts again."""
        if all(part.future is not lost for part in self._live):
            return  # done already for another part
        log.warning("the scheduler %s is gone; waiting for it up to %d s", self._address, _PATIENCE)
        self._begin_again()

    def finished(self, part: _Part) -> None:
        """Forget a part that has its result."""
        self._live.discard(part)
        self._again = 0

    def _close(self, patience: float) -> None:
        # On a busy machine they log tracebacks of processes that end too slowly, and that these are killed.
        loggers = [logging.getLogger(name) for name in ("tornado.application", "distributed.nanny")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            for opened in (self._client, self._local):
                if opened is not None:
                    try:
                        opened.close(timeout=patience)
                    except OSError:  # a time-out: the processes that do not end in time are killed
                        log.debug("a process of the cluster did not end in time")
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
        self._client = self._local = None

    def _begin_again(self) -> None:
        self._close(1 if self._local is None else _SHORT_HANDED)
        self._open()
        for part in list(self._live):
            part.start()

    def _tend(self) -> bool:
        """Look after the workers; return whether lost processes of this machine, and all parts, were started again.

        Raises ``VideoError`` if there was no worker for too long.
        """
        now = time.monotonic()
        if now < self._looked + _LOOK:
            return False
        self._looked = now
        try:
            connected = len(self._client.nthreads())
        except OSError:  # the scheduler is gone: its futures are lost soon, then it is waited for
            return False
        if connected >= max(1, self._count):
            self._missing = None
            return False
        self._missing = now if self._missing is None else self._missing
        if self._count and now > self._missing + _SHORT_HANDED:
            self._again += 1
            if self._again > _AGAIN:
                raise VideoError(
                    f"{self._address}: the processes of this machine end again and again (memory?); fewer of them may"
                    " do. Finished parts are kept: the same command goes on"
                )
            log.warning("%s: only %d processes are left; starting all again", self._address, connected)
            self._begin_again()
            return True
        if not self._count and now > self._missing + _ALONE:
            raise VideoError(
                f"{self._address}: no worker was connected for {now - self._missing:.0f} s; start workers (their logs"
                " say why they ended; memory?). Finished parts are kept: the same command goes on"
            )
        return False

    def _open(self) -> None:
        self._missing = None
        if self._count:
            self._local = self._start_processes(self._count)
        place = self._local if self._local is not None else self._address
        try:
            logging.getLogger("asyncio").addFilter(_told)  # once: a filter that is there is not added again
            self._client = self._dask.Client(place, timeout=_PATIENCE, set_as_default=False)
            self._client.wait_for_workers(1, timeout=_PATIENCE)
        except (OSError, TimeoutError) as error:
            what = "no scheduler answers" if self._client is None else "no worker is connected to this scheduler"
            raise VideoError(f"{self._address}: {what}; start it and run the same command again") from error

    def _start_processes(self, count: int) -> Any:
        # One frame is drawn by several threads: without a share each, the processes would fight for the cores.
        share = str(max(1, len(os.sched_getaffinity(0)) // count)) if hasattr(os, "sched_getaffinity") else "1"
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LP_NUM_THREADS")
        env = {name: os.environ.get(name, share) for name in names}
        try:
            return self._dask.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                dashboard_address=":0",  # any free port: a second cluster would warn about the usual one
                memory_limit=0,
                env=env,
                silence_logs=logging.ERROR,
            )
        except (OSError, RuntimeError) as error:
            raise VideoError(
                f"{self._address}: the processes do not start ({error}); memory? Finished parts are kept: the same"
                " command goes on"
            ) from error


def _told(record: logging.LogRecord) -> bool:
    """Whether a message of asyncio is none about tasks that ``distributed`` leaves behind when it is interrupted."""
    text = record.getMessage()
    return not ("never retrieved" in text and "distributed" in text)


class _Part:
    """A task of the cluster; started again if the scheduler was lost."""

    def __init__(self, runner: DaskRunner, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._runner, self._function, self._arguments = runner, function, arguments
        self.future: Any = None

    def start(self) -> None:
        """Hand the task to the cluster."""
        self.future = self._runner.start(self._function, self._arguments)

    def result(self) -> Any:
        """Wait for the result and return it.

        Raises the error of the function, ``VideoError`` if workers died again and again on this part.
        """
        from distributed import KilledWorker

        while True:
            lost = self.future
            try:
                found = self._runner.fetch(lost)
            except KilledWorker as error:
                raise VideoError("several workers died on one part; look at their logs (memory?)") from error
            except (futures.CancelledError, OSError):
                if lost is self.future:
                    if lost.status not in _LOST:
                        raise
                    self._runner.reopen(lost)
                continue
            self._runner.finished(self)
            return found
