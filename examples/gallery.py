"""One contact sheet: the extreme frames of every picture along a circle and a push.

    python examples/gallery.py SHEET.jpg FOLDER|PICTURE[=DEPTH] ... [--amount 3] [--width 480]
    python examples/gallery.py SHEET.jpg FOLDER|PICTURE[=DEPTH] ... --outlines 5 [--amount 4] [--crop 240]

The depth of PICTURE=DEPTH is read from that file (PICTURE=-DEPTH: light = far); that of the others is found
in or beside the picture, or estimated. Of a folder, all pictures are taken. One row for each: the picture, circle
at its left and right, push at its end, depth.

With ``--outlines`` the picture is drawn at up to 1200 pixels, and a row shows 1:1 crops of its strongest outlines: the
picture, circle at its left, circle at its right, one below the other.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
from compare_versions import LONG_SIDE, outlines
from numpy.typing import NDArray

from depth3d.depthmap import DepthMap
from depth3d.image import Image, Size
from depth3d.io.image.read import save_image
from depth3d.io.video.suffixes import is_clip
from depth3d.options import DepthOptions
from depth3d.pipeline.inputs import expand
from depth3d.pipeline.scene import load_scene
from depth3d.pipeline.views import render_path

# Path -> which of four frames, a quarter of a round apart, are its extremes.
EXTREMES = {"circle": (1, 3), "push": (2,)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--amount", type=float, default=3.0)
    parser.add_argument("--width", type=int, default=480)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--outlines", type=int, default=0, help="show so many outlines of each picture instead")
    parser.add_argument("--crop", type=int, default=240)
    arguments = parser.parse_args()
    rows = []
    for told in (each for asked in arguments.pictures for each in pictures_of(asked)):
        name, _, depth = told.partition("=")
        options = DepthOptions(
            depth=depth.removeprefix("-") or None, invert_depth=depth.startswith("-"), model=arguments.model
        )
        scene = load_scene(Path(name), options)
        if arguments.outlines:
            rows.append(outline_row(scene.image, scene.depth, arguments.amount, arguments.crop, arguments.outlines))
            print(f"{name}: {scene.how}", flush=True)
            continue
        size = Size(arguments.width, max(16, round(arguments.width / scene.image.size.aspect)))
        pictures = [scene.image.resized(size).eight_bit().pixels]
        for path, chosen in EXTREMES.items():
            frames = list(islice(render_path(scene.image, scene.depth, path, arguments.amount, 1.0, 4, size=size), 4))
            pictures += [frames[index].pixels for index in chosen]
        gray = (scene.depth.resized(size).values * 255).astype(np.uint8)
        rows.append(np.hstack([*pictures, np.dstack([gray] * 3)]))
        print(f"{name}: {scene.how}", flush=True)
    widest = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    save_image(Image(np.vstack(rows)), arguments.sheet, force=True)


def outline_row(image: Image, depth: DepthMap, amount: float, crop: int, count: int) -> NDArray[np.uint8]:
    """Return crops of the picture and of both ends of a circle at the ``count`` highest depth steps, side by side."""
    if max(image.size) > LONG_SIDE:
        image = image.resized(image.size.fit(LONG_SIDE))
    frames = list(islice(render_path(image, depth, "circle", amount, 1.0, 4), 4))
    steps = np.rint(depth.resized(image.size).values * 65535).astype(np.uint16)
    side = min(crop, min(image.size) // 2)
    shown = [image.eight_bit().pixels, *(frames[index].pixels for index in EXTREMES["circle"])]
    columns = [
        np.vstack(
            [np.pad(each[row : row + side, column : column + side], ((0, 4), (0, 4), (0, 0)), constant_values=255)
             for each in shown]
        )
        for row, column in outlines(steps, side, count)
    ]  # fmt: skip
    return np.asarray(np.hstack(columns), np.uint8)


def pictures_of(told: str) -> list[str]:
    """The picture itself, or those of a folder with the depth that lies beside them under other programs' names."""
    path = Path(told)
    if not path.is_dir():
        return [told]
    return [f"{item.path}{depth_beside(item.path)}" for item in expand([path]) if not is_clip(item.path)]


def depth_beside(photo: Path) -> str:
    lens_blur = photo.with_name(photo.name.replace("-image", "-depth"))  # depthy.me: light = far
    if lens_blur != photo and lens_blur.exists():
        return f"=-{lens_blur}"
    numbers = photo.with_suffix(".npy")
    return f"={numbers}" if numbers.exists() else ""


if __name__ == "__main__":
    main()
