"""Workers that are lost for good: processes of this machine are replaced, a cluster without workers ends the run."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from depth3d.contrib import dask as contrib
from depth3d.contrib.dask import DaskRunner, connect
from depth3d.errors import VideoError

dask: Any = pytest.importorskip("dask")
pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskRunner]:
    """One process; Dask gives it up when it is lost for 50 ms, as it does after 15 s on a busy machine."""
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "50ms"}), connect("local:1") as runner:
        yield runner


def kill_all(cluster: DaskRunner) -> None:
    for process in cluster.everywhere(os.getpid).values():
        os.kill(process, signal.SIGKILL)


def test_a_process_that_dask_gave_up_is_replaced(cluster: DaskRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrib, "_LOOK", 0.2)
    monkeypatch.setattr(contrib, "_SHORT_HANDED", 0.4)

    def double(number: int) -> int:  # not of this module, which the processes may not find: sent by value
        time.sleep(0.2)
        return 2 * number

    parts = {cluster.submit(double, number): 1 for number in range(3)}
    kill_all(cluster)
    assert sorted(cluster.completed(parts)) == [(0, 1), (2, 1), (4, 1)]


@pytest.mark.usefixtures("cluster")
def test_tasks_that_dask_leaves_behind_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("asyncio")
    log.error("Task exception was never retrieved\nfuture: <Task coro=<wait() done, defined at distributed/client.py>>")
    log.error("Task exception was never retrieved\nfuture: <Task coro=<mine() done, defined at mine.py>>")
    assert [record.getMessage().split()[-1] for record in caplog.records] == ["mine.py>>"]


def test_processes_that_always_end_are_not_started_for_ever(
    cluster: DaskRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contrib, "_LOOK", 0.1)
    monkeypatch.setattr(contrib, "_SHORT_HANDED", 0.2)
    monkeypatch.setattr(contrib, "_AGAIN", 1)
    part = cluster.submit(os._exit, 1)
    with pytest.raises(VideoError, match=r"end again and again .*the same command goes on"):
        part.result()
    cluster.finished(part)
    cluster._begin_again()


def test_a_cluster_without_workers_ends_the_run(cluster: DaskRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it was on other machines: nothing here starts its workers again."""
    monkeypatch.setattr(cluster, "_count", 0)
    monkeypatch.setattr(contrib, "_LOOK", 0.1)
    monkeypatch.setattr(contrib, "_ALONE", 0.3)
    part = cluster.submit(time.sleep, 5)
    kill_all(cluster)
    with pytest.raises(VideoError, match=r"no worker was connected for \d+ s; start workers .*the same command goes"):
        part.result()
    with pytest.raises(VideoError, match="no worker was connected"):
        next(cluster.completed({part: 1}))
    with pytest.raises(VideoError, match="no worker is connected; start one"):
        cluster.everywhere(os.getpid)
