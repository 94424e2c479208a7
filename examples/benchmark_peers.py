"""The whole way from command to file, beside other programs: CPU time, wall time and memory of each, in turn.

    python examples/benchmark_peers.py [--picture FILE [--depth FILE]] [--clip FILE] [--size 1280x720] [--seconds 5]
    python examples/benchmark_peers.py --peer 'NAME=COMMAND {input} ... {output}' [--only photo] [--rounds 3]

Peers are run if their command is found: DepthFlow (`depthflow`, a photo becomes an animation) and iw3 (`iw3`, or
`python -m iw3` with the Python given by IW3_PYTHON; a clip becomes side-by-side stereo). They are no part of this
project, and all others are told as absent. Every round runs all programs one after the other, so that other work on
the machine meets all of them; the medians are printed, and ratios to ours. Each program uses its own defaults, its own
depth network included: the first run may download one; with `--depth` all take the photo's depth from that file.
`--peer` adds a command, or replaces one of these; {input}, {output}, {depth}, {width}, {height}, {fps}, {seconds} are
filled in.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
FPS = 30


class Spent(NamedTuple):
    """What one run needed, children included."""

    cpu: float
    wall: float
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, default=HERE / "coffee.jpg")
    parser.add_argument("--depth", type=Path, help="depth map of the picture, white = near")
    parser.add_argument("--clip", type=Path, default=HERE / "bigbuckbunny.mp4")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("photo", "clip"))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND", help="a photo's; more than once")
    arguments = parser.parse_args()
    if not hasattr(os, "wait4"):
        sys.exit("this benchmark needs wait4, which Windows does not have")
    width, height = arguments.size.split("x")
    values = {"width": width, "height": height, "seconds": f"{arguments.seconds:g}", "fps": str(FPS)}
    if arguments.depth is not None:
        values["depth"] = str(arguments.depth.resolve())
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    for kind, source in (("photo", arguments.picture), ("clip", arguments.clip)):
        if arguments.only in (None, kind):
            compare(kind, source, values, arguments.rounds, arguments.peer if kind == "photo" else [])


def commands(kind: str, more: list[str], *, given: bool = False) -> dict[str, list[str] | None]:
    """The programs for a photo or a clip, ours first; None where one is not installed. ``given``: with {depth}."""
    ours, found = [sys.executable, "-m", "depth3d"], shutil.which("depthflow")
    size = ["--size", "{width}x{height}"]
    if kind == "photo":
        source = ["--depth", "{depth}"] if given else ["--model", "tiny"]
        animate = ["animate", "{input}", *source, "--seconds", "{seconds}", "--fps", "{fps}"]
        loop = ["-w", "{width}", "-h", "{height}", "-f", "{fps}", "-t", "{seconds}"]
        flow = ["input", "-i", "{input}", *(["-d", "{depth}"] if given else []), "main", *loop]
        programs: dict[str, list[str] | None] = {
            "depth3d": [*ours, *animate, *size, "--force", "-o", "{output}"],
            "DepthFlow": [found, *flow, "-o", "{output}"] if found else None,
        }
    else:
        python, iw3 = os.environ.get("IW3_PYTHON"), shutil.which("iw3")
        start = [python, "-m", "iw3"] if python else [iw3] if iw3 else None
        programs = {
            "depth3d": [*ours, "stereo", "{input}", "--model", "tiny", "--force", "-o", "{output}"],
            "iw3": [*start, "-i", "{input}", "-o", "{output}", "-y"] if start else None,
        }
    for entry in more:
        name, _, command = entry.partition("=")
        programs[name] = shlex.split(command)
    return programs


def compare(kind: str, source: Path, values: dict[str, str], rounds: int, more: list[str]) -> None:
    """Run all programs in turn and print what they needed."""
    programs = commands(kind, more, given="depth" in values)
    spent: dict[str, list[Spent]] = {name: [] for name, command in programs.items() if command}
    print(f"\n{kind} {source.name}, {rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for name in list(spent):
                output = Path(folder) / f"{name}{number}.mp4"
                told = values | {"input": str(source.resolve()), "output": str(output)}
                try:
                    spent[name].append(run([word.format(**told) for word in programs[name] or ()], output))
                except (RuntimeError, OSError) as error:
                    print(f"{name} failed: {error}")
                    del spent[name]
    for name in programs.keys() - spent.keys():
        if programs[name] is None:
            print(f"{name} is not installed")
    middle = {name: Spent(*map(statistics.median, zip(*runs, strict=True))) for name, runs in spent.items()}
    print(f"{'program':12}{'CPU s':>9}{'wall s':>9}{'most MB':>9}   beside ours: CPU, wall, memory")
    for name, each in middle.items():
        base = middle.get("depth3d", each)
        ratios = "".join(f"{a / b:8.2f}" for a, b in zip(each, base, strict=True))
        print(f"{name:12}{each.cpu:9.2f}{each.wall:9.2f}{each.megabytes:9.0f} {ratios}")


def run(command: list[str], output: Path) -> Spent:
    """Run a program to its end. Raises ``RuntimeError`` with its last line if it fails or writes nothing."""
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        # DepthFlow opens a window unless told otherwise.
        environment = {"WINDOW_BACKEND": "headless", **os.environ}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        log.seek(0)
        lines = log.read().decode(errors="replace").strip().splitlines() or ["no output"]
    if process.returncode or not output.exists():
        raise RuntimeError(f"exit {process.returncode}, {lines[-1]}")
    # The largest of the program and its children, in KB (macOS: bytes).
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return Spent(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / scale)


if __name__ == "__main__":
    main()
