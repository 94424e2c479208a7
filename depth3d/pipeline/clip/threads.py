"""Pipeline stages in parallel threads: bounded queues, and errors that carry the frame number.

A stage is an iterator. ``prefetch`` runs it in its own thread, a few items ahead of the reader; ``ConsumerThread`` runs
a consumer in its own thread. Stages in between run in the caller's thread, which owns the OpenGL context.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, TypeVar

from depth3d.errors import Depth3DError, VideoError, WriteError

__all__ = ["ConsumerThread", "on_frame", "prefetch"]

T = TypeVar("T")
_POLL_SECONDS = 0.1  # interval at which a waiting thread checks for a stop


class _End:
    """End marker of a queue, with the error that ended it or None."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


@contextmanager
def on_frame(index: int, stage: str) -> Iterator[None]:
    """Convert errors in the block, except those of the disk, to a ``VideoError`` with frame number and stage name."""
    try:
        yield
    except (VideoError, WriteError, MemoryError):
        raise
    except Depth3DError as error:
        raise VideoError(f"{stage}: {error}", index) from error
    except Exception as error:
        raise VideoError(f"{stage} failed: {type(error).__name__}: {error}", index) from error


@contextmanager
def prefetch(items: Iterable[T], size: int, name: str) -> Iterator[Iterator[T]]:
    """Run ``items`` in a thread, at most ``size`` items ahead; leaving the block stops it.

    >>> with prefetch(range(3), 2, "count") as numbers:
    ...     list(numbers)
    [0, 1, 2]
    """
    channel: queue.Queue[T | _End] = queue.Queue(size)
    stop = threading.Event()

    def put(item: T | _End) -> None:
        while not stop.is_set():
            try:
                channel.put(item, timeout=_POLL_SECONDS)
                return
            except queue.Full:
                continue

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    break
        except BaseException as caught:
            error = caught
        finally:
            close = getattr(items, "close", None)
            if close is not None and stop.is_set():
                close()
        put(_End(error))

    def read() -> Iterator[T]:
        while True:
            item = channel.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield read()
    finally:
        stop.set()
        thread.join()


class ConsumerThread(Generic[T]):
    """Call ``consume`` for every item in a thread; ``put`` blocks while ``size`` items are queued.

    A context manager: without an error, leaving it waits until all items are consumed. An error of ``consume`` is
    raised by the next ``put`` or on leaving.
    """

    def __init__(self, consume: Callable[[T], None], size: int, name: str) -> None:
        self._consume = consume
        self._channel: queue.Queue[T | _End] = queue.Queue(size)
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def __enter__(self) -> ConsumerThread[T]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stop.set()
        else:
            self._send(_End())
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def put(self, item: T) -> None:
        """Queue the next item; raises the error of an earlier item, if any."""
        self._send(item)
        if self._error is not None:
            raise self._error

    def _send(self, item: T | _End) -> None:
        while self._thread.is_alive():
            try:
                self._channel.put(item, timeout=_POLL_SECONDS)
                return
            except queue.Full:
                continue

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    item = self._channel.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    continue
                if isinstance(item, _End):
                    return
                self._consume(item)
        except BaseException as error:
            self._error = error
