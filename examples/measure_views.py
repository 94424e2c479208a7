"""Scores new views against real ones: stereo pairs with measured disparity, and two yardsticks beside.

    python examples/measure_views.py FOLDER            # FOLDER/<scene>/{left.png, right.png, disp_left.npy}

The right picture is made from the left one and its disparity, then compared with the real right picture
on pixels seen by both eyes, on those only the right eye sees ("hidden"), and near depth edges. A second
table does the same after the disparity was blurred the way a depth network blurs it. "depth3d clip" is the renderer of
clips, which has only a frame's time; "before" rows are the numbers recorded in ``views_baseline.json``. "sharp" is the
mean gradient in hidden parts, percent of the real view's: what is invented can be right on average and still be smoke.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from yardsticks import RayMarch, rubber_sheet

import depth3d as d3
from depth3d.geometry.edges.sharpen import sharpen_frame
from depth3d.io.image.read import open_image
from depth3d.pipeline.views import eye_camera
from depth3d.render.renderer import Renderer
from depth3d.render.warp.stereo import StereoWarp

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
REGIONS = ("all", "seen", "hidden", "edge")
BASELINE = Path(__file__).with_name("views_baseline.json")


@dataclass(frozen=True)
class Scene:
    """A pair, its disparity without gaps, and the regions of the right picture."""

    name: str
    left: NDArray[np.uint8]
    right: Floats
    disparity: Floats
    regions: dict[str, Mask]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", help="default: all in the folder")
    arguments = parser.parse_args()
    names = arguments.scenes or sorted(path.parent.name for path in arguments.folder.glob("*/disp_left.npy"))
    scenes = [load(arguments.folder / name) for name in names]
    recorded = json.loads(BASELINE.read_text(encoding="utf-8"))
    for title, soften in (("measured disparity", False), ("the same, blurred as by a network", True)):
        print(f"\n{title}: PSNR in dB / SSIM")
        print(f"{'scene':12s} {'method':12s}" + "".join(f"{region:>15s}" for region in REGIONS) + f"{'sharp':>8s}")
        scores, sharp = zip(
            *(report(scene, blurred(scene.disparity) if soften else scene.disparity) for scene in scenes), strict=True
        )
        # Whole-pixel disparities (tsukuba) make all methods alike: shown above, left out of the means.
        counted = [index for index, scene in enumerate(scenes) if not whole(scene)] or list(range(len(scenes)))
        mean = {method: np.mean([scores[index][method] for index in counted], axis=0) for method in scores[0]}
        for method, values in mean.items():
            line("mean", method, values, float(np.mean([sharp[index][method] for index in counted])))
        names = [scene.name for scene in scenes if not whole(scene)] or [scene.name for scene in scenes]
        for method in ("depth3d", "depth3d clip"):
            before = [recorded[title][name][method] for name in names if name in recorded[title]]
            if len(before) == len(names):
                line("before", method, np.mean(before, axis=0))
        for other in list(mean)[1:3]:
            line("gain over", other, mean["depth3d"] - mean[other])


def report(scene: Scene, disparity: Floats) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """Print and return (PSNR, SSIM) in each region for each method, and the sharpness of hidden parts."""
    scores, sharp = {}, {}
    for method, picture in views(scene, disparity).items():
        likeness = ssim(picture, scene.right)
        values = []
        for region in REGIONS:
            mask = scene.regions[region]
            error = float(((picture - scene.right) ** 2).mean(2)[mask].mean())
            values.append((-10 * np.log10(error), float(likeness[mask].mean())))
        scores[method] = np.array(values)
        sharp[method] = sharpness(picture, scene)
        line(scene.name, method, scores[method], sharp[method])
    return scores, sharp


def line(name: str, method: str, values: NDArray[np.float64], sharp: float | None = None) -> None:
    cells = "".join(f"{psnr:9.2f} {likeness:.3f}" for psnr, likeness in values)
    print(f"{name:12s} {method:12s}{cells}" + (f"{sharp:8.0f}" if sharp is not None else ""), flush=True)


def sharpness(picture: Floats, scene: Scene) -> float:
    """Mean gradient of the luma inside hidden parts, 1 px from their rim, percent of the real view's."""
    inside = cv2.erode(scene.regions["hidden"].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    gray = [np.asarray(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), np.float32) for one in (picture, scene.right)]
    steps = [np.hypot(cv2.Sobel(one, cv2.CV_32F, 1, 0), cv2.Sobel(one, cv2.CV_32F, 0, 1)) for one in gray]
    mine, real = (float(step[inside].mean()) for step in steps)
    return 100 * mine / real


def whole(scene: Scene) -> bool:
    return bool((scene.disparity == np.round(scene.disparity)).all())


def views(scene: Scene, disparity: Floats) -> dict[str, Floats]:
    """The right view by every method, (H, W, 3) in [0, 1]."""
    image, most = d3.Image(scene.left), float(disparity.max())
    depth, width = d3.DepthMap(disparity / most), scene.left.shape[1]
    percent = 100 * most / width
    pair = d3.stereo_pair(image, depth, parallax=percent, convergence=0.0, eyes="right")
    with Renderer(image.size) as renderer:
        mesh = rubber_sheet(image, depth)
        renderer.upload(mesh)
        rubber = renderer.draw(eye_camera(mesh.camera, image.size.aspect, percent, 0.0))
    march = RayMarch(image, depth).draw((-most, 0.0), 0.0)
    with StereoWarp(image.size, samples=1) as warp:
        frame = warp.draw(image, sharpen_frame(depth, most), 0.0, percent, 0.0)
    clip = d3.Image(frame.pixels[:, width:])
    found = {"depth3d": pair.right, "rubber mesh": rubber, "ray march": march, "depth3d clip": clip, "input": image}
    return {name: picture.floats() for name, picture in found.items()}


def load(folder: Path) -> Scene:
    left, right = (open_image(folder / name).eight_bit() for name in ("left.png", "right.png"))
    disparity = np.load(folder / "disp_left.npy").astype(np.float32)
    unknown = ~np.isfinite(disparity)
    known: Floats = fill_far(disparity)
    regions = find_regions(known, unknown)
    return Scene(folder.name, left.pixels, right.floats(), known, regions)


def fill_far(disparity: Floats) -> Floats:
    """Unknown pixels take the farther of the nearest known ones left and right."""
    width = disparity.shape[1]
    known = np.isfinite(disparity)
    columns = np.arange(width)
    left = np.maximum.accumulate(np.where(known, columns, -1), 1)
    right = np.minimum.accumulate(np.where(known, columns, width)[:, ::-1], 1)[:, ::-1]
    rows = np.arange(len(disparity))[:, None]
    from_left = np.where(left >= 0, disparity[rows, left.clip(0)], np.inf)
    from_right = np.where(right < width, disparity[rows, right.clip(0, width - 1)], np.inf)
    filled = np.where(known, disparity, np.minimum(from_left, from_right))
    return np.where(np.isfinite(filled), filled, disparity[known].min()).astype(np.float32)


def find_regions(disparity: Floats, unknown: Mask) -> dict[str, Mask]:
    """Which pixels of the right picture the left eye saw, by sending every left pixel over."""
    height, width = disparity.shape
    order = np.argsort(disparity.ravel(), kind="stable")  # the nearest is written last
    rows, columns = np.divmod(order, width)
    landing = np.round(columns - disparity.ravel()[order]).astype(int)
    inside = (landing >= 0) & (landing < width)
    arrived = np.full((height, width), np.nan, np.float32)
    unsure = np.zeros((height, width), bool)
    arrived[rows[inside], landing[inside]] = disparity.ravel()[order][inside]
    unsure[rows[inside], landing[inside]] = unknown.ravel()[order][inside]
    holes = np.isnan(arrived)
    # Surfaces that turn away leave cracks one pixel wide; those are no holes.
    wide = cv2.morphologyEx(holes.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, 2), np.uint8)) > 0
    filled = fill_far(arrived)
    within = np.arange(width) + filled < width - 1
    seen = ~wide & ~unsure & within
    unsure = cv2.dilate(unsure.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    hidden = wide & ~unsure & within
    step = np.zeros((height, width), bool)
    across, down = np.abs(np.diff(filled, axis=1)) > 2, np.abs(np.diff(filled, axis=0)) > 2
    step[:, 1:] |= across
    step[:, :-1] |= across
    step[1:] |= down
    step[:-1] |= down
    edge = cv2.dilate(step.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    both = seen | hidden
    return {"all": both, "seen": seen, "hidden": hidden, "edge": edge & both}


def blurred(disparity: Floats) -> Floats:
    """As soft as a network's: a Gaussian of 3 px at 640 wide, halved and restored."""
    height, width = disparity.shape
    soft = cv2.GaussianBlur(disparity, (0, 0), 3 * width / 640)
    half = cv2.resize(soft, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def ssim(one: Floats, other: Floats) -> Floats:
    """Structural similarity of the luma at every pixel (Wang 2004: 11x11 Gaussian window of 1.5 px)."""
    a, b = (np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32) for picture in (one, other))

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float32)

    mean_a, mean_b = mean(a), mean(b)
    spread_a, spread_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    shared = mean(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 0.01**2) * (2 * shared + 0.03**2)
    return np.asarray(top / ((mean_a**2 + mean_b**2 + 0.01**2) * (spread_a + spread_b + 0.03**2)), np.float32)


if __name__ == "__main__":
    main()
