"""How fast depth networks run here: official-style eager float32 against this package's engines, interleaved.

    python examples/benchmark_depth.py [MODEL...] [--weights FILE] [--rounds N] [--threads N]

By default tiny, MiDaS v2.1 small and Depth Anything V2 Small, one after another. Weights come from the cache, from
FILE, or are random (then the errors in the table say nothing about a trained network). The baseline is a plain
implementation of the official forward: channels first, nothing folded, upsampling before the 1x1 convolutions, readout
on concatenated tokens, attention written out. Every engine runs the same input in turn; the table shows the median and
the fastest round in wall time, the fastest in CPU time (what to trust on a busy machine) and the speed-up by it. "clip"
is the same for a frame of a clip, as this package runs them: several side by side, on their share of the threads each;
the baseline has no such mode. Then how far the result is from the baseline's, and the peak memory in a process of its
own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from depth3d.depth import checkpoint, registry, weights
from depth3d.depth.card import ModelCard
from depth3d.depth.checkpoint import load_network
from depth3d.depth.engines.base import cores
from depth3d.depth.engines.factory import open_engine
from depth3d.depth.engines.precision import has_bfloat16
from depth3d.depth.models.decoder import Fusion
from depth3d.depth.models.reassemble import Reassemble
from depth3d.errors import ModelError

Run = Callable[[Any], Any]
VARIANTS = {
    "torch float32": ("torch", "float32"),
    "torch bfloat16": ("torch", "bfloat16"),
    "onnxruntime": ("onnxruntime", "float32"),
    "opencv": ("opencv", "float32"),
    "openvino float32": ("openvino", "float32"),
    "openvino bfloat16": ("openvino", "bfloat16"),
}
MODELS = ("tiny", "midas_v21_small_256", "depth_anything_v2_small")
PHOTO = (("median ms", 9), ("best ms", 8), ("CPU ms", 8), ("speed-up", 8))
CLIP = (("clip ms", 9), ("CPU ms", 9), ("speed-up", 8))
HEADS = (*PHOTO, *CLIP, ("mean error", 10), ("99 %", 7), ("MB", 6))


def official_style(card: ModelCard, path: Path, threads: int) -> Run:
    """The plain forward, as MiDaS runs it."""

    def fuse(self: Any, path: Any, skip: Any, size: Any) -> Any:
        x = skip if path is None or self.skip_unit is None else path + self.skip_unit(skip)
        x = functional.interpolate(self.unit(x), size=list(size), mode="bilinear", align_corners=True)
        return self.project(x)

    def reassemble(self: Any, tokens: Any, grid: Any) -> Any:
        if self.readout is None:  # Depth Anything drops the class token
            x = tokens[:, 1:].transpose(1, 2)
            return self.resize(self.project(x.reshape(len(x), -1, *grid)))
        both = torch.cat([tokens[:, 1:], tokens[:, :1].expand_as(tokens[:, 1:])], dim=-1)
        x = functional.gelu(self.readout(both)).transpose(1, 2)
        return self.resize(self.project(x.reshape(len(x), -1, *grid)))

    network = load_network(card, path)
    for module in network.modules():
        if isinstance(module, Fusion):
            module.forward = MethodType(fuse, module)  # type: ignore[method-assign]
        elif isinstance(module, Reassemble):
            module.forward = MethodType(reassemble, module)  # type: ignore[method-assign]
        elif hasattr(module, "fused_attn"):
            setattr(module, "fused_attn", False)  # noqa: B010

    def run(inputs: Any) -> Any:
        torch.set_num_threads(threads)
        with torch.no_grad():
            return network(torch.from_numpy(inputs)).numpy()

    return run


def opened(name: str, card: ModelCard, path: Path, threads: int) -> Run:
    if name == "official style":
        return official_style(card, path, threads)
    engine, precision = VARIANTS[name]
    return open_engine(card, path, device="cpu", engine=engine, threads=threads, precision=precision)


def peak_memory(name: str, model: str, path: Path, threads: int, inputs: Any) -> float:
    """Megabytes at most, in a process that runs nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (name, model, path, threads, inputs))


def _peak(name: str, model: str, path: Path, threads: int, inputs: Any) -> float:
    run = opened(name, registry.get(model), path, threads)
    for _ in range(2):
        run(inputs)
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would tell the parent's peak, too
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if platform.system() == "Darwin" else 1e3)


def random_weights(card: ModelCard, folder: str) -> Path:
    torch.manual_seed(0)
    path = Path(folder) / "random.pt"
    network = checkpoint.build(card, fill=True)
    torch.save(network.state_dict(), path)
    return path


def table(card: ModelCard, path: Path, rounds: int, threads: int, *, memory: bool) -> None:
    side = card.input.size
    inputs = np.random.default_rng(0).normal(0, 1, (1, 3, side, side)).astype(np.float32)
    runs: dict[str, Run] = {}
    for name in ("official style", *VARIANTS):
        try:
            runs[name] = opened(name, card, path, threads)
            runs[name](inputs)
        except ModelError as error:
            runs.pop(name, None)
            print(f"{name}: {error}")
    clips = {name: inputs.repeat(getattr(run, "batch", 1), axis=0) for name, run in runs.items()}
    photo: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    clip: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    said: dict[str, Any] = {}
    for _ in range(rounds):
        for name, run in runs.items():
            said[name] = timed(run, inputs, photo[name])
    for run, many in zip(runs.values(), clips.values(), strict=True):
        run(many)  # engines may lay out their weights anew for fewer threads
    for _ in range(rounds):
        for name, run in runs.items():
            timed(run, clips[name], clip[name])
    exact = said["official style"]
    span = float(exact.max() - exact.min())
    print(" " * 18, *(head.rjust(width) for head, width in HEADS))
    base, clip_base = best(photo["official style"]), best(clip["official style"])
    for name in runs:
        wrong = np.abs(said[name] - exact) / span
        (wall, work), (clip_wall, clip_work) = best(photo[name]), best(clip[name])
        megabytes = f"{peak_memory(name, card.name, path, threads, inputs):6.0f}" if memory else ""
        print(
            f"{name:18} {statistics.median(wall for wall, _ in photo[name]):9.1f} {wall:8.1f} {work:8.1f}"
            f" {base[1] / work:8.2f} {clip_wall:9.1f} {clip_work:9.1f} {clip_base[1] / clip_work:8.2f}"
            f" {wrong.mean():10.3%} {np.quantile(wrong, 0.99):7.3%} {megabytes}"
        )


def timed(run: Run, inputs: Any, into: list[tuple[float, float]]) -> Any:
    """The result; wall and CPU milliseconds for one picture are put into the list."""
    started, used = time.perf_counter(), time.process_time()
    found = run(inputs)
    per_picture = 1e3 / len(inputs)
    into.append(((time.perf_counter() - started) * per_picture, (time.process_time() - used) * per_picture))
    return found


def best(times: list[tuple[float, float]]) -> tuple[float, float]:
    return min(wall for wall, _ in times), min(work for _, work in times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS, metavar="MODEL")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--no-openvino", action="store_true")
    asked = parser.parse_args()
    if asked.no_openvino:
        del VARIANTS["openvino float32"], VARIANTS["openvino bfloat16"]
    if not has_bfloat16():  # torch would emulate it, OpenVINO would run float32 in its place
        for name in [name for name in VARIANTS if name.endswith("bfloat16")]:
            del VARIANTS[name]
        print("this processor has no native bfloat16")
    for card in [registry.get(name) for name in asked.models]:
        found = weights.cached(card)
        with tempfile.TemporaryDirectory() as folder:
            path = asked.weights or (found.path if found else random_weights(card, folder))
            print(
                f"{card.name}, {card.input.size} px, {asked.threads} thread(s), torch {torch.__version__}, {path.name}"
            )
            table(card, path, asked.rounds, asked.threads, memory=not asked.no_memory)


if __name__ == "__main__":
    main()
