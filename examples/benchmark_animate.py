"""The whole way from command to finished film, beside what the encoder alone needs for the same frames.

    python examples/benchmark_animate.py [PICTURE DEPTH] [--size 1280x720] [--seconds 5] [--rounds 3]

Every round runs `depth3d animate` with a given depth file in a fresh process, then encodes the very same frames
(decoded before, lossless enough to cost the same) with the same encoder in this process. Wall-clock and CPU times are
printed; on a machine with other work only the CPU times and their ratio mean something. Also told: that torch was not
imported.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from depth3d.depthmap import DepthMap
from depth3d.image import Image, Size
from depth3d.io.animation import write_animation
from depth3d.io.depth.write import write_depth
from depth3d.io.image.read import save_image
from depth3d.io.video.reader import VideoReader

PROGRAM = """
import sys
from depth3d.cli.main import main
try: main(sys.argv[1:])
except SystemExit as end: code = end.code
print("torch imported:", "torch" in sys.modules, file=sys.stderr)
sys.exit(code)
"""


def formula_scene(folder: Path, size: Size) -> tuple[Path, Path]:
    """A photo-like picture of discs at several depths before a textured wall, and its depth."""
    rows, columns = np.mgrid[0 : size.height, 0 : size.width].astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 12, (size.height, size.width, 3))
    texture = 128 + 60 * np.sin(columns / 17)[..., None] + 50 * np.cos(rows / 23)[..., None] + noise
    depth = rows / size.height * 0.4
    for x, y, radius, near in ((0.3, 0.5, 0.2, 0.8), (0.65, 0.6, 0.15, 0.6), (0.8, 0.3, 0.1, 1.0)):
        inside = np.hypot(columns - x * size.width, rows - y * size.height) < radius * size.height
        depth[inside] = near
        texture[inside] = texture[inside][:, ::-1] * 0.7 + 60
    picture = save_image(Image(np.clip(texture, 0, 255).astype(np.uint8)), folder / "scene.png", force=True)
    return picture, write_depth(DepthMap(depth), folder / "scene_depth.png", force=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", nargs="?", type=Path)
    parser.add_argument("depth", nargs="?", type=Path)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    size = Size(*map(int, arguments.size.split("x")))
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture, depth = (arguments.picture, arguments.depth) if arguments.depth else formula_scene(folder, size)
        film = folder / "film.mp4"
        options = ["--size", arguments.size, "--seconds", str(arguments.seconds), "--force", "-o", str(film)]
        command = [sys.executable, "-c", PROGRAM, "animate", str(picture), "--depth", str(depth), *options]
        # As installed: modules are compiled once, not in every run.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        whole: list[tuple[float, float]] = []
        alone: list[tuple[float, float]] = []
        for _ in range(arguments.rounds):
            started = clocks()
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            whole.append(since(started))
            with VideoReader(film) as reader:
                frames = [frame.image for frame in reader]
            started = clocks()
            write_animation(iter(frames), folder / "b.mp4", fps=Fraction(30), size=size, count=len(frames), force=True)
            alone.append(since(started))
        print(done.stderr.strip().splitlines()[-1])
        print(f"{len(frames)} frames of {size}; medians of {arguments.rounds} rounds (lowest to highest)")
        for number, kind in enumerate(("wall", "CPU")):
            mine, its = ([times[number] for times in each] for each in (whole, alone))
            ratios = [a / b for a, b in zip(mine, its, strict=True)]
            for title, values in (("depth3d animate", mine), ("encoder alone", its)):
                middle = statistics.median(values)
                print(f"{title:16} {middle:6.2f} s {kind}  ({min(values):.2f} to {max(values):.2f})")
            print(f"{'ratio':16} {statistics.median(ratios):6.2f}    ({min(ratios):.2f} to {max(ratios):.2f})")
            print(f"{'of the lowest':16} {min(mine) / min(its):6.2f}")


def clocks() -> tuple[float, float]:
    """Wall clock, and CPU time of this process and its ended children."""
    times = os.times()
    return time.perf_counter(), sum(times[:4])


def since(started: tuple[float, float]) -> tuple[float, float]:
    wall, cpu = clocks()
    return wall - started[0], cpu - started[1]


if __name__ == "__main__":
    main()
