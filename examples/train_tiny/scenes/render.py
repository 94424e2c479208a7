"""Render training scenes with exact depth.

    python examples/train_tiny/scenes/render.py WORK/scenes --pictures DIR ... --rooms WORK/indoor --count 6000
Deterministic by seed and number of the scene; shards that exist are kept, so it may be stopped and continued.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from canvas import Canvas
from closeups import Scene, closeup
from cutouts import load_cutouts
from finish import develop
from flat import before_leaves, gallery, plain_front
from groups import crowd, furnished, thin_outdoor, traffic
from indoors import room, still_life, tabletop
from numpy.typing import NDArray
from pairs import Pairs, write_shard
from textures import Shelf, read_pictures
from worlds import Props, front, landscape, outdoor, street

FAMILIES: dict[str, tuple[Scene, float]] = {
    "closeup": (closeup, 0.2), "outdoor": (outdoor, 0.06), "street": (street, 0.04), "front": (front, 0.03),
    "landscape": (landscape, 0.07), "room": (room, 0.04), "tabletop": (tabletop, 0.06),
    "still_life": (still_life, 0.09), "plain_front": (plain_front, 0.06), "gallery": (gallery, 0.05),
    "before_leaves": (before_leaves, 0.06), "traffic": (traffic, 0.05), "crowd": (crowd, 0.04),
    "thin_outdoor": (thin_outdoor, 0.08), "furnished": (furnished, 0.07),
}  # fmt: skip
SHARD = 40


def scene(
    number: int, seed: int, props: Props, height: int, width: int, family: str = ""
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Scene `number` of the seed: picture (H, W, 3) and inverse depth (H, W)."""
    rng = np.random.default_rng((seed, number))
    name = str(rng.choice(list(FAMILIES), p=[share for _, share in FAMILIES.values()]))
    drawn: Canvas = FAMILIES[family or name][0](rng, props, height, width)
    return develop(np.clip(drawn.color, 0, 1), drawn.inverse, rng), drawn.inverse


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="pictures that lend their surfaces")
    parser.add_argument("--cutouts", type=Path, help="folder written by cutouts.py")
    parser.add_argument("--rooms", type=Path, help="source of real pictures with depth, as backgrounds and surfaces")
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--first", type=int, default=0, help="first shard, for several renderers side by side")
    parser.add_argument("--every", type=int, default=1, help="render every n-th shard only")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default="", choices=["", *FAMILIES], help="draw one family")
    parser.add_argument("--size", default="192x256")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    height, width = (int(side) for side in options.size.split("x"))
    rooms = list(Pairs(options.rooms) if options.rooms else [])
    props = Props(
        Shelf(read_pictures(options.pictures) + [room for room, _ in rooms]), load_cutouts(options.cutouts), rooms
    )
    for shard in range(options.first, options.count // SHARD, options.every):
        name = f"{options.seed:03d}_{shard:05d}"
        if (options.output / f"{name}.inverse.npy").exists():
            continue
        drawn = [
            scene(shard * SHARD + place, options.seed, props, height, width, options.only) for place in range(SHARD)
        ]
        write_shard(options.output, name, [picture for picture, _ in drawn], [inverse for _, inverse in drawn])


if __name__ == "__main__":
    main()
