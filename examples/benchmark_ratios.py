"""Has the program become slower? CPU time of its stages against a frozen yardstick beside each.

    python examples/benchmark_ratios.py [--rounds 5]

Stage and yardstick run in turn in one process, on one thread, and the best CPU time of each counts: other work on the
machine only ever adds, and adds to both. The ratio is compared with the one recorded in ``RECORDED``. A ratio of more
than ``MARGIN`` times as much ends in an error; less is noise, or another processor. The yardsticks are no part of the
package: a ray march, the network's plain forward in torch, the encoder alone, and filters of OpenCV.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "LP_NUM_THREADS"):  # of torch and of software OpenGL, read when they are loaded
    os.environ[variable] = "1"

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from benchmark_depth import official_style, opened  # noqa: E402
from benchmark_render import scene  # noqa: E402
from yardsticks import RayMarch  # noqa: E402

from depth3d.camera import Camera  # noqa: E402
from depth3d.depth import registry, weights  # noqa: E402
from depth3d.depthmap import DepthMap  # noqa: E402
from depth3d.geometry.camera.paths import largest_travel, named_path  # noqa: E402
from depth3d.geometry.edges.outlines import sharp_depth  # noqa: E402
from depth3d.geometry.mesh.layers import build_layers  # noqa: E402
from depth3d.image import Image, Size  # noqa: E402
from depth3d.io.animation import write_animation  # noqa: E402
from depth3d.render.renderer import Renderer  # noqa: E402

Work = Callable[[], object]
MARGIN = 2.0
# Stage over yardstick, on two shared cores of a server (AMX) under load; edges and layers without AMX.
RECORDED = {"network": 0.63, "edges": 0.9, "layers": 1.6, "frame": 0.28, "animation": 2.2}
FRAME, LARGE, FRAMES = Size(640, 360), Size(1920, 1080), 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{'stage':12}{'CPU ms':>9}{'yardstick':>11}{'ratio':>8}{'recorded':>10}")
    slow = []
    for name, pair in STAGES.items():
        with pair() as (stage, yardstick):
            own, other = in_turn(stage, yardstick, arguments.rounds)
        ratio = own / other
        print(f"{name:12}{1000 * own:9.1f}{1000 * other:11.1f}{ratio:8.3f}{RECORDED[name]:10.3f}", flush=True)
        if ratio > MARGIN * RECORDED[name]:
            slow.append(f"{name}: {ratio:.3f} times its yardstick, {ratio / RECORDED[name]:.1f} times as recorded")
    if slow:
        sys.exit("slower than before\n" + "\n".join(slow))


def in_turn(one: Work, other: Work, rounds: int) -> tuple[float, float]:
    """Least CPU seconds of both, called in turn, after one call of each to warm up."""
    best = [float("inf"), float("inf")]
    for number in range(rounds + 1):
        for index, work in enumerate((one, other)):
            began = time.process_time()
            work()
            if number:
                best[index] = min(best[index], time.process_time() - began)
    return best[0], best[1]


@contextmanager
def network() -> Iterator[tuple[Work, Work]]:
    """The network in the package, run by the torch engine, against its plain forward."""
    card = registry.get("tiny")
    found = weights.cached(card)
    assert found is not None
    side = card.input.size
    inputs = np.random.default_rng(0).normal(0, 1, (1, 3, side, side)).astype(np.float32)
    ours, plain = opened("torch float32", card, found.path, 1), official_style(card, found.path, 1)
    yield lambda: ours(inputs), lambda: plain(inputs)


@contextmanager
def layers() -> Iterator[tuple[Work, Work]]:
    """Layers of a soft depth map full of steps, against filters of the same picture."""
    image, depth = soft_scene()
    yield lambda: build_layers(image, depth, parallax_percent=1.0, border_percent=0.5), filters(image, depth)


@contextmanager
def edges() -> Iterator[tuple[Work, Work]]:
    """The edges of this depth map made sharp, the larger half of its layers, against the same filters."""
    image, depth = soft_scene()
    yield lambda: sharp_depth(image, depth, 1.0), filters(image, depth)


def soft_scene() -> tuple[Image, DepthMap]:
    image, depth = scene(LARGE.fit(1280))
    return image.resized(LARGE), depth.resized(LARGE)


def filters(image: Image, depth: DepthMap) -> Work:
    def work() -> None:
        for _ in range(10):
            cv2.GaussianBlur(image.pixels.astype(np.float32), (0, 0), 8.0)
            cv2.medianBlur(image.pixels, 5)
            np.sort(depth.values, axis=1)

    return work


@contextmanager
def frame() -> Iterator[tuple[Work, Work]]:
    """A frame drawn from the layers and read back, against a ray march of the same scene."""
    image, depth = scene(FRAME)
    path = named_path("circle", Camera(), FRAME.aspect, amount=2.0, seconds=6.0, focus=0.5)
    parallax, border = largest_travel(path, Camera(), FRAME.aspect)
    march = RayMarch(image, depth)
    with Renderer(FRAME) as renderer:
        renderer.upload(build_layers(image, depth, parallax_percent=parallax, border_percent=border))
        travel = (0.02 * FRAME.width, 0.01 * FRAME.width)
        yield lambda: renderer.draw(path.at(1.0)), lambda: march.draw(travel, 0.5)


@contextmanager
def animation() -> Iterator[tuple[Work, Work]]:
    """Frames drawn and encoded, against the encoder alone."""
    image, depth = scene(FRAME)
    path = named_path("circle", Camera(), FRAME.aspect, amount=2.0, seconds=6.0, focus=0.5)
    parallax, border = largest_travel(path, Camera(), FRAME.aspect)
    with Renderer(FRAME) as renderer, tempfile.TemporaryDirectory() as folder:
        renderer.upload(build_layers(image, depth, parallax_percent=parallax, border_percent=border))
        cameras = [path.at(index / 10) for index in range(FRAMES)]
        drawn = [renderer.draw(camera) for camera in cameras]

        def encode(frames: Iterator[Image]) -> None:
            write_animation(frames, Path(folder) / "film.mp4", fps=Fraction(30), size=FRAME, count=FRAMES, force=True)

        yield lambda: encode(renderer.draw(camera) for camera in cameras), lambda: encode(iter(drawn))


# The network first: torch must be loaded before an OpenGL context is made.
STAGES = {"network": network, "edges": edges, "layers": layers, "frame": frame, "animation": animation}

if __name__ == "__main__":
    main()
