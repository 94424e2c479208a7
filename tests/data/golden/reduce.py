"""Make these folders from the full packs of golden outputs: `python reduce.py FOLDER_OF_FULL_PACKS`.

A full pack holds the outputs of the official code (every pixel or every second one, and many intermediate maps). Here
stay: what the tests read, a few thousand pixels of each output, the recipe of the weights, the names and shapes of the
official checkpoints. ../README.md says how the full packs were made.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
Arrays = dict[str, np.ndarray]
# Outputs of a network are kept on a grid of about this many points each way.
POINTS = 32


def coarser(arrays: Arrays, keep: tuple[str, ...] = (), points: int = POINTS) -> Arrays:
    """Keep every n-th pixel of PREFIX_out, _out64, _logdepth ..., and multiply PREFIX_stride by n."""
    made = {name: array for name, array in arrays.items() if "_dbg_" not in name}
    for name in [name for name in made if name.endswith("_stride")]:
        prefix = name.removesuffix("_stride")
        maps = [key for key in made if key.startswith(f"{prefix}_") and made[key].ndim >= 2 and "hw" not in key]
        shortest = min(min(made[key].shape[-2:]) for key in maps)
        step = 1 if prefix in keep else max(1, shortest // points)
        for key in maps:
            made[key] = np.ascontiguousarray(made[key][..., ::step, ::step])
        made[name] = made[name] * step
    return made


def midas(name: str, arrays: Arrays) -> Arrays:
    return arrays if name == "preprocess" else coarser(arrays)


def depth_anything(name: str, arrays: Arrays) -> Arrays:
    if name.startswith("end_to_end"):
        wanted = "518_100x150_out" if name == "end_to_end" else "252_120x90_out"
        return {wanted: arrays[wanted]}
    if name.startswith("video"):  # many frames
        return coarser(arrays, points=11)
    return arrays if name == "preprocess" else coarser(arrays, ("sm",) if name == "depth_anything_v2_vits" else ())


def flow(name: str, arrays: Arrays) -> Arrays:
    if name == "ops":
        return arrays
    made = {key: array for key, array in arrays.items() if "_dbg_" not in key and not key.endswith("_out")}
    if name == "pwcnet":
        return {key: array for key, array in made.items() if not key.startswith("192x256_flow")}
    return coarser(made)


def mannequin(name: str, arrays: Arrays) -> Arrays:
    made = {key: array for key, array in arrays.items() if "_dbg_" not in key and "confidence" not in key}
    if name == "davis":
        return {key: array for key, array in made.items() if not key.startswith("davis_200x300_") or "input" in key}
    return coarser(made, ("small",))


PACKS: dict[str, Callable[[str, Arrays], Arrays]] = {
    "midas": midas, "flow": flow, "mannequin": mannequin, "depth_anything": depth_anything,
}  # fmt: skip


def main() -> None:
    for pack, reduce in PACKS.items():
        source, target = Path(sys.argv[1]) / pack, HERE / pack
        target.mkdir(exist_ok=True)
        for path in sorted(source.iterdir()):
            if (pack, path.name) == ("depth_anything", "preprocess.npz"):
                continue
            if path.suffix == ".npz":
                with np.load(path) as arrays:
                    np.savez_compressed(target / path.name, **reduce(path.stem, dict(arrays)))
            elif path.suffix == ".json":
                (target / path.name).write_text(json.dumps(json.loads(path.read_text()), separators=(",", ":")) + "\n")
            elif path.name == "recipe.py":
                shutil.copyfile(path, target / path.name)


if __name__ == "__main__":
    main()
