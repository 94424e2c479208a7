"""Street pictures with semantic labels -> plausible inverse depth by geometry ("photo pop-up", Hoiem et al. 2005).

    python examples/train_tiny/streets.py ../shared/train/wild/camvid WORK [--sheet SHEET.jpg]
The ground is a plane: its inverse depth grows in proportion to the rows below the horizon. Upright things have the
inverse depth of the ground where they touch it; the sky is infinitely far. What has no visible contact with the
ground is unknown (NaN). Writes the sources `streets` and `streets_held_back` (the sequence 0016E5).
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pairs import write_shard

Plane = NDArray[np.float32]
Labels = NDArray[np.uint8]

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST, UNLABELED = range(12)
GROUND = (ROAD, PAVEMENT)
HELD_BACK = "0016E5"
SIZE = (400, 300)
"""Width and height of what is written."""


def horizon(labels: Labels) -> float:
    """Row of the horizon: a little above the farthest ground that is seen."""
    rows = np.flatnonzero(np.isin(labels, GROUND).sum(axis=1) >= 4)
    return float(rows[0]) - 0.02 * len(labels) if rows.size else np.nan


def contact(mask: NDArray[np.bool_], labels: Labels) -> Plane:
    """Lowest row of the mask in each column where ground lies right below it (NaN elsewhere)."""
    height, width = mask.shape
    present = mask.any(axis=0)
    bottom = height - 1 - np.argmax(mask[::-1], axis=0)
    below = labels[np.minimum(bottom + 2, height - 1), np.arange(width)]
    touches = present & (np.isin(below, GROUND) | (bottom >= height - 3))
    return np.where(touches, bottom + 1, np.nan).astype(np.float32)


def spread(values: Plane, columns: NDArray[np.intp]) -> Plane:
    """Values at the given columns, linear between known ones and constant beyond them."""
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(columns, known, values[known]).astype(np.float32)


def envelope(rows: Plane, reach: int) -> Plane:
    """Lowest contact within `reach` columns: the wheels of a car, the feet of a person."""
    filled = np.nan_to_num(rows, nan=-1.0).reshape(1, -1)
    lowest = cv2.dilate(filled, np.ones((1, 2 * reach + 1), np.uint8))[0]
    return np.where(lowest >= 0, lowest, np.nan).astype(np.float32)


def inverse_depth(labels: Labels, level: float) -> Plane:
    """Inverse depth (H, W) of one picture from its labels and the row of the horizon; 1 at the lower border."""
    height, width = labels.shape
    ground = np.clip((np.arange(height) + 0.5 - level) / (height - level), 0.004, 1.0).astype(np.float32)
    inverse = np.full((height, width), np.nan, np.float32)
    inverse[labels == SKY] = 0.0
    on_ground = np.isin(labels, GROUND)
    inverse[on_ground] = np.broadcast_to(ground[:, None], labels.shape)[on_ground]
    row_value = lambda rows: np.interp(rows, np.arange(height) + 0.5, ground)  # noqa: E731
    groups = ((BUILDING,), (TREE,), (FENCE,), (CAR,), (POLE, SIGN), (BICYCLIST, PEDESTRIAN))
    for group in groups:
        count, parts, stats, _ = cv2.connectedComponentsWithStats(np.isin(labels, group).astype(np.uint8))
        for part in range(1, count):
            left, _, wide, tall, area = stats[part]
            mask = parts == part
            if area < 30:
                continue
            rows = contact(mask, labels)
            if group[0] not in (BUILDING, TREE, FENCE):
                rows = envelope(rows, max(int(0.5 * min(tall, wide)), 1)) if group[0] == CAR else rows
                if group[0] != CAR and np.isfinite(rows).any():
                    rows = np.where(np.isfinite(rows), np.nanmax(rows), np.nan)
            if np.isfinite(rows).sum() < max(2, 0.04 * wide):
                continue
            columns = np.arange(left, left + wide)
            values = spread(np.where(np.isfinite(rows), row_value(rows), np.nan).astype(np.float32), columns)
            smooth = max(int(0.1 * wide) | 1, 3) if group[0] in (BUILDING, TREE, FENCE) else 1
            if smooth > 1 and wide > smooth:
                padded = np.pad(values, smooth // 2, mode="edge")
                values = np.median(np.lib.stride_tricks.sliding_window_view(padded, smooth), axis=1)
            inside = mask[:, left : left + wide]
            inverse[:, left : left + wide][inside] = np.broadcast_to(values, inside.shape)[inside]
    return inverse


def read(folder: Path) -> dict[str, tuple[NDArray[np.uint8], Plane]]:
    """Name -> picture (RGB) and inverse depth, for every picture whose labels leave enough known."""
    names = sorted(path.stem for path in folder.glob("*.jpg"))
    labels = {name: cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_UNCHANGED) for name in names}
    levels = {name: horizon(labels[name]) for name in names}
    found = {}
    for name in names:
        usual = float(np.nanmedian([levels[other] for other in names if other[:6] == name[:6]]))
        own = levels[name]
        if not np.isfinite(own) or abs(own - usual) > 0.06 * len(labels[name]):  # the far road is hidden: use the usual
            own = usual
        inverse = inverse_depth(labels[name], own)
        if np.isfinite(inverse).mean() < 0.6:
            continue
        picture = np.ascontiguousarray(cv2.imread(str(folder / f"{name}.jpg"))[:, :, ::-1])
        found[name] = (
            cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA),
            cv2.resize(inverse, SIZE, interpolation=cv2.INTER_NEAREST),
        )
    return found


def sheet(pairs: list[tuple[NDArray[np.uint8], Plane]], columns: int = 4) -> NDArray[np.uint8]:
    """Pictures and depths side by side (unknown = green), to be looked at; (H, W, 3) BGR."""
    tiles = []
    for picture, inverse in pairs:
        shades = cv2.applyColorMap(
            (255 * np.clip(np.nan_to_num(inverse), 0, 1) ** 0.5).astype(np.uint8), cv2.COLORMAP_INFERNO
        )
        shades[np.isnan(inverse)] = (0, 160, 0)
        tiles.append(cv2.resize(np.hstack([picture[:, :, ::-1], shades]), None, fx=0.5, fy=0.5))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def main() -> None:
    """Write both sources."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--sheet", type=Path, help="also write a contact sheet of 20")
    options = parser.parse_args()
    found = read(options.folder)
    for source, held in (("streets", False), ("streets_held_back", True)):
        chosen = [pair for name, pair in found.items() if name.startswith(HELD_BACK) == held]
        write_shard(options.work / source, "all", [picture for picture, _ in chosen], [depth for _, depth in chosen])
        print(source, len(chosen))
    if options.sheet:
        pairs = list(found.values())
        cv2.imwrite(str(options.sheet), sheet([pairs[i] for i in np.linspace(0, len(pairs) - 1, 20).astype(int)]))


if __name__ == "__main__":
    main()
