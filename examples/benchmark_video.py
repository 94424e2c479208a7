"""How fast a clip becomes 3D: every stage alone, both passes together, and how it grows with pixels and frames.

    python examples/benchmark_video.py [--model tiny] [--frames 72] [--size 640x360 --size 1280x720]

Prints wall and CPU milliseconds a frame (a warm-up first, then the mean), the overlap the pipeline reaches and the
largest memory. Uses the clip in this folder; nothing is downloaded.
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

import numpy as np

from depth3d.depth import refine
from depth3d.depth.estimator import open_estimator
from depth3d.depth.temporal import Stabilizer
from depth3d.depthmap import DepthMap
from depth3d.geometry.sharpen import crisp_edges
from depth3d.image import Size
from depth3d.io.encoders import ENCODERS
from depth3d.io.videoreader import VideoReader
from depth3d.io.videowriter import VideoWriter
from depth3d.options import DepthOptions, OutputOptions, StereoOptions, VideoOptions
from depth3d.pipeline.video import convert
from depth3d.render.eyes import EyeRenderer

CLIP = Path(__file__).parent / "bigbuckbunny.mp4"
Cost = tuple[float, float]  # wall, CPU; seconds a frame


def measure(work: Callable[[int], object], count: int) -> Cost:
    """Mean wall and CPU time of ``work(n)``, after one call to warm up (a median would hide work done in blocks)."""
    work(0)
    began, cpu = time.perf_counter(), time.process_time()
    for n in range(1, count):
        work(n)
    return (time.perf_counter() - began) / (count - 1), (time.process_time() - cpu) / (count - 1)


def stages(size: Size, model: str, count: int, folder: Path, threads: int | None) -> dict[str, Cost]:
    costs: dict[str, Cost] = {}
    with VideoReader(CLIP, size=size) as reader:
        stream = reader.frames()
        frames = []
        costs["decode and scale"] = measure(lambda _: frames.append(next(stream)), count)
    estimator = open_estimator(model, threads=threads)
    disparities = [estimator.predict([frames[0].guide])[0]]
    costs["predict"] = measure(lambda n: disparities.append(estimator.predict([frames[n].guide])[0]), count)
    stabilizer = Stabilizer()
    costs["stabilise"] = measure(lambda n: stabilizer.push(frames[n].guide, disparities[n]), count)
    depth = DepthMap.from_disparity(disparities[0])
    ready: list[DepthMap] = []

    def prepare(n: int) -> None:
        values = DepthMap(np.clip(refine.upsample(depth.values, frames[n].guide), 0, 1))
        ready[:] = [crisp_edges(values, size.width / 100)]

    costs["depth along edges"] = measure(prepare, count)
    with EyeRenderer(size, samples=1) as eyes:
        costs["draw both eyes"] = measure(lambda n: eyes.draw(frames[n].image, ready[0], -1.0, 1.0, 0.5), count)
        costs["draw one eye"] = measure(lambda n: eyes.draw(frames[n].image, ready[0], 0.0, 2.0, 0.5), count)
        both = eyes.draw(frames[0].image, ready[0], -1.0, 1.0, 0.5)
    rate = Fraction(24)
    with VideoWriter(folder / "x.nut", both.size, rate=rate, time_base=1 / rate, encoder=ENCODERS["libx264"]) as writer:
        costs["encode"] = measure(lambda n: writer.write(both, n / rate), count)
    return costs


def whole(size: Size, model: str, count: int, folder: Path, threads: int | None) -> Cost:
    """The whole conversion, sound and all; seconds a frame."""
    with VideoReader(CLIP) as reader:
        end = count / reader.info.rate
    began, cpu = time.perf_counter(), time.process_time()
    convert(
        CLIP,
        folder / f"out{count}.mp4",
        stereo=StereoOptions(),
        depth=DepthOptions(model=model, threads=threads),
        video=VideoOptions(size=f"{size.width}x{size.height}", end=f"{float(end):.6f}"),
        output_options=OutputOptions(force=True),
    )
    return (time.perf_counter() - began) / count, (time.process_time() - cpu) / count


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
            del costs["draw one eye"]
            slowest = max(wall for wall, _ in costs.values())
            half = sum(cpu for _, cpu in costs.values()) / 2
            for count in (chosen.frames, 2 * chosen.frames):
                wall, cpu = whole(size, chosen.model, count, folder, chosen.threads)
                ratio = wall / max(slowest, half)
                print(
                    f"  end to end, {count:4} frames {wall * 1000:7.1f} {cpu * 1000:7.1f}  = {1 / wall:.1f} frames/s,"
                    f" {ratio:.2f} of max(slowest stage, half the CPU time)"
                )
    print(f"\nlargest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
