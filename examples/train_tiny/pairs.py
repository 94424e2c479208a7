"""Pictures with inverse depth, packed as numpy shards: what the trainer reads and the scene renderer writes.

A source is a folder of shards `NAME.rgb.npy` (N, H, W, 3) uint8 and `NAME.inverse.npy` (N, H, W) float16; inverse
depth is relative (any scale per picture), 0 = infinitely far, NaN = unknown. Packing the indoor pairs:
    python examples/train_tiny/pairs.py ../shared/train WORK
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK = 16
"""Consecutive indoor pictures show the same rooms, so whole blocks are held back: the 5th of every 10 blocks of 16."""


def is_held_back(index: int) -> bool:
    """Whether the indoor pair with this index is held back from training (80 of 795 are)."""
    return (index // BLOCK) % 10 == 4


def write_shard(
    folder: Path, name: str, pictures: list[NDArray[np.uint8]], inverses: list[NDArray[np.float32]]
) -> None:
    """Write one shard of pairs of one size; a reader never sees half a shard, as the depths come last, by rename."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.rgb.npy", np.stack(pictures))
    scaled = [inverse / max(float(np.nanmax(inverse)), 1e-6) for inverse in inverses]
    partial = folder / f"{name}.partial.npy"
    np.save(partial, np.stack(scaled).astype(np.float16))
    partial.rename(folder / f"{name}.inverse.npy")


class Pairs:
    """All pairs of one source, memory mapped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shards: list[tuple[NDArray[np.uint8], NDArray[np.float16]]] = []
        self.places: list[tuple[int, int]] = []
        self.names: set[str] = set()
        self.refresh()

    def refresh(self) -> None:
        """Load shards that were written since the last call."""
        for path in sorted(self.folder.glob("*.inverse.npy")):
            name = path.name.removesuffix(".inverse.npy")
            if name in self.names:
                continue
            self.names.add(name)
            inverse = np.load(path, mmap_mode="r")
            self.shards.append((np.load(path.with_name(f"{name}.rgb.npy"), mmap_mode="r"), inverse))
            self.places += [(len(self.shards) - 1, index) for index in range(len(inverse))]

    def is_upright(self, index: int) -> bool:
        """Whether the picture is higher than wide."""
        rows, columns = self.shards[self.places[index][0]][1].shape[1:]
        return bool(rows > columns)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        shard, place = self.places[index]
        pictures, inverses = self.shards[shard]
        return np.asarray(pictures[place]), inverses[place].astype(np.float32)


def pack_indoor(source: Path, work: Path, height: int = 300, width: int = 400) -> None:
    """Write the indoor pairs as two sources: `indoor` (training) and `indoor_held_back`."""
    kept: dict[str, tuple[list[NDArray[np.uint8]], list[NDArray[np.float32]]]] = {
        "indoor": ([], []),
        "indoor_held_back": ([], []),
    }
    for index, entry in enumerate(json.loads((source / "index.json").read_text())):
        picture = cv2.imread(str(source / entry["rgb"]))[:, :, ::-1]
        meters = cv2.imread(str(source / entry["target"]), cv2.IMREAD_UNCHANGED).astype(np.float32) * entry["unit_m"]
        inverse = 1.0 / np.maximum(meters, 0.3)
        pictures, inverses = kept["indoor_held_back" if is_held_back(index) else "indoor"]
        pictures.append(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
        inverses.append(cv2.resize(inverse, (width, height), interpolation=cv2.INTER_NEAREST))
    for name, (pictures, inverses) in kept.items():
        write_shard(work / name, "all", pictures, inverses)
        print(name, len(pictures))


if __name__ == "__main__":
    pack_indoor(Path(sys.argv[1]), Path(sys.argv[2]))
