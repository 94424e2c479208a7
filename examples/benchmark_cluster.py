"""How a clip scales over the workers of a cluster on this machine, and a model of a long film on many machines.

    python examples/benchmark_cluster.py [--workers 1 2] [--frames 384] [--width 320] [--model tiny]

Measures: seconds of both passes with each number of workers, the efficiency of the drawing pass, and the bytes a
frame that pass through the work folder. The efficiency is given twice. By the clock: time of one worker divided by
that of N, over the smaller one of N and the number of cores; on a machine that does other things too, it means
little. By processor time: that of one worker divided by N times that of the busiest of N workers, which is the
efficiency on N cores that do nothing else; work that is done twice or not shared evenly is in it. The model then
computes a film (default: 2 hours, 3840x2160, 24 frames per second, 50 machines) from these numbers: drawing and
encoding grow with the pixels; network and stabilization work at the network's size.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from depth3d.contrib.dask import connect
from depth3d.depth.temporal.stabilizer import Stabilizer
from depth3d.depthmap import Disparity
from depth3d.image import Size
from depth3d.io.video.reader import VideoReader, probe
from depth3d.options import DepthOptions, OutputOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.depth_pass import SEGMENT

CLIP = Path(__file__).parent / "bigbuckbunny.mp4"


@dataclass(frozen=True)
class Measured:
    """Seconds of the passes; bytes of predictions, depth and pictures in the work folder; frames.

    ``predicted``: processor seconds of all workers in the first pass; ``used``: in the drawing pass; ``busiest``: those
    of the busiest worker in it.
    """

    depth: float
    draw: float
    predicted: float
    busiest: float
    used: float
    raw_bytes: float
    depth_bytes: int
    picture_bytes: int
    frames: int


def looped(folder: Path, frames: int) -> Path:
    """Repeat the clip of this folder until it has ``frames`` frames: every worker needs several segments of 96."""
    times = -(-frames // (probe(CLIP).count or 1))
    made = folder / "film.mp4"
    words = ["-v", "error", "-stream_loop", str(times), "-i", str(CLIP), "-map", "0:v", "-c", "copy", str(made)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *words], check=True)
    return made


def run(clip: Path, workers: int, folder: Path, frames: int, model: str, eye: str) -> Measured:
    """Convert the clip with ``workers`` processes; the passes are timed from their first to their last report."""
    info = probe(clip)
    end = str(float(min(info.duration or 5, frames / info.rate)))
    target = folder / f"{workers}.mp4"
    marks: dict[str, list[float]] = {"depth": [], "draw": []}
    sizes = {"depth": 0, "pictures": 0}
    counted, raw = [0], [0.0]
    used: dict[str, list[float]] = {}  # processor seconds of every worker: at first, when drawing begins, at the end

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "depth" and done >= total - 1:
            for worker, seconds in runner.everywhere(time.process_time).items():
                used[worker] = [used.get(worker, [0.0])[0], seconds]
        marks[stage].append(time.perf_counter())
        counted[0] = max(counted[0], done)
        predicted = (folder / f".{target.name}.depth3d").glob("depth/predicted-000000.npz")
        raw[0] = max([raw[0], *(file.stat().st_size / SEGMENT for file in predicted)])
        for name, size in sizes.items():
            files = (folder / f".{target.name}.depth3d").glob(f"{name}/*")
            found = sum(file.stat().st_size for file in files if file.suffix in (".spool", ".nut"))
            sizes[name] = max(size, found)

    with connect(f"local:{workers}") as runner:
        settings = {
            "depth": DepthOptions(model=model, threads=1),
            "video": VideoOptions(size=eye, end=end),
            "output_options": OutputOptions(force=True),
        }
        used = {worker: [seconds] for worker, seconds in runner.everywhere(time.process_time).items()}
        began = time.perf_counter()
        convert(clip, target, runner=runner, progress=progress, **settings)
        for worker, seconds in runner.everywhere(time.process_time).items():
            used[worker].append(seconds)
    spent = [end - begin for _, begin, end in used.values()]
    return Measured(
        marks["depth"][-1] - began,
        marks["draw"][-1] - marks["depth"][-1],
        sum(begin - first for first, begin, _ in used.values()),
        max(spent),
        sum(spent),
        raw[0],
        sizes["depth"],
        sizes["pictures"],
        counted[0],
    )


def stabilization(count: int = 40) -> float:
    """Seconds of the stabilizer for one frame of the clip, at the network's size."""
    with VideoReader(CLIP, size=Size(352, 192)) as reader:
        frames = [frame.image for frame in islice(reader, count)]
    stabilizer = Stabilizer()
    disparities = [Disparity(frame.pixels.mean(axis=2).astype(np.float32)) for frame in frames]
    began = time.process_time()
    for frame, disparity in zip(frames, disparities, strict=True):
        stabilizer.push(frame, disparity)
    stabilizer.flush()
    return (time.process_time() - began) / len(frames)


def model_film(one: Measured, steady: float, width: int, args: argparse.Namespace) -> list[str]:
    """Lines of the model: hours, bytes moved and cost of ``args``'s film, from the run with one worker."""
    small = width * round(width * 9 / 16)
    scale = args.film_width * args.film_height / small
    frames = args.hours * 3600 * args.fps
    predict, draw = one.predicted / one.frames, one.used / one.frames * scale
    serial = frames * steady
    predicting, drawing = (frames * cost / args.machines / args.cores for cost in (predict, draw))
    hours = (max(serial, predicting) + drawing) / 3600  # predictions run ahead of the chain
    source = args.source_gb * 1e9
    depth, pictures = frames * one.depth_bytes / one.frames, frames * one.picture_bytes / one.frames * scale
    raw = frames * one.raw_bytes
    moved = 3 * source + 2 * raw + 2 * depth + 2 * pictures
    cost = hours * args.machines * args.price
    return [
        f"film         {args.hours:g} h, {args.film_width}x{args.film_height}, {frames:,.0f} frames",
        f"a frame      {predict * 1000:.0f} ms network, {draw * 1000:.0f} ms drawing and encoding (one core)",
        f"             computed from eyes {width} pixels wide: the larger, the truer (`--width`)",
        f"in one chain {serial / 3600:.2f} h: stabilization, {steady * 1000:.0f} ms a frame",
        f"in parallel  {(predicting + drawing) / 3600:.2f} h on {args.machines} machines with {args.cores} cores",
        f"moved        {moved / 1e9:.0f} GB: film read three times, predictions, depth and pictures written and read",
        f"time, cost   {hours:.2f} h, {hours * args.machines:.0f} machine hours, {cost:.0f} at {args.price:g} an hour",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--frames", type=int, default=384)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--width", type=int, default=320)
    for name, default in (("hours", 2.0), ("fps", 24.0), ("source-gb", 30.0), ("price", 0.4)):
        parser.add_argument(f"--{name}", type=float, default=default)
    for name, number in (("machines", 50), ("cores", 8), ("film-width", 3840), ("film-height", 2160)):
        parser.add_argument(f"--{name}", type=int, default=number)
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = f", load average {os.getloadavg()[0]:.1f} before the start" if hasattr(os, "getloadavg") else ""
    print(f"{cores} cores{load}")
    first: Measured | None = None
    with tempfile.TemporaryDirectory() as folder:
        clip = looped(Path(folder), args.frames)
        for count in args.workers:
            found = run(
                clip, count, Path(folder), args.frames, args.model, f"{args.width}x{round(args.width * 9 / 16)}"
            )
            first = first or found
            ideal = min(count, cores) / min(args.workers[0], cores)
            print(
                f"{count} workers: depth {found.depth:.1f} s, drawing {found.draw:.1f} s for {found.frames} frames;"
                f" {found.used:.1f} s of processor time, busiest worker {found.busiest:.1f} s;"
                f" efficiency of the drawing pass {first.draw / found.draw / ideal:.2f} by the clock,"
                f" {first.busiest * args.workers[0] / (count * found.busiest):.2f} by processor time",
                flush=True,
            )
    if hasattr(os, "getloadavg"):
        print(f"load average {os.getloadavg()[0]:.1f} at the end")
    assert first is not None
    print("\n".join(model_film(first, stabilization(), args.width, args)))


if __name__ == "__main__":
    main()
