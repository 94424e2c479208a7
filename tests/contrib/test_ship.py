"""``--ship``: workers that see neither the film nor the work folder make the same frames, a killed worker included."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from clips import blocks, box_before, hashes, make_clip, write_clip

from depth3d.contrib.dask import DaskRunner, connect
from depth3d.errors import InvalidOption, VideoError
from depth3d.io.video.excerpts import PacketIndex
from depth3d.io.video.partial import touched_holes, unregister
from depth3d.io.video.reader import VideoReader
from depth3d.options import ClusterOptions, DepthOptions, OutputOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.parallel import received, shipping
from depth3d.pipeline.clip.parallel.received import run_shipment

pytest.importorskip("distributed")

COUNT = 240
DEPTH = DepthOptions(model="gradient", threads=1)


class _BlindRunner:
    """A cluster whose workers cannot open anything below a folder, and work in another one."""

    ships = True

    def __init__(self, inner: DaskRunner, hidden: Path, elsewhere: Path) -> None:
        self._inner, self._hidden, self._elsewhere = inner, str(hidden), str(elsewhere)
        self.sent: list[int] = []

    @property
    def width(self) -> int:
        return self._inner.width

    def submit(self, function: Any, shipment: Any) -> Any:
        assert function is run_shipment
        chunks = [len(content) for one in shipment.excerpts for _, content in one.chunks]
        self.sent.append(sum(chunks))
        return self._inner.submit(_run_blindly, self._hidden, self._elsewhere, shipment)

    def everywhere(self, function: Any, *arguments: Any) -> dict[str, Any]:
        return self._inner.everywhere(function, *arguments)

    def completed(self, parts: dict[Any, int]) -> Iterator[tuple[Any, int]]:
        raise AssertionError("not used by shipping")


def _run_blindly(hidden: str, elsewhere: str, shipment: Any) -> Any:
    if not hasattr(av, "seeing_open"):
        os.chdir(elsewhere)
        av.seeing_open = av.open  # type: ignore[attr-defined]

        def refuse(name: object) -> None:
            if isinstance(name, str | bytes | os.PathLike) and hidden in os.fsdecode(name):
                raise FileNotFoundError(f"{name!r} is on another machine")

        def blind_open(file: Any, *arguments: Any, **more: Any) -> Any:
            refuse(file)
            return av.seeing_open(file, *arguments, **more)  # type: ignore[attr-defined]

        av.open = blind_open
        sys.addaudithook(lambda event, arguments: refuse(arguments[0]) if event in ("open", "os.listdir") else None)
    return run_shipment(shipment)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return noisy_clip(path, COUNT)


def noisy_clip(path: Path, count: int, codec: str = "libx264") -> Path:
    """Write a clip of about 1 MB: packets of a few kilobytes, a key frame in every 20 frames."""
    dice = np.random.default_rng(5)
    settings = {"g": "20", "bf": "2", "crf": "14"} if codec == "libx264" else {"g": "20", "qscale": "2"}
    walls = (blocks(dice, 32, 48, 2) for _ in range(count))
    return write_clip(path, box_before(walls, slice(20, 40), 30), codec=codec, options=settings)


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskRunner]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with connect("local:2", ship=True) as runner:
        yield runner


def made(film: Path, target: Path, **more: Any) -> Path:
    settings: dict[str, Any] = {"depth": DEPTH, "video": VideoOptions(codec="ffv1"), **more}
    return convert(film, target, output_options=OutputOptions(force=True), **settings)


@pytest.mark.skipif("DEPTH3D_LONG" not in os.environ, reason="takes minutes: set DEPTH3D_LONG=1")
def test_workers_that_see_nothing_make_the_same_frames(film: Path, cluster: DaskRunner, tmp_path: Path) -> None:
    """Each part gets a part of the film; a worker is killed in the first pass."""
    runner = _BlindRunner(cluster, film.parent, tmp_path)
    killed: list[int] = []

    def kill(_stage: str, done: int, _total: int) -> None:
        if not killed and done >= 48:
            killed.append(next(iter(cluster.everywhere(os.getpid).values())))
            os.kill(killed[-1], signal.SIGKILL)

    alone = hashes(made(film, film.with_name("alone.mkv")))
    shipped = made(film, film.with_name("shipped.mkv"), runner=runner, progress=kill)
    assert hashes(shipped) == alone
    assert len(alone) == COUNT
    assert len(killed) == 1
    assert sorted(file.name for file in film.parent.iterdir()) == ["alone.mkv", "film.mp4", "shipped.mkv"]
    assert 0 < max(runner.sent) < film.stat().st_size / 2


class _Here:
    """Runs every part at once in this process."""

    ships, width = True, 1

    def submit(self, function: Any, *arguments: Any) -> Any:
        value = function(*arguments)
        return SimpleNamespace(result=lambda: value)

    def everywhere(self, function: Any, *arguments: Any) -> dict[str, Any]:
        return {"here": function(*arguments)}

    def completed(self, parts: dict[Any, int]) -> Iterator[tuple[Any, int]]:
        raise AssertionError("not used by shipping")


def test_given_depth_and_a_part_of_the_film(film: Path, tmp_path: Path) -> None:
    depth = made(film, tmp_path / "depth.mkv", only_depth=True)
    settings = {
        "depth": DepthOptions(depth=str(depth)),
        "stereo": StereoOptions(format="red-cyan"),
        "video": VideoOptions(codec="ffv1", start="2", end="7.5"),
    }
    one = made(film, tmp_path / "one.mkv", **settings)
    two = made(film, film.with_name("two.mkv"), runner=_Here(), **settings)
    assert hashes(two) == hashes(one)
    assert len(hashes(two)) == 138  # 5.5 s at 25 frames a second


def test_absent_bytes_are_noticed_and_sent(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that got too little asks again until it has its frames."""
    monkeypatch.setattr(shipping, "_BLOCK", 1 << 6)
    monkeypatch.setattr(shipping, "_MORE", 1 << 12)
    monkeypatch.setattr(PacketIndex, "span", lambda *_: [])
    short = VideoOptions(codec="ffv1", start="4", end="6")
    two = made(film, film.with_name("three.mkv"), runner=_Here(), video=short)
    assert hashes(two) == hashes(made(film, tmp_path / "one.mkv", video=short))


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("mkv", "libx264"), ("ts", "libx264")])
def test_an_excerpt_holds_what_its_frames_need(tmp_path: Path, suffix: str, codec: str) -> None:
    clip = noisy_clip(tmp_path / f"clip.{suffix}", 600, codec)
    whole = [frame.image.pixels.tobytes() for frame in VideoReader(clip)]
    with VideoReader(clip) as reader:
        times = [frame.time for frame in reader]
        origin = reader.info.origin
    excerpt = shipping._Clip(clip).excerpt((times[260] + origin, times[300] + origin), (), True)
    part = received._unpack(excerpt, excerpt.common or (), tmp_path)
    try:
        found = []
        with VideoReader(part) as reader:
            for frame in reader.frames(260, times[260]):
                found.append(frame.image.pixels.tobytes())
                if frame.index == 300:
                    break
        assert found == whole[260:301]
        assert touched_holes(part) == []
    finally:
        unregister(part)
    if suffix != "ts":  # which is read from its start
        assert sum(len(content) for _, content in (*excerpt.chunks, *(excerpt.common or ()))) < 0.9 * excerpt.size


def test_a_sequence_of_pictures_cannot_be_shipped(tmp_path: Path) -> None:
    for number, frame in zip(range(3), VideoReader(make_clip(tmp_path / "clip.mp4", count=3)), strict=False):
        from depth3d.io.image.read import save_image

        save_image(frame.image, tmp_path / f"img_{number}.png")
    with pytest.raises(VideoError, match="cannot be shipped"):
        made(tmp_path / "img_%d.png", tmp_path / "out.mkv", runner=_Here())


def test_ship_needs_a_cluster() -> None:
    with pytest.raises(InvalidOption, match="cluster"):
        ClusterOptions(ship=True)
