"""How exact is depth from a stereo pair: depth3d beside plain OpenCV on Middlebury scenes and on made ones.

    python examples/measure_matching.py [FOLDER]

The made scenes (matching_scenes.py) are striped covers and wallpapers of five periods, a bookshelf, and bare walls.
FOLDER holds one folder a scene with left.png, right.png and disp_left.npy (float32 px, NaN = unknown).
bad-2.0 = share of pixels off by more than 2 px, bad-1.0 likewise; EPE = mean absolute error in px. "non-occ" counts
pixels that both eyes see. Plain SGBM leaves pixels open: they count as wrong in bad, and as 0 in EPE after its
own fill (nearest known in the row). Times are CPU seconds of one thread, best of two runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matching_scenes import SCENES, render
from numpy.typing import NDArray

from depth3d.depth.stereo.consistency import fill_from_far
from depth3d.depth.stereo.match import stereo_disparity
from depth3d.image import Image
from depth3d.io.image.read import open_image

Map = NDArray[Any]


def plain_flow(left: Image, right: Image) -> Map:
    """OpenCV's DIS flow (medium) and nothing else."""
    a, b = (cv2.cvtColor(eye.pixels, cv2.COLOR_RGB2GRAY) for eye in (left, right))
    still = np.zeros((*a.shape, 2), np.float32)
    return -np.asarray(cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(a, b, still))[..., 0]


def plain_sgbm(left: Image, right: Image) -> Map:
    """OpenCV's SGBM with the parameters of its own example; it has to be told the range, here 0 to 95."""
    matcher = cv2.StereoSGBM.create(
        0,
        96,
        5,
        P1=8 * 3 * 25,
        P2=32 * 3 * 25,
        disp12MaxDiff=1,
        uniquenessRatio=10,
        speckleWindowSize=100,
        speckleRange=2,
    )
    found = matcher.compute(left.pixels, right.pixels).astype(np.float32) / 16
    return np.where(found < 0, np.nan, found)


METHODS: dict[str, Callable[[Image, Image], Map]] = {
    "plain DIS": plain_flow,
    "plain SGBM": plain_sgbm,
    "depth3d dis": lambda left, right: stereo_disparity(left, right, "dis").disparity.values,
    "depth3d sgm": lambda left, right: stereo_disparity(left, right, "sgm").disparity.values,
}


def seen_by_both(truth: Map) -> NDArray[np.bool_]:
    """Where no nearer point of the left picture lands on the same pixel of the right one, nor outside it."""
    height, width = truth.shape
    disparity = np.nan_to_num(truth, nan=-1e3)
    target = np.round(np.arange(width)[None, :] - disparity).astype(int)
    inside = (target >= 0) & (target < width) & np.isfinite(truth)
    rows = np.broadcast_to(np.arange(height)[:, None], truth.shape)
    nearest = np.full(truth.shape, -1e3)
    np.maximum.at(nearest, (rows[inside], target[inside]), disparity[inside])
    visible = np.zeros(truth.shape, bool)
    visible[inside] = disparity[inside] >= nearest[rows[inside], target[inside]] - 1
    return visible


def errors(found: Map, truth: Map) -> tuple[float, float, float, float]:
    """bad-2.0 non-occ, bad-1.0 non-occ (percent), EPE non-occ (px), bad-2.0 of all known pixels."""
    known = np.isfinite(found)
    wrong = np.where(known, np.abs(np.nan_to_num(found) - truth), np.inf)
    filled = np.abs(fill_from_far(np.nan_to_num(found).astype(np.float32), known) - truth)
    both, there = seen_by_both(truth), np.isfinite(truth)
    return (
        float((wrong[both] > 2).mean() * 100),
        float((wrong[both] > 1).mean() * 100),
        float(filled[both].mean()),
        float((wrong[there] > 2).mean() * 100),
    )


def made_scenes() -> Iterator[tuple[str, Image, Image, Map]]:
    """Name, both eyes, and true disparity of each made scene."""
    for name, planes in SCENES.items():
        yield name, *render(planes())


def real_scenes(folder: Path) -> Iterator[tuple[str, Image, Image, Map]]:
    """The same of each folder with a disp_left.npy."""
    for truth in sorted(folder.glob("*/disp_left.npy")):
        eyes = (open_image(truth.parent / f"{eye}.png") for eye in ("left", "right"))
        yield truth.parent.name, *eyes, np.load(truth)


def measure(name: str, scenes: list[tuple[str, Image, Image, Map]]) -> None:
    """Print one line a scene and their mean for the method ``name``."""
    rows = []
    for scene, left, right, truth in scenes:
        spent = []
        for _ in range(2):
            start = time.process_time()
            found = METHODS[name](left, right)
            spent.append(time.process_time() - start)
        rows.append((*errors(found, truth), min(spent)))
        print(f"{name:12} {scene:12} " + " ".join(f"{value:7.2f}" for value in rows[-1]))
    mean = " ".join(f"{value:7.2f}" for value in np.mean(rows, axis=0))
    print(f"{name:12} {'mean':12} {mean}   worst {max(row[0] for row in rows):.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    folder = parser.parse_args().folder
    cv2.setNumThreads(1)
    print(f"{'method':12} {'scene':12} {'bad2 %':>7} {'bad1 %':>7} {'EPE px':>7} {'bad2 all':>8} {'CPU s':>6}")
    for name in METHODS:
        if folder:
            measure(name, list(real_scenes(folder)))
        measure(name, list(made_scenes()))


if __name__ == "__main__":
    main()
