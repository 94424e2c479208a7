"""What `depth3d fix` leaves of known errors in real stereo pairs, as `depth3d check` measures it.

    python examples/measure_fix.py FOLDER

FOLDER holds scenes: folders with left.png and right.png (Middlebury's). The right eye of each is spoiled: moved down by
1.5 % of the height, turned by 0.6 degrees, enlarged by 1.2 %, darkened to 80 %; then both eyes are exchanged.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

import depth3d as d3
from depth3d.options import FixOptions
from depth3d.pipeline.check.measure import check_pair
from depth3d.pipeline.fix.photo import corrected_photo


def spoiled(pair: d3.StereoPair) -> d3.StereoPair:
    width, height = pair.size
    warp = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -0.6, 1.012)
    warp[1, 2] += 0.015 * height
    right = cv2.warpAffine(
        pair.right.pixels, warp, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return d3.StereoPair(pair.left, d3.Image((right * 0.8).astype(np.uint8))).swapped()


def line(name: str, report: d3.StereoReport) -> str:
    vertical = report.vertical_worst * report.height / 100
    eyes = "swapped" if report.swapped else "in order"
    depth = f"{report.nearest:+.1f} to {report.farthest:+.1f} %"
    turn = f"{report.roll:+.2f} | {report.scale:.3f}"
    return f"| {name} | {vertical:.2f} px | {turn} | {report.color:.1f} | {eyes} | {depth} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    scenes = sorted(path.parent for path in parser.parse_args().folder.glob("*/right.png"))
    print("| scene | vertical, worst | degrees | scale | colors (Lab) | eyes | disparity |")
    print("|---|---|---|---|---|---|---|")
    for scene in scenes:
        pair = d3.StereoPair(d3.open_image(scene / "left.png"), d3.open_image(scene / "right.png"))
        wrong = spoiled(pair)
        shown, _ = corrected_photo(wrong, FixOptions())
        print(line(f"{scene.name}, before", check_pair(wrong)))
        print(line("after", check_pair(shown)), flush=True)


if __name__ == "__main__":
    main()
