"""Stages in threads: order, bounds, errors, stopping."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from depth3d.errors import InvalidInput, VideoError
from depth3d.pipeline.clip.threads import ConsumerThread, on_frame, prefetch


def test_items_come_in_order_and_never_too_many_ahead() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for n in range(50):
            made.append(n)
            yield n

    with prefetch(numbers(), 3, "count") as items:
        for n in items:
            # One in hand, three waiting, one about to be put.
            assert len(made) <= n + 1 + 3 + 1
            assert made[n] == n
    assert len(made) == 50


def test_an_error_arrives_behind_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield from range(3)
        raise VideoError("no more", 3)

    seen = []
    with pytest.raises(VideoError, match="frame 3: no more"), prefetch(broken(), 2, "x") as items:
        seen += list(items)
    with prefetch(broken(), 2, "x") as items:
        assert [next(items) for _ in range(3)] == [0, 1, 2]


def test_leaving_early_stops_the_thread() -> None:
    before = threading.active_count()

    def endless() -> Iterator[int]:
        while True:
            yield 1

    with prefetch(endless(), 2, "x") as first, prefetch(first, 2, "y") as second:
        next(second)
    assert threading.active_count() == before


def test_behind_consumes_all_in_order() -> None:
    seen: list[int] = []
    with ConsumerThread(seen.append, 2, "x") as consumer:
        for n in range(20):
            consumer.put(n)
    assert seen == list(range(20))


def test_an_error_of_the_consumer_reaches_the_producer() -> None:
    def fail(n: int) -> None:
        if n == 2:
            raise VideoError("full", n)

    def produce() -> None:
        with ConsumerThread(fail, 1, "x") as consumer:
            for n in range(1000):
                consumer.put(n)
                time.sleep(0.001)

    with pytest.raises(VideoError, match="frame 2"):
        produce()


def test_errors_get_the_number_of_their_frame() -> None:
    with pytest.raises(VideoError, match="frame 7: draw: wrong") as caught, on_frame(7, "draw"):
        raise InvalidInput("wrong")
    assert caught.value.frame == 7
    with pytest.raises(VideoError, match="frame 8: smooth failed: ZeroDivisionError"), on_frame(8, "smooth"):
        _ = 1 / 0
    with pytest.raises(VideoError, match="frame 3") as caught, on_frame(9, "x"):
        raise VideoError("inner", 3)
    assert caught.value.frame == 3
