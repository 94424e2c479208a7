"""Convert an hour of film on a cluster whose workers are killed on the way; compare it with a run in one process.

    python examples/measure_long_film.py [--seconds 3600] [--fps 2] [--size 160x16] [--model gradient] [--ship]

Makes a film with a new scene every 7 to 20 seconds, converts it in one process and on two workers (one is killed with
SIGKILL in the middle of the first pass, one in the middle of the second), and compares the digests of all frames.
Prints frames, seconds, processor seconds and the memory of this process and of the largest worker, at a quarter and at
the end of both passes: the difference is what grows with the length of a film.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from depth3d.contrib.dask import DaskRunner, connect
from depth3d.image import Size
from depth3d.options import DepthOptions, OutputOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert


def make_film(path: Path, frames: int, rate: int, size: Size) -> Path:
    """Write a film of still walls, each with something that moves."""
    dice = np.random.default_rng(11)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate, options={"crf": "16", "g": "40"})
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, "yuv420p"
        left, wall = 0, np.zeros(0, np.uint8)
        for number in range(frames):
            if not left:
                left = int(dice.integers(7 * rate, 20 * rate))
                blocks = dice.integers(0, 255, (size.height // 6 + 1, size.width // 8 + 1, 3), dtype=np.uint8)
                wall = blocks.repeat(6, 0).repeat(8, 1)[: size.height, : size.width]
            left -= 1
            pixels = wall.copy()
            x = number * 2 % (size.width - 20)
            pixels[size.height // 3 : size.height * 2 // 3, x : x + 16] = (250, 220, 40)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def digests(path: Path) -> list[tuple[Fraction, bytes]]:
    """Return time and digest of every frame."""
    with av.open(str(path)) as container:
        return [
            (frame.pts * frame.time_base, hashlib.blake2b(frame.to_ndarray(format="rgb24").tobytes()).digest())
            for frame in container.decode(video=0)
        ]


def memory() -> int:
    """Return the resident memory of this process, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory_now(runner: DaskRunner | None) -> str:
    """Describe the memory of this process and of the largest worker."""
    found = f"{memory() / 1e6:.0f} MB"
    if runner is not None:
        found += f", worker {max(runner.everywhere(memory).values()) / 1e6:.0f} MB"
    return found


class Watch:
    """Progress callback: notes the memory, kills a worker in the middle of each pass."""

    def __init__(self, runner: DaskRunner | None) -> None:
        self._runner = runner
        self.lines: list[str] = []
        self.killed: list[int] = []
        self._marks = {(stage, part) for stage in ("depth", "draw") for part in (0.25, 0.5, 0.95)}

    def __call__(self, stage: str, done: int, total: int) -> None:
        for mark in sorted(mark for mark in self._marks if mark[0] == stage and done >= mark[1] * total):
            self._marks.remove(mark)
            if mark[1] != 0.5:
                self.lines.append(f"{stage:5} {mark[1]:4.0%}  {memory_now(self._runner)}")
            elif self._runner is not None:
                self.killed.append(next(iter(self._runner.everywhere(os.getpid).values())))
                os.kill(self.killed[-1], signal.SIGKILL)


def run(film: Path, target: Path, model: str, runner: DaskRunner | None) -> list[tuple[Fraction, bytes]]:
    """Convert the film, print what it took, and return the digests of its frames."""
    watch, began, used = Watch(runner), time.monotonic(), time.process_time()
    convert(
        film,
        target,
        depth=DepthOptions(model=model, threads=1),
        video=VideoOptions(codec="ffv1"),
        output_options=OutputOptions(force=True),
        progress=watch,
        runner=runner,
    )
    print(f"{target.stem}: {time.monotonic() - began:.0f} s, {time.process_time() - used:.0f} s of processor time here")
    print("".join(f"  {line}\n" for line in watch.lines), end="")
    if runner is not None:
        print(f"  killed: {len(watch.killed)} workers")
        if len(set(watch.killed)) != 2:
            raise SystemExit("a worker was to be killed in each pass")
    return digests(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--fps", type=int, default=2)
    parser.add_argument("--size", default="160x16")
    parser.add_argument("--model", default="gradient")
    parser.add_argument("--ship", action="store_true", help="the workers get the film through the scheduler")
    args = parser.parse_args()
    width, height = (int(side) for side in args.size.split("x"))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = make_film(folder / "film.mp4", args.seconds * args.fps, args.fps, Size(width, height))
        print(
            f"{args.seconds} s at {args.fps} frames/s, {width}x{height}: {args.seconds * args.fps} frames", flush=True
        )
        alone = run(film, folder / "alone.mkv", args.model, None)
        with connect("local:2", ship=args.ship) as runner:
            shared = run(film, folder / "cluster.mkv", args.model, runner)
    same = sum(one == other for one, other in zip(alone, shared, strict=False))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    print(f"{same} of {len(alone)} frames identical (times and pixels); load average {load:.1f}")
    if alone != shared or len(alone) != args.seconds * args.fps:
        raise SystemExit("the frames differ")


if __name__ == "__main__":
    main()
