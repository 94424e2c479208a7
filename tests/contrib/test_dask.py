"""Clips on a cluster of processes: the same frames as on one machine, through killed workers and stopped runs."""

from __future__ import annotations

import os
import signal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import blocks, box_before, hashes, write_clip

from depth3d.contrib.dask import DaskRunner, connect
from depth3d.errors import InvalidOption, VideoError
from depth3d.options import DepthOptions, OutputOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert

pytest.importorskip("distributed")

LONG = pytest.mark.skipif("DEPTH3D_LONG" not in os.environ, reason="takes minutes: set DEPTH3D_LONG=1")
DEPTH = DepthOptions(model="tiny" if "DEPTH3D_LONG" in os.environ else "gradient", threads=1)
COUNT = 220


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenes with something that moves; 220 frames: five segments of the first pass, three of the second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    dice = np.random.default_rng(3)
    walls = [blocks(dice, 6, 8, 8) for _ in range(3)]
    behind = (walls[0 if number < 70 else 1 if number < 130 else 2] for number in range(COUNT))
    return write_clip(path, box_before(behind, slice(16, 32), 20), codec="libx264", options={"crf": "12", "g": "30"})


@pytest.fixture(scope="module")
def alone(film: Path) -> list[tuple[Fraction, str]]:
    """Times and digests of the frames that one process makes."""
    return hashes(made(film, film.with_name("alone.mkv")))


@pytest.fixture(scope="module")
def cluster() -> Any:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with connect("local:2") as runner:
        yield runner


def made(film: Path, target: Path, **more: Any) -> Path:
    more.setdefault("depth", DEPTH)
    more.setdefault("video", VideoOptions(codec="ffv1"))
    return convert(film, target, output_options=OutputOptions(force=True), **more)


def test_the_frames_are_the_same_as_on_one_machine(
    film: Path, alone: list[tuple[Fraction, str]], cluster: DaskRunner, tmp_path: Path
) -> None:
    """All of them, at cuts and between them: the difference is 0."""
    seen: list[tuple[str, int, int]] = []
    target = made(film, tmp_path / "a.mkv", runner=cluster, progress=lambda *one: seen.append(one))
    assert hashes(target) == alone
    assert len(alone) == COUNT
    assert {stage for stage, *_ in seen} == {"depth", "draw"}
    assert seen[-1] == ("draw", COUNT, COUNT)
    assert list(tmp_path.iterdir()) == [target]


@LONG
def test_a_killed_worker_costs_nothing(
    film: Path, alone: list[tuple[Fraction, str]], cluster: DaskRunner, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(stage: str, done: int, _total: int) -> None:
        wanted = ("depth", "draw")[len(killed)] if len(killed) < 2 else None
        if stage == wanted and done >= 30:
            pids = list(cluster.everywhere(os.getpid).values())
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    assert hashes(made(film, tmp_path / "a.mkv", runner=cluster, progress=kill)) == alone
    assert len(set(killed)) == 2


@LONG
def test_a_stopped_run_goes_on(
    film: Path, alone: list[tuple[Fraction, str]], cluster: DaskRunner, tmp_path: Path
) -> None:
    def stop_at(stage: str) -> Any:
        def stop(now: str, done: int, _total: int) -> None:
            if now == stage and done >= 90:
                raise KeyboardInterrupt

        return stop

    for stage in ("depth", "draw"):
        with pytest.raises(KeyboardInterrupt):
            made(film, tmp_path / "a.mkv", runner=cluster, progress=stop_at(stage))
    seen: list[str] = []
    target = made(film, tmp_path / "a.mkv", runner=cluster, progress=lambda stage, *_: seen.append(stage))
    assert "depth" not in seen  # the first pass is not repeated
    assert hashes(target) == alone


@LONG
def test_a_run_alone_takes_up_what_a_cluster_has_begun(
    film: Path, alone: list[tuple[Fraction, str]], cluster: DaskRunner, tmp_path: Path
) -> None:
    def stop(stage: str, done: int, _total: int) -> None:
        if stage == "depth" and done >= 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(film, tmp_path / "a.mkv", runner=cluster, progress=stop)
    assert hashes(made(film, tmp_path / "a.mkv")) == alone


@LONG
def test_a_part_of_a_film_with_given_depth_and_automatic_convergence(
    film: Path, cluster: DaskRunner, tmp_path: Path
) -> None:
    depth = made(film, tmp_path / "depth.mkv", only_depth=True)
    settings = {
        "depth": DepthOptions(depth=str(depth)),
        "stereo": StereoOptions(convergence="auto", format="red-cyan"),
        "video": VideoOptions(codec="ffv1", start="1", end="6.5"),
    }
    one = made(film, tmp_path / "one.mkv", **settings)
    two = made(film, tmp_path / "two.mkv", runner=cluster, **settings)
    assert hashes(two) == hashes(one)
    assert len(hashes(two)) > 130


def test_a_worker_that_does_not_see_the_film_is_named(cluster: DaskRunner, film: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"10\.0\.0\.9:40000 does not see .*film"):
        made(film, tmp_path / "a.mkv", runner=_Blind(cluster))


class _Blind:
    """A cluster one of whose workers sees nothing."""

    def __init__(self, runner: DaskRunner) -> None:
        self._runner = runner

    ships = False

    def everywhere(self, *arguments: Any) -> dict[str, Any]:
        seen = self._runner.everywhere(*arguments)
        return {**seen, "tcp://10.0.0.9:40000": {"source": None, "token": None, "writes": False, "model": None}}


@pytest.mark.parametrize("cluster", ["local:0", "local:x", "scheduler:8786", "tcp://host", "http://host:80"])
def test_a_wrong_address_is_refused_before_any_work(cluster: str) -> None:
    with pytest.raises(InvalidOption, match="local:N"):
        connect(cluster)


def test_a_process_that_ends_slowly_does_not_fail_a_finished_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, Dask gives up waiting for the end of a worker after four seconds."""

    class Slow:
        def close(self, timeout: float) -> None:
            raise TimeoutError

    monkeypatch.setattr(DaskRunner, "_start_processes", lambda *_: Slow())
    monkeypatch.setattr(DaskRunner, "_open", lambda runner: setattr(runner, "_client", Slow()))
    with connect("local:1") as runner:
        pass
    assert runner._client is None
