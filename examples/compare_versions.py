"""One sheet: the strongest outlines of photos in a new view, drawn by an earlier version and by this one, at 1:1.

    python examples/compare_versions.py SHEET.jpg EARLIER_CHECKOUT PICTURE ... [--amount 4] [--crop 280] [--outlines 1]
                                         [--columns 1]

Both versions go the whole way, from the photo through their own network to the frames at both ends of a circle. An
outline's place is where this version's depth steps most; of the two ends, the one is shown in which the versions
differ more. For each outline: the photo, the earlier version, this version.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.image import Image
from depth3d.io.image.read import open_image, save_image

LONG_SIDE = 1200
# Public names only, which both versions have.
DRAW = """
import sys
from itertools import islice
import depth3d as d3
picture, amount, folder, side = sys.argv[1], float(sys.argv[2]), sys.argv[3], int(sys.argv[4])
photo = d3.open_image(picture)
photo = photo.resized(photo.size.fit(side))
depth = d3.estimate_depth(photo, "tiny", quiet=True)
d3.write_depth(depth, folder + "/depth.png")
for number, frame in enumerate(islice(d3.render_path(photo, depth, "circle", amount, 1.0, 4), 4)):
    d3.save_image(frame, f"{folder}/frame{number}.png")
"""
Pixels = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("earlier", type=Path)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--amount", type=float, default=4.0)
    parser.add_argument("--crop", type=int, default=280)
    parser.add_argument("--outlines", type=int, default=1)
    parser.add_argument("--columns", type=int, default=1, help="outlines side by side")
    arguments = parser.parse_args()
    rows = []
    for picture in arguments.pictures:
        with tempfile.TemporaryDirectory() as name:
            before, after = (Path(name) / version for version in ("before", "after"))
            draw(picture, arguments.amount, before, arguments.earlier)
            draw(picture, arguments.amount, after, Path(__file__).parents[1])
            found = outlines(open_image(after / "depth.png").pixels[..., 0], arguments.crop, arguments.outlines)
            rows += [row(picture, before, after, corner, arguments.crop) for corner in found]
        print(f"{picture.name}: outlines at {found}", flush=True)
    rows += [np.full_like(rows[0], 255)] * (-len(rows) % arguments.columns)
    lines = [np.hstack(rows[at : at + arguments.columns]) for at in range(0, len(rows), arguments.columns)]
    save_image(Image(np.vstack(lines)), arguments.sheet, force=True)


def draw(picture: Path, amount: float, folder: Path, checkout: Path) -> None:
    """Write depth.png and four frames of a circle into ``folder``, by the code of ``checkout``."""
    folder.mkdir()
    command = [sys.executable, "-c", DRAW, str(picture.resolve()), str(amount), str(folder), str(LONG_SIDE)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(checkout.resolve())}, cwd=folder)


def outlines(depth: NDArray[Any], crop: int, count: int) -> list[tuple[int, int]]:
    """Return the (row, column) of the corners of the ``count`` crops with the highest depth steps; none overlap."""
    gray = depth.astype(np.float32) / np.float32(np.iinfo(depth.dtype).max)
    kernel = np.ones((5, 5), np.uint8)
    steps = cv2.boxFilter(cv2.dilate(gray, kernel) - cv2.erode(gray, kernel), -1, (crop // 2, crop // 2))
    half, corners = crop // 2, []
    inside = steps[half : gray.shape[0] - half, half : gray.shape[1] - half].copy()
    for _ in range(count):
        row, column = map(int, np.unravel_index(np.argmax(inside), inside.shape))
        corners.append((row, column))
        inside[max(0, row - crop) : row + crop, max(0, column - crop) : column + crop] = -1
    return corners


def row(picture: Path, before: Path, after: Path, corner: tuple[int, int], crop: int) -> Pixels:
    """Return the crops of the photo, the earlier frame and this version's, side by side."""
    cut = (slice(corner[0], corner[0] + crop), slice(corner[1], corner[1] + crop))
    photo = open_image(picture)
    pairs = [[open_image(folder / f"frame{number}.png").pixels[cut] for folder in (before, after)] for number in (1, 3)]
    differing = [np.abs(old.astype(int) - new).mean() for old, new in pairs]
    shown = [photo.resized(photo.size.fit(LONG_SIDE)).eight_bit().pixels[cut], *pairs[int(np.argmax(differing))]]
    line = np.full((crop + 4, 4, 3), 255, np.uint8)
    return np.hstack(
        [part for each in shown for part in (np.pad(each, ((0, 4), (0, 0), (0, 0)), constant_values=255), line)]
    )


if __name__ == "__main__":
    main()
