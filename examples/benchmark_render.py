"""How fast a frame is drawn, stage by stage, beside a ray march of the same scene, interleaved.

    python examples/benchmark_render.py [PICTURE DEPTH] [--size 1280x720] [--quality normal] [--rounds 20]

Without a picture: a scene made by formula, columns and discs at many depths before a wall. Every round draws
the same view with the mesh and with the ray march, one after the other, so that both meet the same noise.
Wall-clock medians count; CPU time of all threads stands beside them. On a busy machine only the lowest CPU times mean
something.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from yardsticks import RayMarch

from depth3d.camera import Camera
from depth3d.depthmap import DepthMap
from depth3d.geometry.camera.paths import largest_travel, named_path
from depth3d.geometry.mesh.layers import build_layers
from depth3d.image import Image, Size
from depth3d.render.context import describe_context, get_context, run_on_render_thread
from depth3d.render.readback import read_image
from depth3d.render.renderer import Renderer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", nargs="?", type=Path)
    parser.add_argument("depth", nargs="?", type=Path)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--quality", default="normal", choices=("draft", "normal", "high"))
    parser.add_argument("--amount", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    size = Size(*map(int, arguments.size.split("x")))
    image, depth = load(arguments.picture, arguments.depth, size)
    print(f"{describe_context()['renderer']}; {platform.processor() or platform.machine()}, {os.cpu_count()} CPUs")
    path = named_path("circle", Camera(), size.aspect, amount=arguments.amount, seconds=6.0, focus=0.5)
    parallax, border = largest_travel(path, Camera(), size.aspect)
    mesh, seconds, cpu = timed(
        lambda: build_layers(image, depth, parallax_percent=parallax, border_percent=border, quality=arguments.quality)
    )
    faces = sum(len(layer.faces) for layer in mesh.layers)
    print(
        f"build layers      {seconds:8.3f} s   (CPU {cpu:.3f} s, {faces / size.pixels:.3f} triangles per pixel, once)"
    )
    with Renderer(size) as renderer:
        _, seconds, cpu = timed(lambda: renderer.upload(mesh))
        print(f"upload            {seconds * 1000:8.1f} ms  (CPU {cpu * 1000:.1f} ms, once)")
        march = RayMarch(image, depth)
        travel = (arguments.amount / 200 * size.width, 0.0)

        def mesh_frame(at: float) -> None:
            renderer.render(path.at(at))
            run_on_render_thread(lambda: get_context().finish())

        def march_frame(_: float) -> None:
            march.render(travel, 0.5)
            run_on_render_thread(lambda: get_context().finish())

        stages: dict[str, Callable[[float], object]] = {
            "render": mesh_frame,
            "render + read": lambda at: renderer.draw(path.at(at)),
            "ray march": march_frame,
            "read alone": lambda at: run_on_render_thread(read_image, renderer.target),
        }
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in stages}
        for number in range(arguments.rounds + 2):
            for name, stage in stages.items():
                _, *times = timed(lambda stage=stage, number=number: stage(number * 0.3))  # type: ignore[misc]
                if number >= 2:  # the first rounds warm up
                    spent[name].append((times[0], times[1]))
    middle = {name: np.median(times, axis=0) * 1000 for name, times in spent.items()}
    for name, (wall, cpu) in middle.items():
        low, high = np.percentile([time[0] * 1000 for time in spent[name]], (25, 75))
        lowest = min(time[1] * 1000 for time in spent[name])
        spread = f"({low:.1f} to {high:.1f}; CPU {cpu:.1f} ms, lowest {lowest:.1f})"
        print(f"{name:16s}  {wall:8.1f} ms  {spread}  {1000 / wall:.1f} frames/s")
    ratios = [march[0] / mesh[0] for march, mesh in zip(spent["ray march"], spent["render"], strict=True)]
    least = min(march[1] for march in spent["ray march"]) / min(mesh[1] for mesh in spent["render + read"])
    print(f"the mesh is {np.median(ratios):.2f} times as fast as the ray march; by lowest CPU times, read, {least:.2f}")


Result = TypeVar("Result")


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def load(picture: Path | None, depth: Path | None, size: Size) -> tuple[Image, DepthMap]:
    if picture is None or depth is None:
        return scene(size)
    from depth3d.io.depth.read import read_depth
    from depth3d.io.image.read import open_image

    return open_image(picture).resized(size), read_depth(depth).resized(size)


def scene(size: Size) -> tuple[Image, DepthMap]:
    """A sloping floor, columns and discs at many depths before a wall, all with fine texture."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0 : size.height, 0 : size.width] / size.width
    depth = np.maximum(0.1, 1.2 * (rows - 0.3)).astype(np.float32)
    color = np.stack([120 + 60 * np.sin(80 * columns), 110 + 50 * np.cos(60 * rows), 100 + 0 * rows], -1)
    for _ in range(30):
        x, y, level = rng.random(), rng.random() * 0.6, rng.random() * 0.9 + 0.1
        if rng.random() < 0.4:
            inside = np.abs(columns - x) < 0.004 + 0.02 * level
        else:
            inside = np.hypot(columns - x, rows - y) < 0.02 + 0.06 * level
        inside &= depth < level
        depth[inside] = level
        color[inside] = rng.integers(30, 226, 3)
    color += rng.normal(0, 12, color.shape)
    return Image(np.clip(color, 0, 255).astype(np.uint8)), DepthMap(np.clip(depth, 0, 1))


if __name__ == "__main__":
    main()
