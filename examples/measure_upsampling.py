"""How much better depth follows the picture's edges than with plain bicubic enlarging.

True disparity is blurred and shrunk as a network would draw it (Gaussian of 1.5 network pixels, half the
picture's width; a quarter for the synthetic scene), enlarged again, and compared with the truth.

    python examples/measure_upsampling.py                        the synthetic scene
    python examples/measure_upsampling.py SCENE_FOLDER ...       with left.png and disp_left.npy (NaN = unknown)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.depth import refine
from depth3d.image import Image
from depth3d.io.image.read import open_image

BLUR = 1.5  # standard deviation, network pixels
STEP = 0.04  # of the range: a step of true depth that counts as an edge
FLYING = 0.05  # of the range: a pixel that is further off floats between near and far


@dataclass(frozen=True)
class Scene:
    name: str
    image: Image
    truth: NDArray[np.float32]  # (H, W) in [0, 1], NaN = unknown
    shrink: int  # picture width / network width


def synthetic() -> Scene:
    """Two objects before a slanted wall, 1920x1080, textured and noisy."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[0:1080, 0:1920].astype(np.float32)
    truth = 0.15 + 0.1 * y / 1080
    colors = np.stack([90 + 30 * np.sin(x / 37 + y / 91), 120 + 20 * np.sin(y / 23), 150 + 0 * x], axis=2)
    ball = (x - 620) ** 2 + (y - 560) ** 2 < 300**2
    truth[ball] = 0.55 + 0.1 * (y[ball] - 560) / 600
    colors[ball] = np.stack([190 + 0 * x, 90 + 25 * np.sin(x / 17), 70 + 25 * np.sin((x + y) / 29)], axis=2)[ball]
    post = np.abs(x - 1350 - 0.2 * y) < 110
    truth[post] = 0.9
    colors[post] = np.stack([60 + 25 * np.sin(y / 13), 160 + 0 * x, 60 + 20 * np.sin(x / 11)], axis=2)[post]
    colors += random.normal(0, 6, colors.shape).astype(np.float32)
    return Scene("synthetic", Image(np.clip(colors, 0, 255).astype(np.uint8)), truth.astype(np.float32), 4)


def load(folder: Path) -> Scene:
    """A stereo scene with true disparity."""
    disparity = np.load(folder / "disp_left.npy").astype(np.float32)
    low, high = np.nanmin(disparity), np.nanmax(disparity)
    return Scene(folder.name, open_image(folder / "left.png"), (disparity - low) / (high - low), 2)


def as_a_network(scene: Scene) -> NDArray[np.float32]:
    """The true depth as a network draws it: unknown pixels filled, blurred, small."""
    filled = fill(scene.truth)
    blurred = cv2.GaussianBlur(filled, (0, 0), BLUR * scene.shrink, borderType=cv2.BORDER_REPLICATE)
    height, width = filled.shape
    small = cv2.resize(blurred, (width // scene.shrink, height // scene.shrink), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def fill(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unknown pixels take the farther of the known ones beside them in their row (what is hidden is behind)."""
    filled = values.copy()
    for row in filled:
        known = np.flatnonzero(~np.isnan(row))
        if known.size == 0:
            row[:] = 0
            continue
        left = np.clip(np.searchsorted(known, np.arange(row.size), side="right") - 1, 0, known.size - 1)
        right = np.clip(np.searchsorted(known, np.arange(row.size)), 0, known.size - 1)
        gaps = np.isnan(row)
        row[gaps] = np.minimum(row[known[left]], row[known[right]])[gaps]
    return filled


def near_edges(scene: Scene) -> NDArray[np.bool_]:
    """Pixels that the blur reaches from an edge of the true depth, where the truth is known."""
    filled = fill(scene.truth)
    box = np.ones((3, 3), np.uint8)
    edges = (cv2.dilate(filled, box) - cv2.erode(filled, box)) > STEP
    reach = int(2.5 * BLUR * scene.shrink) * 2 + 1
    return cv2.dilate(edges.astype(np.uint8), np.ones((reach, reach), np.uint8)).astype(bool) & ~np.isnan(scene.truth)


def measure(scene: Scene, method: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> dict[str, float]:
    """Mean absolute error everywhere and near edges, share of flying pixels near edges, CPU seconds."""
    start = time.process_time()
    found = method(as_a_network(scene))
    seconds = time.process_time() - start
    wrong = np.abs(found - scene.truth)
    edges = near_edges(scene)
    return {
        "all": float(np.nanmean(wrong)),
        "edges": float(wrong[edges].mean()),
        "flying": float((wrong[edges] > FLYING).mean()),
        "seconds": seconds,
    }


def main(folders: list[str]) -> None:
    """Print the table."""
    print(f"{'scene':12} {'method':8} {'error x1e-3':>11} {'near edges':>10} {'flying':>7} {'CPU s':>6} {'gain':>5}")
    for scene in [synthetic(), *(load(Path(folder)) for folder in folders)]:
        plain = measure(scene, lambda values, scene=scene: refine.bicubic(values, scene.image.size))  # type: ignore[misc]
        ours = measure(scene, lambda values, scene=scene: refine.upsample(values, scene.image))  # type: ignore[misc]
        for name, row in (("bicubic", plain), ("ours", ours)):
            print(
                f"{scene.name:12} {name:8} {row['all'] * 1e3:11.2f} {row['edges'] * 1e3:10.2f}"
                f" {row['flying']:7.1%} {row['seconds']:6.2f} {plain['edges'] / row['edges']:5.1f}"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
