"""Real pictures with measured depth outside the validation scenes: stereo pairs and Lens Blur photos.

    python examples/train_tiny/photos.py ../shared/data WORK [--sheet SHEET.jpg]
Stereo pairs without ground truth are matched by depth3d itself; where the two eyes disagree, depth is unknown (NaN).
Lens Blur depth (light = far) is affine in inverse depth. Writes the source WORK/photos, two windows per picture.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pairs import write_shard
from streets import SIZE, sheet

import depth3d as d3
from depth3d.depth.stereo.match import stereo_disparity

REJECTED = {"mpo_sugarshack"}
"""Pairs whose disparity is too noisy to learn from, judged by eye."""

Sample = tuple[NDArray[np.uint8], NDArray[np.float32]]


def relative(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Values that are affine in inverse depth -> relative inverse depth with the farthest known point near 0."""
    low, high = np.quantile(values[known], [0.005, 0.995])
    scaled = np.clip((values - low) / max(float(high - low), 1e-6), 0, 1.1) + 0.02
    return np.where(known, scaled, np.nan).astype(np.float32)


def stereo_pairs(folder: Path) -> Iterator[Sample]:
    """The left pictures of the pairs and our disparity where both eyes agree."""
    for scene in sorted(path.parent for path in folder.glob("*/left.png")):
        if scene.name in REJECTED:
            continue
        left, right = d3.open_image(scene / "left.png"), d3.open_image(scene / "right.png")
        found = stereo_disparity(left, right)
        yield np.asarray(left.pixels, np.uint8), relative(found.disparity.values, found.sure)


def lens_blur(folder: Path) -> Iterator[Sample]:
    """Photos with a depth map of the same shape, light = far."""
    for path in sorted(folder.glob("depthy_*-image.jpg")):
        picture = np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])
        depth = cv2.imread(str(path).replace("-image", "-depth"), cv2.IMREAD_GRAYSCALE)
        depth = cv2.resize(depth, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        inverse = 255.0 - depth.astype(np.float32)
        yield picture, relative(inverse, np.ones(inverse.shape, bool))


def windows(sample: Sample) -> list[Sample]:
    """Two windows of `SIZE`'s shape, at the two ends of the picture's longer side."""
    picture, inverse = sample
    rows, columns = inverse.shape
    high = min(rows, columns * SIZE[1] // SIZE[0])
    wide = min(columns, rows * SIZE[0] // SIZE[1])
    result = []
    for part in (0.0, 1.0):
        top, left = int((rows - high) * part), int((columns - wide) * part)
        window = np.s_[top : top + high, left : left + wide]
        small = cv2.resize(np.ascontiguousarray(picture[window]), SIZE, interpolation=cv2.INTER_AREA)
        result.append((small, cv2.resize(inverse[window], SIZE, interpolation=cv2.INTER_NEAREST)))
    return result


def main() -> None:
    """Write the source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--sheet", type=Path, help="also write a contact sheet")
    options = parser.parse_args()
    samples = [*stereo_pairs(options.data / "stereo_nogt"), *lens_blur(options.data / "photos" / "with_depth")]
    found = [window for sample in samples for window in windows(sample)]
    write_shard(options.work / "photos", "all", [picture for picture, _ in found], [depth for _, depth in found])
    print("photos", len(samples), "windows", len(found))
    if options.sheet:
        cv2.imwrite(str(options.sheet), sheet(found))


if __name__ == "__main__":
    main()
