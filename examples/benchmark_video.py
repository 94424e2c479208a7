"""How fast a clip becomes 3D: every stage alone, both passes together, and how it grows with pixels and frames.

    python examples/benchmark_video.py [--model tiny] [--frames 72] [--size 640x360 --size 1280x720]

Prints wall and CPU milliseconds a frame (a warm-up first, then the mean), the overlap the pipeline reaches and the
largest memory. Uses the clip in this folder, several times over where it has too few frames; nothing is downloaded.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from depth3d.depth.estimator import open_estimator
from depth3d.depth.temporal.stabilizer import Stabilizer
from depth3d.depthmap import DepthMap, Disparity
from depth3d.image import Image, Size
from depth3d.io.video.encoders import choose
from depth3d.io.video.files import ffmpeg_command
from depth3d.io.video.reader import VideoReader, probe
from depth3d.io.video.writer import VideoWriter
from depth3d.options import DepthOptions, OutputOptions, StereoOptions, VideoOptions
from depth3d.pipeline.clip.convert import convert
from depth3d.pipeline.clip.depth_pass import BATCH
from depth3d.pipeline.clip.renderers import StereoRenderer, StereoStrength
from depth3d.stereoformats import find_format

CLIP = Path(__file__).parent / "bigbuckbunny.mp4"
Cost = tuple[float, float]  # wall, CPU; seconds a frame


def long_clip(count: int, folder: Path) -> Path:
    """The clip with its sound, repeated until it has ``count`` frames."""
    repeats = -(-count // (probe(CLIP).count or 1)) - 1
    if repeats < 1:
        return CLIP
    path = folder / f"clip{count}.mp4"
    words = ["-stream_loop", str(repeats), "-i", str(CLIP), "-c", "copy", str(path)]
    subprocess.run([*ffmpeg_command(), *words], check=True)
    return path


def measure(work: Callable[[int], object], count: int) -> Cost:
    """Mean wall and CPU time of ``work(n)``, after one call to warm up (a median would hide work done in blocks)."""
    work(0)
    began, cpu = time.perf_counter(), time.process_time()
    for n in range(1, count):
        work(n)
    return (time.perf_counter() - began) / (count - 1), (time.process_time() - cpu) / (count - 1)


def stages(size: Size, model: str, count: int, folder: Path, threads: int | None) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    with VideoReader(long_clip(count, folder), size=size) as reader:
        stream = reader.frames()
        frames = []
        costs["decode and scale"] = measure(lambda _: frames.append(next(stream)), count)
    estimator = open_estimator(model, threads=threads)
    disparities: list[Disparity] = []

    def predict(n: int) -> None:
        disparities.extend(estimator.predict([frame.guide for frame in frames[n * BATCH : (n + 1) * BATCH]]))

    wall, cpu = measure(predict, count // BATCH)
    costs["predict"] = wall / BATCH, cpu / BATCH
    stabilizer = Stabilizer()
    costs["stabilize"] = measure(lambda n: stabilizer.push(frames[n].guide, disparities[n]), count // BATCH * BATCH)
    depth = DepthMap.from_disparity(disparities[0])
    ready: list[Any] = []
    strength, layout = StereoStrength(2.0, 0.5), find_format("sbs")

    def prepare(n: int) -> None:
        ready[:] = [both_eyes.prepare(frames[n], depth, strength)]

    with StereoRenderer(size, StereoOptions(), layout) as both_eyes:
        costs["depth along edges"] = measure(prepare, count)
        costs["draw both eyes"] = measure(lambda n: both_eyes.draw((frames[n], *ready[0][1:])), count)
        both = both_eyes.draw(ready[0])
    with StereoRenderer(size, StereoOptions(eyes="right"), layout) as one_eye:
        costs["draw one eye"] = measure(lambda n: one_eye.draw((frames[n], *ready[0][1:])), count)
    costs["encode"] = encoding(both, count, folder)
    return costs


def encoding(both: Image, count: int, folder: Path) -> Cost:
    """With the flush at the end: an encoder that looks ahead does much of its work there."""
    rate = Fraction(24)
    began, cpu = time.perf_counter(), time.process_time()
    encoder, _ = choose("auto", probe(CLIP), both.size, ".mp4")
    with VideoWriter(folder / "x.nut", both.size, rate=rate, time_base=1 / rate, encoder=encoder) as writer:
        for n in range(count):
            # A picture that moves: a still one costs an encoder nothing.
            writer.write(Image(np.roll(both.pixels, 2 * n, axis=1)), n / rate)
    return (time.perf_counter() - began) / count, (time.process_time() - cpu) / count


def idle_seconds() -> float:
    """Seconds that all cores together have had nothing to do, since the machine began; NaN where Linux does not say."""
    try:
        return int(Path("/proc/stat").read_text().split()[4]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return float("nan")


def whole(size: Size, model: str, count: int, folder: Path, threads: int | None) -> tuple[float, float, float]:
    """The whole conversion, sound and all: wall, CPU and idle time of all cores; seconds a frame."""
    clip = long_clip(count, folder)
    end = count / probe(clip).rate
    began, cpu, idle = time.perf_counter(), time.process_time(), idle_seconds()
    convert(
        clip,
        folder / f"out{count}.mp4",
        stereo=StereoOptions(),
        depth=DepthOptions(model=model, threads=threads),
        video=VideoOptions(size=f"{size.width}x{size.height}", end=f"{float(end):.6f}"),
        output_options=OutputOptions(force=True),
    )
    spent = time.perf_counter() - began, time.process_time() - cpu, idle_seconds() - idle
    return spent[0] / count, spent[1] / count, spent[2] / count


def tell_overlap(costs: dict[str, Cost], count: int, spent: tuple[float, float, float]) -> None:
    """How near the wall time comes to what the stages alone allow.

    Never less than the slowest stage, nor than the CPU time of all stages spread over the cores. The clip is decoded
    in both passes. Where other programs keep the cores busy the ratio says little; then see what was left idle:
    a pipeline that waits for itself leaves cores idle, one that waits for others does not.
    """
    used = {name: cost for name, cost in costs.items() if name != "draw one eye"}
    slowest = max(wall for wall, _ in used.values())
    cores = os.cpu_count() or 1
    shared = (sum(cpu for _, cpu in used.values()) + used["decode and scale"][1]) / cores
    wall, cpu, idle = spent
    print(
        f"  end to end, {count:4} frames {wall * 1000:5.1f} {cpu * 1000:5.1f} = {1 / wall:.1f} frames/s;"
        f" slowest stage {slowest * 1000:.1f}, CPU of all stages over {cores} cores {shared * 1000:.1f}:"
        f" ratio {wall / max(slowest, shared):.2f};"
        f" used {cpu / wall:.2f} cores, {idle / wall:.2f} idle, others {cores - (cpu + idle) / wall:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--frames", type=int, default=72)
    parser.add_argument("--threads", type=int, help="of the network; 1 where other programs keep the cores busy")
    parser.add_argument("--size", action="append", help="WIDTHxHEIGHT; may be given several times")
    chosen = parser.parse_args()
    sizes = [Size(*map(int, text.split("x"))) for text in chosen.size or ["640x360", "1280x720"]]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, load {load:.1f}, commit {commit.strip()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            print(f"\n{size}, model {chosen.model}: milliseconds a frame (wall, CPU)")
            costs = stages(size, chosen.model, chosen.frames, folder, chosen.threads)
            for stage, (wall, cpu) in costs.items():
                print(f"  {stage:18} {wall * 1000:7.1f} {cpu * 1000:7.1f}")
            for count in (chosen.frames, 2 * chosen.frames):
                tell_overlap(costs, count, whole(size, chosen.model, count, folder, chosen.threads))
    print(f"\nlargest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
