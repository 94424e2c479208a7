"""How often are ordinary pictures taken for stereo pictures, and are all stereo pictures found?

    python examples/measure_stereo_detection.py [FOLDER] [--count 500]

Draws pictures without depth that consist of like things: coins, before/after sheets, grids, diagrams, periodic
textures, contact sheets, wallpapers. None of them may be cut. Then it draws 40 stereo pictures in all layouts, without
a name or a tag, which have to be found with the right packing. FOLDER holds more stereo pictures (any format), or
folders with left.png and right.png, which are packed side by side, crossed and one above the other.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth3d.errors import ReadError
from depth3d.image import Image
from depth3d.io.image.photofile import open_photo
from depth3d.io.image.read import open_image, save_image
from depth3d.options import DepthOptions
from depth3d.pipeline.eyes import find_eyes

Pixels = NDArray[np.uint8]
EXAMPLES = Path(__file__).parent
WIDTH, HEIGHT = 640, 360
PACKINGS = {
    "side by side": lambda left, right: np.hstack([left, right]),
    "crossed": lambda left, right: np.hstack([right, left]),
    "one above the other": lambda left, right: np.vstack([left, right]),
    "half side by side": lambda left, right: _half(np.hstack([left, right]), (1, 0)),
    "half one above the other": lambda left, right: _half(np.vstack([left, right]), (0, 1)),
}


def _half(pixels: Pixels, squeezed: tuple[int, int]) -> Pixels:
    height, width = pixels.shape[:2]
    size = (width // (1 + squeezed[0]), height // (1 + squeezed[1]))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def photo(random: np.random.Generator, width: int, height: int) -> Pixels:
    """A random part of one of the photos beside this script."""
    names = ["astronaut", "chelsea", "china", "coffee", "flower", "rocket"]
    pixels = open_image(EXAMPLES / f"{names[int(random.integers(len(names)))]}.jpg", at_most=900).pixels
    factor = max(1.0, width / pixels.shape[1], height / pixels.shape[0]) * random.uniform(1, 1.3)
    large = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    top, left = (int(random.integers(large.shape[axis] - side + 1)) for axis, side in ((0, height), (1, width)))
    return np.asarray(large[top : top + height, left : left + width], np.uint8)


def noisy(pixels: NDArray[np.floating], random: np.random.Generator) -> Pixels:
    return np.clip(pixels + random.normal(0, random.uniform(0, 5), pixels.shape), 0, 255).astype(np.uint8)


def coins(random: np.random.Generator) -> Pixels:
    """Coins of one kind in rows, lit from one side, each turned at random."""
    picture = np.full((HEIGHT, WIDTH, 3), random.uniform(30, 90), np.float32)
    radius, step = int(random.integers(18, 40)), int(random.integers(60, 100))
    side = 2 * radius + 1
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    relief = cv2.GaussianBlur(random.normal(0, 60, (side, side)).astype(np.float32), (0, 0), 2)
    for row in range(step // 2, HEIGHT - radius, step):
        for column in range(step // 2, WIDTH - radius, step):
            turn = cv2.getRotationMatrix2D((radius, radius), float(random.uniform(-20, 20)), 1)
            face = 150 + cv2.warpAffine(relief, turn, (side, side)) - 0.6 * x + random.uniform(-25, 25)
            top, left = (place - radius + int(random.integers(-4, 5)) for place in (row, column))
            top, left = max(0, top), max(0, left)
            area = picture[top : top + side, left : left + side]
            inside = ((x * x + y * y) < radius * radius)[: area.shape[0], : area.shape[1]]
            area[inside] = face[: area.shape[0], : area.shape[1]][inside][:, None]
    return noisy(picture, random)


def before_after(random: np.random.Generator) -> Pixels:
    """One photo twice: retouched, in other colors, turned and enlarged a little, side by side or stacked."""
    across = bool(random.integers(2))
    width, height = (WIDTH // 2, HEIGHT) if across else (WIDTH, HEIGHT // 2)
    first = photo(random, width, height)
    degrees, zoom = (float(random.uniform(*limits)) for limits in ((-1, 1), (1, 1.03)))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    turn[:, 2] += random.uniform(-6, 6, 2)
    moved = cv2.warpAffine(first, turn, (width, height), borderMode=cv2.BORDER_REFLECT).astype(np.float32)
    second = first.astype(np.float32) if random.integers(2) else moved
    tone = random.uniform(0.7, 1.3, 3) if random.integers(2) else random.uniform(0.8, 1.2)
    second = noisy(second * tone + random.uniform(-20, 20), random)
    if not random.integers(3):
        second = np.ascontiguousarray(second[:, ::-1])
    return np.concatenate([first, second], axis=1 if across else 0)


def grid(random: np.random.Generator) -> Pixels:
    """Tables, boards and calendars: lines at equal distances, numbers in the cells."""
    picture = np.full((HEIGHT, WIDTH, 3), random.uniform(200, 255), np.uint8)
    across, down = int(random.integers(20, 90)), int(random.integers(20, 70))
    color = [float(random.uniform(0, 120)) for _ in range(3)]
    for left in range(0, WIDTH, across):
        cv2.line(picture, (left, 0), (left, HEIGHT), color, 1 + int(random.integers(2)))
    for top in range(0, HEIGHT, down):
        cv2.line(picture, (0, top), (WIDTH, top), color, 1)
    number = 0
    for top in range(0, HEIGHT, down):
        for left in range(0, WIDTH, across):
            number += 1
            if random.integers(2):
                cv2.putText(picture, str(number % 31), (left + 4, top + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1)
            if not random.integers(5):
                tint = [float(value) for value in random.uniform(90, 250, 3)]
                cv2.rectangle(picture, (left + 2, top + 2), (left + across - 2, top + down - 2), tint, -1)
    return noisy(picture, random)


def diagram(random: np.random.Generator) -> Pixels:
    """Two or more like charts beside each other: axes, curves or bars, labels."""
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    charts = int(random.integers(2, 4))
    width = WIDTH // charts
    for number in range(charts):
        left = number * width
        cv2.rectangle(picture, (left + 30, 20), (left + width - 12, HEIGHT - 40), (0, 0, 0), 1)
        for tick in range(5):
            place = (left + 6, HEIGHT - 40 - tick * 70)
            cv2.putText(picture, f"{tick * 5}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1)
        cv2.putText(picture, "result", (left + width // 2, HEIGHT - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1)
        x = np.arange(left + 32, left + width - 14)
        for color in ((200, 40, 40), (40, 60, 200)):
            y = np.cumsum(random.normal(0, 3, len(x)))
            y = np.clip(HEIGHT / 2 + y + random.uniform(-60, 60), 25, HEIGHT - 45)
            cv2.polylines(picture, [np.stack([x, y], 1).astype(np.int32)], False, color, 2)
        if random.integers(2):
            for bar in range(left + 40, left + width - 30, 24):
                top = HEIGHT - int(random.integers(60, 260))
                cv2.rectangle(picture, (bar, top), (bar + 14, HEIGHT - 41), (90, 90, 90), -1)
    return noisy(picture, random)


def texture(random: np.random.Generator) -> Pixels:
    """A periodic texture: bricks, weaves, dots and wallpapers, seen straight on or at an angle."""
    side_x, side_y = int(random.integers(16, 80)), int(random.integers(16, 80))
    tile = cv2.GaussianBlur(random.uniform(0, 255, (side_y, side_x, 3)), (0, 0), float(random.uniform(1, 5)))
    tile = (tile - tile.mean()) / max(float(tile.std()), 1e-3) * random.uniform(15, 60) + 128
    whole = np.tile(tile, (2 * HEIGHT // side_y + 2, 2 * WIDTH // side_x + 2, 1)).astype(np.float32)
    if random.integers(2):
        near = np.float32([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]])
        away = near + random.uniform(-0.25, 0.25, (4, 2)).astype(np.float32) * (WIDTH, HEIGHT) + (WIDTH / 2, HEIGHT / 2)
        whole = cv2.warpPerspective(whole, cv2.getPerspectiveTransform(np.float32(away), near), (WIDTH, HEIGHT))
    return noisy(whole[:HEIGHT, :WIDTH], random)


def contact_sheet(random: np.random.Generator) -> Pixels:
    """Several photos in frames of one size."""
    across, down = int(random.integers(2, 5)), int(random.integers(1, 4))
    width, height = WIDTH // across, HEIGHT // down
    rows = []
    for _ in range(down):
        cells = [photo(random, width - 8, height - 8) for _ in range(across)]
        rows.append(np.hstack([cv2.copyMakeBorder(cell, 4, 4, 4, 4, cv2.BORDER_CONSTANT) for cell in cells]))
    return np.vstack(rows)


def wallpaper(random: np.random.Generator) -> Pixels:
    """A part of a photo repeated as on a wallpaper, every other column lower by half of it."""
    tile = photo(random, WIDTH // 4, HEIGHT // 3)
    columns = [np.tile(tile, (4, 1, 1)) for _ in range(4)]
    if random.integers(2):
        columns[1::2] = [np.roll(column, HEIGHT // 6, axis=0) for column in columns[1::2]]
    return np.ascontiguousarray(np.hstack(columns)[:HEIGHT])


FLAT: dict[str, Callable[[np.random.Generator], Pixels]] = {
    "coins": coins,
    "before/after": before_after,
    "grid": grid,
    "diagram": diagram,
    "texture": texture,
    "contact sheet": contact_sheet,
    "wallpaper": wallpaper,
}


def scene(random: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Both eyes of a photo as the wall and of three to six smaller photos before it, at different disparities."""
    far, room = int(random.integers(-8, 6)), 30
    wall = photo(random, WIDTH + 2 * room, HEIGHT)
    left, right = (wall[:, room + move : room + move + WIDTH].copy() for move in (0, far))
    for near in sorted(int(value) for value in random.integers(far + 4, far + 26, int(random.integers(3, 7)))):
        width, height = int(random.integers(80, 200)), int(random.integers(80, 200))
        x, y = int(random.integers(30, WIDTH - width - 30)), int(random.integers(0, HEIGHT - height))
        left[y : y + height, x : x + width] = card = photo(random, width, height)
        right[y : y + height, x - near : x - near + width] = card
    return noisy(left, random), noisy(right, random)


def is_cut(pixels: Pixels, folder: Path) -> bool:
    """Whether depth3d takes a picture without name or tag for a stereo picture."""
    return eyes_of(save_image(Image(pixels), folder / "picture.png", force=True)) is not None


def eyes_of(path: Path):  # type: ignore[no-untyped-def]
    try:
        return find_eyes(open_photo(path), DepthOptions())
    except ReadError as error:  # an anaglyph, or a damaged file
        print(f"{path.name}: {error}")
        return None


def stereo_pictures(folder: Path) -> Iterator[tuple[str, Callable[[Path], Path]]]:
    """Name of each stereo picture in ``folder``, and a function that writes it into another folder."""
    for path in sorted(folder.rglob("left.*")):
        pair = [open_image(path.with_name(f"{eye}{path.suffix}")).eight_bit().pixels for eye in ("left", "right")]
        for name in list(PACKINGS)[:3]:
            whole = Image(PACKINGS[name](*pair))
            write = lambda to, whole=whole: save_image(whole, to / "picture.png", force=True)  # noqa: E731
            yield f"{path.parent.name}, {name}", write
    for path in filter(Path.is_file, sorted(folder.rglob("*"))):
        if path.suffix.lower() in (".mpo", ".jps", ".pns") or "stereo" in path.stem or "spatial" in path.stem:
            yield path.name, lambda to, path=path: path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=510, help="pictures without depth")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder, wrong = Path(name), 0
        each = -(-given.count // len(FLAT))
        for kind, draw in FLAT.items():
            cut = [seed for seed in range(each) if is_cut(draw(np.random.default_rng(seed)), folder)]
            wrong += len(cut)
            print(f"{kind:16} {len(cut)} of {each} cut {cut or ''}", flush=True)
        print(f"{'all':16} {wrong} of {each * len(FLAT)} cut")
        missed = []
        for seed in range(40):
            packing = list(PACKINGS)[seed % len(PACKINGS)]
            if not is_cut(PACKINGS[packing](*scene(np.random.default_rng(seed))), folder):
                missed.append(f"{seed} ({packing})")
        print(f"made stereo: {40 - len(missed)} of 40 found; missed: {', '.join(missed) or 'none'}", flush=True)
        if given.folder:
            files = list(stereo_pictures(given.folder))
            missed = [name for name, write in files if eyes_of(write(folder)) is None]
            print(f"{given.folder.name}: {len(files) - len(missed)} of {len(files)} found; missed: {missed or 'none'}")


if __name__ == "__main__":
    main()
