"""A scheduler and workers started by hand, as on many machines: conversion, a lost worker, a restarted scheduler."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clips import hashes, make_clip

from depth3d.contrib.dask import connect
from depth3d.options import DepthOptions, OutputOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert

pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif("DEPTH3D_LONG" not in os.environ, reason="takes minutes: set DEPTH3D_LONG=1")

COUNT = 250


class Machines:
    """``dask scheduler`` and two ``dask worker`` processes on 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        quiet = "--no-dashboard"
        self._run("scheduler", "--host", "127.0.0.1", "--port", str(self.port), quiet)
        for number in range(2):
            place = str(self.folder / f"worker{number}")
            self._run("worker", self.address, "--nthreads", "1", "--local-directory", place, quiet)

    def _run(self, *words: str) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "LP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "dask", *words]
        self.processes.append(
            subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    def kill(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # workers have a nanny, which would start them again
            process.wait(30)
        self.processes.clear()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path)
    made.start()
    yield made
    made.kill()


def test_a_restarted_scheduler_costs_nothing(machines: Machines, tmp_path: Path) -> None:
    """Scheduler and workers are killed in both passes and started again: the same call goes on to the same frames."""
    clip = make_clip(tmp_path / "clip.mp4", count=COUNT)
    settings: dict[str, Any] = {
        "depth": DepthOptions(model="gradient", threads=1),
        "video": VideoOptions(codec="ffv1"),
        "output_options": OutputOptions(force=True),
    }
    restarted: list[str] = []

    def restart(stage: str, done: int, _total: int) -> None:
        if stage not in restarted and done >= 60:
            restarted.append(stage)
            machines.kill()
            machines.start()

    with connect(machines.address) as runner:
        two = convert(clip, tmp_path / "two.mkv", runner=runner, progress=restart, **settings)
    assert restarted == ["depth", "draw"]
    alone = convert(clip, tmp_path / "one.mkv", **settings)
    assert len(hashes(two)) == COUNT
    assert hashes(two) == hashes(alone)
