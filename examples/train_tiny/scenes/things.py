"""Renders close views of many things with exact depth: clutter, tabletops, shelves, kitchens, furnished rooms.

    python examples/train_tiny/scenes/things.py WORK/things --models WORK/models --rooms WORK/indoor \
           --pictures DIR/*.png --count 2000
Models come from catalog.py. Deterministic by seed and number; shards that exist are kept.
"""

import argparse
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from catalog import load_catalog
from finish import develop
from meshes import carton
from numpy.typing import NDArray
from pairs import Pairs, write_shard
from raster import Camera, Raster
from stage import Spot, Stage, Store, camera, lamp, occlusion
from textures import Shelf, read_pictures

Generator = np.random.Generator
Array = NDArray[np.float32]
SHARD = 40


def point(*values: float) -> Array:
    """float64 array of the given values."""
    return np.array(values)


def surroundings(stage: Stage, half: float, back: float, front: float, tall: float) -> None:
    """Floor, ceiling, back and side walls with pictures and windows; X from -half to half, Z from -back to front."""
    rng = stage.rng
    x, y, z = point(2 * half, 0, 0), point(0, tall, 0), point(0, 0, back + front)
    corner = point(-half, 0, -back)
    stage.wall(point(-half, 0, front), x, -z, 0.35, rng.uniform(0.3, 2))
    stage.wall(corner + y, x, z, 0.0, 1.0)
    stage.things[-1] = stage.things[-1]._replace(casts=False)
    photograph = 0.5 if rng.random() < 0.4 else 0.1
    walls = [(corner, x, y, point(0, 0, 1)), (corner + z, -z, y, point(1, 0, 0)), (corner + x, z, y, point(-1, 0, 0))]
    for origin, across, up, normal in walls:
        stage.wall(origin, across, up, photograph, 0.0 if rng.random() < 0.5 else rng.uniform(0.5, 3))
        stage.things[-1] = stage.things[-1]._replace(casts=False)
        stage.posters(int(rng.integers(0, 5)), origin, across, up, normal)
    stage.wall(point(half, 0, front), -x, y, 0.2, 1.0)
    stage.things[-1] = stage.things[-1]._replace(casts=False)


def clutter(stage: Stage) -> Camera:
    """Many things close together on a floor or table before a board, as in stereo benchmarks."""
    rng = stage.rng
    deep, half = rng.uniform(0.6, 1.8), rng.uniform(0.5, 1.0)
    surroundings(stage, half * rng.uniform(1.2, 3), deep, 3.0, rng.uniform(1.0, 2.5))
    for _ in range(int(rng.integers(0, 4))):  # boards behind
        size = point(rng.uniform(0.3, 1.2), rng.uniform(0.3, 1.1), 0.02)
        stage.block(size, point(rng.uniform(-half, half), 0, rng.uniform(-deep, -0.4 * deep)), tile=float(size[0]))
    if rng.random() < 0.4:
        high = rng.uniform(0.1, 0.5)
        place = point(rng.uniform(-half, half) * 0.5, 0, -deep * rng.uniform(0.5, 0.9))
        stage.block(point(half * rng.uniform(0.4, 1.2), high, 0.3), place)
        stage.scatter(
            int(rng.integers(2, 6)),
            (place[0] - half / 3, place[0] + half / 3, place[2] - 0.1, place[2] + 0.1),
            high,
            (0.1, 0.35),
        )
        stage.spots.clear()
    stage.scatter(int(rng.integers(8, 32)), (-half, half, -0.95 * deep, 0.5), 0.0, (0.1, 0.55), rng.uniform(0.25, 0.7))
    distance = rng.uniform(0.8, 1.6)
    return camera(
        rng,
        point(rng.normal(0, 0.1), rng.uniform(0.1, 0.35), -0.35 * deep),
        distance + 0.35 * deep,
        rng.uniform(-0.02, 0.45),
        rng.normal(0, 0.3),
        rng.uniform(0.5, 1.0),
    )


def tabletop(stage: Stage) -> Camera:
    """Things on a table or desk seen from above, the room around it."""
    rng = stage.rng
    level, half, deep = rng.uniform(0.45, 0.95), rng.uniform(0.4, 1.0), rng.uniform(0.3, 0.7)
    surroundings(stage, rng.uniform(1.3, 3.5), rng.uniform(deep + 0.05, 4), 3.0, rng.uniform(2.2, 3))
    stage.block(point(2 * half, 0.04, 2 * deep), point(0, level - 0.04, 0), rng.uniform(0.3, 1.5))
    for x in (-0.9, 0.9):
        for z in (-0.9, 0.9):
            stage.block(point(0.06, level - 0.04, 0.06), point(x * half, 0, z * deep))
    furnish(stage, int(rng.integers(0, 6)), (-2.5, 2.5, -3, -deep - 0.5))
    stage.spots.clear()
    x, z, reach = rng.uniform(-0.4, 0.4) * half, rng.uniform(-0.4, 0.4) * deep, rng.uniform(0.25, 0.7)
    area = (max(x - reach, -half), min(x + reach, half), max(z - reach, -deep), min(z + reach, deep))
    stage.scatter(int(rng.integers(5, 30)), area, level, (0.35 * reach, 0.9 * reach), rng.uniform(0.2, 0.6))
    target = point(x, level + rng.uniform(0, 0.25) * reach, z)
    pitch, yaw = rng.uniform(0.15, 1.05), rng.normal(0, 0.5)
    return camera(rng, target, reach * rng.uniform(1.5, 3.0), pitch, yaw, rng.uniform(0.6, 1.1))


def shelves(stage: Stage) -> Camera:
    """A bookcase or open cupboard full of things, seen more or less from the front."""
    rng = stage.rng
    surroundings(stage, rng.uniform(1.2, 3), 0.0, 4.0, 2.8)
    half, deep, count = rng.uniform(0.4, 1.2), rng.uniform(0.2, 0.4), int(rng.integers(3, 7))
    levels = np.linspace(rng.uniform(0.02, 0.4), rng.uniform(1.5, 2.2), count)
    uprights = np.linspace(-half, half, int(rng.integers(2, 4)))
    texture_from = len(stage.things)
    stage.block(point(2 * half, 0.02, deep), point(0, levels[0], deep / 2))
    board = stage.things[texture_from].mesh[0]
    for level in levels[1:]:
        stage.block(point(2 * half, 0.02, deep), point(0, level, deep / 2))
    for x in uprights:
        stage.block(point(0.02, levels[-1], deep), point(x, 0, deep / 2))
    for number in range(texture_from, len(stage.things)):
        mesh = [part._replace(color=board.color, texture=board.texture) for part in stage.things[number].mesh]
        stage.things[number] = stage.things[number]._replace(mesh=mesh)
    for low, high in pairwise(levels):
        stage.spots.clear()
        tallest = float(high - low) * 0.85
        if rng.random() < 0.35:
            books(stage, (-half + 0.03, half * rng.uniform(-0.3, 0.9)), float(low) + 0.02, deep, tallest)
        else:
            stage.scatter(
                int(rng.integers(3, 12)),
                (-half + 0.1, half - 0.1, 0.08, deep - 0.05),
                float(low) + 0.02,
                (0.08, max(tallest, 0.1)),
                0.4,
            )
    stage.spots.clear()
    stage.scatter(int(rng.integers(0, 4)), (-half, half, deep + 0.2, deep + 1.0), 0.0, (0.2, 0.6))
    target = point(rng.uniform(-0.5, 0.5) * half, rng.uniform(0.5, 1.5), deep / 2)
    return camera(rng, target, rng.uniform(0.7, 2.2), rng.normal(0.1, 0.15), rng.normal(0, 0.45), rng.uniform(0.6, 1.1))


def books(stage: Stage, limits: tuple[float, float], level: float, deep: float, tallest: float) -> None:
    """A row of upright books, boxes or folders."""
    x = limits[0]
    while x < limits[1]:
        wide = stage.rng.uniform(0.01, 0.06)
        size = point(wide, tallest * stage.rng.uniform(0.55, 1.0), deep * stage.rng.uniform(0.5, 0.9))
        stage.add(
            carton(stage.rng, stage.store.shelf, size.astype(np.float32)), point(x + wide / 2, level, size[2] / 2)
        )
        x += wide + (0.001 if stage.rng.random() < 0.9 else stage.rng.uniform(0, 0.15))


def furnish(stage: Stage, count: int, area: tuple[float, float, float, float]) -> None:
    """Furniture, now and then people and animals, at true sizes on the floor."""
    rng, store = stage.rng, stage.store
    for _ in range(count):
        pool = store.living if rng.random() < 0.12 and store.living else store.furniture
        if not pool:
            return
        model = pool[int(rng.integers(len(pool)))]
        radius = float(max(model.size[0], model.size[2])) / 2
        for _ in range(10):
            x, z = rng.uniform(area[0], area[1]), rng.uniform(area[2], area[3])
            if stage.free(x, z, radius):
                yaw = rng.normal(0, 0.1) + rng.integers(4) * np.pi / 2 if rng.random() < 0.6 else None
                stage.rest(point(x, 0, z), None, model, tilt=0.0, yaw=yaw)
                stage.spots.append(Spot(x, z, radius, float(model.size[1])))
                break


def kitchen(stage: Stage) -> Camera:
    """A counter with cupboards under and above it, things on it, furniture in the room; seen by a standing person."""
    rng = stage.rng
    half = rng.uniform(1.3, 3)
    surroundings(stage, half, 0.0, rng.uniform(2.5, 5), rng.uniform(2.3, 2.9))
    level, deep = rng.uniform(0.85, 0.95), rng.uniform(0.55, 0.65)
    start, wide = -half, 0.0
    front, above = len(stage.things), rng.random() < 0.7
    while start + wide < half * rng.uniform(0.5, 1.0):
        wide = rng.uniform(0.4, 0.9)
        stage.block(point(wide - 0.01, level - 0.04, deep - 0.03), point(start + wide / 2, 0, deep / 2))
        stage.block(point(wide * 0.4, 0.015, 0.02), point(start + wide / 2, level * 0.8, deep - 0.01))
        if above and rng.random() < 0.85:
            stage.block(point(wide - 0.01, rng.choice([0.6, 0.7]), 0.35), point(start + wide / 2, level + 0.55, 0.175))
        start += wide
    one = stage.things[front].mesh[0]
    if rng.random() < 0.75:  # all fronts alike
        for number in range(front, len(stage.things)):
            mesh = [part._replace(color=one.color, texture=one.texture) for part in stage.things[number].mesh]
            stage.things[number] = stage.things[number]._replace(mesh=mesh)
    stage.block(point(start + half, 0.04, deep), point((start - half) / 2, level - 0.04, deep / 2), 1.0)
    x = rng.uniform(-half + 0.2, max(start - 0.2, -half + 0.3))
    area = (max(x - 0.8, -half + 0.1), max(min(x + 0.8, start - 0.1), -half + 0.4), 0.1, deep - 0.08)
    stage.scatter(int(rng.integers(8, 26)), area, level, (0.1, 0.45), 0.35)
    stage.spots.clear()
    pool, place = stage.store.kitchen, start
    while pool and place < half - 0.3 and rng.random() < 0.8:
        model = pool[int(rng.integers(len(pool)))]
        if model.size[0] < 1.6:
            middle = point(place + float(model.size[0]) / 2, 0, float(model.size[2]) / 2)
            stage.rest(middle, None, model, tilt=0.0, yaw=0.0)
        place += float(min(model.size[0], 1.6)) + 0.02
    if rng.random() < 0.4:  # a table in the foreground
        middle, wide = point(x + rng.normal(0, 0.6), 0.7, deep + rng.uniform(0.9, 1.4)), rng.uniform(0.3, 0.6)
        stage.block(point(2 * wide, 0.04, 0.7), middle, 0.8)
        area = (middle[0] - wide, middle[0] + wide, middle[2] - 0.3, middle[2] + 0.3)
        stage.scatter(int(rng.integers(2, 12)), area, 0.74, (0.1, 0.4), 0.4)
        stage.spots.clear()
    furnish(stage, int(rng.integers(0, 5)), (-half, half, deep + 0.6, 2.2))
    target = point(x, rng.uniform(0.7, 1.2), rng.uniform(0.1, deep))
    return camera(rng, target, rng.uniform(0.9, 2.6), rng.uniform(0.0, 0.65), rng.normal(0, 0.5), rng.uniform(0.8, 1.2))


def furnished(stage: Stage) -> Camera:
    """A room with furniture at true sizes, or a garage with vehicles, seen from within."""
    rng = stage.rng
    half, back = rng.uniform(1.5, 3.5), rng.uniform(1, 4)
    surroundings(stage, half, back, 3.5, rng.uniform(2.3, 3))
    furnish(stage, int(rng.integers(6, 20)), (-half + 0.3, half - 0.3, -back + 0.3, 1.0))
    stage.scatter(int(rng.integers(0, 8)), (-half, half, -back, 1.5), 0.0, (0.15, 0.6), 0.5)
    target = point(rng.uniform(-0.6, 0.6) * half, rng.uniform(0.3, 1.2), rng.uniform(-back, 0) * 0.6)
    return camera(rng, target, rng.uniform(1.4, 3.2), rng.uniform(0.0, 0.5), rng.normal(0, 0.4), rng.uniform(0.8, 1.2))


def centerpiece(stage: Stage) -> Camera:
    """One large thing, as a motorcycle or an armchair, near in a full room or garage: shelves and boxes behind it."""
    rng, store = stage.rng, stage.store
    half, back = rng.uniform(1.2, 2.5), rng.uniform(0.7, 2.5)
    surroundings(stage, half, back, 3.5, rng.uniform(2.2, 3))
    pool = [model for model in [*store.furniture, *store.living] if 0.7 < model.size.max() < 2.3]
    middle = point(rng.normal(0, 0.15), 0, rng.normal(0, 0.1))
    large = 0.8
    if pool:
        model = pool[int(rng.integers(len(pool)))]
        extent, _ = stage.rest(middle, None, model, tilt=0.0)
        large = float(extent.max())
        stage.spots.append(Spot(middle[0], middle[2], float(max(extent[0], extent[2])) / 2, float(extent[1])))
    wide = rng.uniform(0.6, 1.0) * half
    for level in np.linspace(rng.uniform(0.3, 0.9), rng.uniform(1.2, 2.0), int(rng.integers(0, 4))):
        deep = rng.uniform(0.25, 0.45)
        stage.block(point(2 * wide, 0.03, deep), point(0, level - 0.03, deep / 2 - back), 0.8)
        kept, stage.spots = stage.spots, []
        stage.scatter(int(rng.integers(3, 10)), (-wide, wide, 0.08 - back, deep - 0.05 - back), level, (0.1, 0.4), 0.5)
        stage.spots = kept
    furnish(stage, int(rng.integers(1, 8)), (-half + 0.2, half - 0.2, -back + 0.2, -0.2))
    stage.scatter(int(rng.integers(2, 10)), (-half, half, -back, 0.8), 0.0, (0.15, 0.5), 0.5)
    target = middle + point(rng.normal(0, 0.15), rng.uniform(0.3, 0.6) * large, -0.3 * back)
    distance = large * rng.uniform(0.9, 1.6) + 0.3 + 0.3 * back
    return camera(rng, target, distance, rng.uniform(-0.05, 0.4), rng.normal(0, 0.35), rng.uniform(0.7, 1.1))


FAMILIES: dict[str, tuple[Callable[[Stage], Camera], float]] = {
    "clutter": (clutter, 0.32), "tabletop": (tabletop, 0.18), "shelves": (shelves, 0.1), "kitchen": (kitchen, 0.12),
    "furnished": (furnished, 0.1), "centerpiece": (centerpiece, 0.18),
}  # fmt: skip


def scene(
    number: int, seed: int, store: Store, raster: Raster, height: int, width: int, family: str = ""
) -> tuple[NDArray[np.uint8], Array]:
    """Scene `number` of the seed: picture (H, W, 3) and inverse depth (H, W)."""
    for attempt in range(6):
        rng = np.random.default_rng((seed, number, attempt))
        name = family or str(rng.choice(list(FAMILIES), p=[share for _, share in FAMILIES.values()]))
        stage = Stage(rng, store)
        view = FAMILIES[name][0](stage)
        if height > width:
            view = view._replace(view=float(view.view * rng.uniform(0.65, 0.9)))
        color, inverse = raster.draw(stage.things, view, lamp(rng, store.shelf), height, width)
        # A camera inside a thing, or nothing but one wall, is no picture.
        far, near = np.quantile(inverse, [0.03, 0.97])
        if inverse.min() > 0.02 and inverse.max() < 8 and near > 1.6 * far:
            break
    color = occlusion(color, inverse, rng)
    exposure = 0.45 / max(float(color.mean()), 0.08)
    color = np.clip(color * exposure ** rng.uniform(0.3, 0.9), 0, 1) ** rng.uniform(0.75, 1.1)
    return develop(color.astype(np.float32), inverse, rng, least=0.1), inverse


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--models", type=Path, required=True, help="folder written by catalog.py")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="pictures that lend their surfaces")
    parser.add_argument("--rooms", type=Path, help="source of real pictures, as surfaces")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="first shard, for several renderers side by side")
    parser.add_argument("--every", type=int, default=1, help="render every n-th shard only")
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--only", default="", choices=["", *FAMILIES], help="draw one family")
    parser.add_argument("--size", default="256x336")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    height, width = (int(side) for side in options.size.split("x"))
    rooms = [room for room, _ in (Pairs(options.rooms) if options.rooms else [])]
    store = Store(load_catalog(options.models), Shelf(read_pictures(options.pictures) + rooms))
    raster = Raster()
    for shard in range(options.first, options.count // SHARD, options.every):
        name = f"{options.seed:03d}_{shard:05d}"
        if (options.output / f"{name}.inverse.npy").exists():
            continue
        drawn = [
            scene(shard * SHARD + place, options.seed, store, raster, height, width, options.only)
            for place in range(SHARD)
        ]
        write_shard(options.output, name, [picture for picture, _ in drawn], [inverse for _, inverse in drawn])


if __name__ == "__main__":
    main()
