"""How time and memory grow with the picture: stills up to 48 megapixels, and a clip of 3840x2160.

    python examples/measure_growth.py [--quality normal] [--frames 3]
    python examples/measure_growth.py --fill PHOTO DEPTH    # only the filling of hidden parts, of a real photo

Every row is a process of its own: a scene made by formula becomes layers, goes to the GPU and is drawn from
``frames`` places of a circle (the fastest counts: other work on the machine only ever adds). The last line is the
command itself, ``depth3d animate --depth``, for a 4K clip of as many frames. Pictures over 1280 wide are enlarged, so
their depth is as soft as a network's and its edges are sharpened. Memory is the most that the process ever held, the
picture itself, its depth and software OpenGL included; "bytes per pixel" is what building needs beyond the picture and
its depth.

``--fill`` enlarges a photo and its depth to 12 megapixels, builds the layers for a circle of 2 and of 4 % three times,
and prints the seconds that completing the background takes (the run with the least CPU time, all threads together).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmark_render import load, scene, timed

from depth3d.camera import Camera
from depth3d.geometry.camera.paths import largest_travel, named_path
from depth3d.geometry.mesh import layers
from depth3d.image import Size
from depth3d.io.image.read import open_image
from depth3d.options import Quality
from depth3d.render.context import describe_context
from depth3d.render.renderer import Renderer

SIZES = (Size(1280, 720), Size(2400, 1700), Size(4000, 3000), Size(6000, 4000), Size(8000, 6000))
CLIP = Size(3840, 2160)
# The steps of building that complete the background behind the foreground and beyond the border.
FILL = ("extend_border", "extend_background", "read_beyond_rim", "paint_background")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quality", default="normal", choices=("draft", "normal", "high"))
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--fill", type=Path, nargs=2, metavar=("PHOTO", "DEPTH"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fill:
        print(fill_of_photo(*arguments.fill, arguments.quality))
        return
    if arguments.one:
        print(json.dumps(one(Size(*map(int, arguments.one.split("x"))), arguments.quality, arguments.frames)))
        return
    titles: tuple[str, ...] = ("picture", "megapixels", "build, s", "CPU s", "per million", "fill, s", "frame, ms")
    titles += ("CPU ms per million", "most MB", "bytes per pixel")
    print(f"| {' | '.join(titles)} |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for size in SIZES:
        done = child(__file__, "--one", f"{size}", "--quality", arguments.quality, "--frames", str(arguments.frames))
        told = json.loads(done)
        million, (build, build_cpu), (frame, frame_cpu) = size.pixels / 1e6, told["build"], told["frame"]
        print(
            f"| {size} | {million:.1f} | {build:.2f} | {build_cpu:.2f} | {build_cpu / million:.2f} "
            f"| {told['fill']:.2f} | {1000 * frame:.0f} | {1000 * frame_cpu / million:.0f} | {told['megabytes']:.0f} "
            f"| {told['beyond']:.0f} |",
            flush=True,
        )
    print(clip(arguments.frames))


def one(size: Size, quality: str, frames: int) -> dict[str, Any]:
    """Seconds (wall clock, CPU) to build and for a frame drawn and read back, and the most memory in MB."""
    image, depth = scene_of(size)
    path = named_path("circle", Camera(), size.aspect, amount=2.0, seconds=6.0, focus=0.5)
    parallax, border = largest_travel(path, Camera(), size.aspect)
    describe_context()
    fill = count_fill()
    before = megabytes(resource.RUSAGE_SELF)
    mesh, *build = timed(
        lambda: layers.build_layers(image, depth, parallax_percent=parallax, border_percent=border, quality=quality)  # type: ignore[arg-type]
    )
    beyond = (megabytes(resource.RUSAGE_SELF) - before) * 1e6 / size.pixels
    with Renderer(size) as renderer:
        renderer.upload(mesh)
        renderer.draw(path.at(0.0))  # the first frame compiles
        spent = [timed(lambda number=number: renderer.draw(path.at(number * 1.3)))[1:] for number in range(frames)]  # type: ignore[misc]
    frame = [min(times) for times in zip(*spent, strict=True)]
    return {
        "build": build,
        "fill": sum(seconds for seconds, _ in fill.values()),
        "frame": frame,
        "megabytes": megabytes(resource.RUSAGE_SELF),
        "beyond": beyond,
    }


def fill_of_photo(photo: Path, depth: Path, quality: Quality) -> str:
    """A table: wall clock and CPU seconds of each step of the fill, at 12 megapixels."""
    whole = open_image(photo).size
    factor = math.sqrt(12e6 / whole.pixels)
    image, values = load(photo, depth, Size(round(whole.width * factor), round(whole.height * factor)))
    spent = count_fill()
    rows = [f"{photo.name} at {image.size}: wall clock s, CPU s\n| amount | {' | '.join(FILL)} | together |"]
    rows.append("|---" * (len(FILL) + 2) + "|")
    for amount in (2.0, 4.0):
        path = named_path("circle", Camera.of_photo(image), image.size.aspect, amount=amount, seconds=6.0, focus=0.5)
        parallax, border = largest_travel(path, Camera.of_photo(image), image.size.aspect)
        runs = []
        for _ in range(3):
            spent.update(dict.fromkeys(FILL, (0.0, 0.0)))
            layers.build_layers(image, values, parallax_percent=parallax, border_percent=border, quality=quality)
            runs.append([*spent.values(), tuple(sum(part) for part in zip(*spent.values(), strict=True))])
        best = min(runs, key=lambda run: run[-1][1])
        rows.append(f"| {amount:g} % | {' | '.join(f'{wall:.2f}, {cpu:.2f}' for wall, cpu in best)} |")
    return "\n".join(rows)


def count_fill() -> dict[str, tuple[float, float]]:
    """Wrap the steps of the fill, so that their seconds (wall clock, CPU) are added up in what is returned."""
    spent = dict.fromkeys(FILL, (0.0, 0.0))

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            found, wall, cpu = timed(lambda: function(*given, **named))
            spent[name] = spent[name][0] + wall, spent[name][1] + cpu
            return found

        return run

    for name in FILL:
        setattr(layers, name, counted(name, getattr(layers, name)))
    return spent


def clip(frames: int) -> str:
    """What the command says and needs for a clip."""
    from depth3d.depthmap import DepthMap
    from depth3d.io.depth.write import write_depth
    from depth3d.io.image.read import save_image

    with tempfile.TemporaryDirectory() as folder:
        photo, depth_file, target = (Path(folder) / name for name in ("photo.jpg", "depth.png", "clip.mp4"))
        image, depth = scene_of(CLIP)
        save_image(image, photo)
        write_depth(DepthMap(depth.values), depth_file)
        del image, depth
        command = ["-m", "depth3d", "animate", str(photo), "--depth", str(depth_file), "-o", str(target), "--quiet"]
        # 10 frames a second: the fewest that a command of less than a second still asks for.
        wishes = ["--size", f"{CLIP}", "--seconds", str(float(Fraction(frames, 10))), "--fps", "10"]
        started = time.perf_counter()
        child(*command, *wishes)
        seconds = time.perf_counter() - started
        most = megabytes(resource.RUSAGE_CHILDREN)
        return (
            f"\n`depth3d animate` of {frames} frames of {CLIP}, command to file: {seconds:.1f} s, "
            f"{target.stat().st_size / 1e6:.1f} MB written (most memory of all rows: {most:.0f} MB)"
        )


def scene_of(size: Size) -> tuple:  # type: ignore[type-arg]
    """The scene of the other benchmark, made at 1280 wide and enlarged: its own making should not count as memory."""
    image, depth = scene(size.fit(1280))
    return image.resized(size), depth.resized(size)


def child(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, env=os.environ, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def megabytes(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
