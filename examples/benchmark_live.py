"""What a live view costs: processor time a frame, frames per second, latency, on this machine.

    python examples/benchmark_live.py [--frames 40] [--width 640] [--format anaglyph] [--engine auto]

Plays the clip of this folder, scaled to ``--width``, in real time through ``depth3d live``'s steps: decoding, network,
both eyes, JPEG for the page. Processor time divided by the number of cores is the shortest time a frame can take on a
machine that does nothing else; frames per second and latency are those of the machine as it is, whose load is printed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg
import torch  # noqa: F401 - before OpenGL: with Mesa's llvmpipe the other order crashes

from depth3d.image import Image
from depth3d.options import LiveOptions
from depth3d.pipeline.live import LiveReport, run_live
from depth3d.studio.broadcast import Broadcast

CLIP = Path(__file__).parent / "bigbuckbunny.mp4"
WARMUP = 8  # frames


def scaled(folder: Path, width: int) -> Path:
    """Write the clip at ``width``, several times in a row."""
    made = folder / "clip.mp4"
    words = ["-v", "error", "-stream_loop", "5", "-i", str(CLIP), "-vf", f"scale={width}:-2", "-an"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *words, "-preset", "veryfast", str(made)], check=True)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--format", default="anaglyph")
    parser.add_argument("--engine", default="auto")
    args = parser.parse_args()
    page = Broadcast()
    used: list[float] = []

    def show(picture: Image, report: LiveReport) -> bool:
        used.append(time.process_time())
        return page.show(picture, report) and len(used) < args.frames + WARMUP

    with tempfile.TemporaryDirectory() as folder:
        clip = scaled(Path(folder), args.width)
        report = run_live(str(clip), LiveOptions(format=args.format, width=args.width, engine=args.engine), show)
    each = (used[-1] - used[WARMUP]) / (len(used) - 1 - WARMUP)
    load = f"; load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    print(f"{1000 * each:.0f} ms of processor time a frame: up to {cores / each:.1f} frames/s on {cores} idle cores")
    print(f"now: {report.line()}{load}")


if __name__ == "__main__":
    main()
