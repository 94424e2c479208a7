"""One contact sheet: the extreme frames of every picture along a circle and a push.

    python examples/gallery.py SHEET.jpg FOLDER|PICTURE[=DEPTH] ... [--amount 3] [--width 480]

The depth of PICTURE=DEPTH is read from that file (PICTURE=-DEPTH: light = far); that of the others is found
in or beside the picture, or estimated. Of a folder, all pictures are taken. One row for each: the picture, circle
at its left and right, push at its end, depth.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import numpy as np

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
    arguments = parser.parse_args()
    rows = []
    for told in (each for asked in arguments.pictures for each in pictures_of(asked)):
        name, _, depth = told.partition("=")
        options = DepthOptions(
            depth=depth.removeprefix("-") or None, invert_depth=depth.startswith("-"), model=arguments.model
        )
        scene = load_scene(Path(name), options)
        size = Size(arguments.width, max(16, round(arguments.width / scene.image.size.aspect)))
        pictures = [scene.image.resized(size).eight_bit().pixels]
        for path, chosen in EXTREMES.items():
            frames = list(islice(render_path(scene.image, scene.depth, path, arguments.amount, 1.0, 4, size=size), 4))
            pictures += [frames[index].pixels for index in chosen]
        gray = (scene.depth.resized(size).values * 255).astype(np.uint8)
        rows.append(np.hstack([*pictures, np.dstack([gray] * 3)]))
        print(f"{name}: {scene.how}", flush=True)
    save_image(Image(np.vstack(rows)), arguments.sheet, force=True)


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
