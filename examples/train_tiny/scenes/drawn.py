"""A few real pictures whose depth is drawn by hand: planes through a horizon, standing walls, cut-out figures.

    python examples/train_tiny/scenes/drawn.py ../shared/data WORK
Writes the source WORK/drawn. Coarse, but real skies, lawns, water, faces and feathers. Coordinates are parts of the
picture, x to the right, y down; inverse depth is relative, 0 = infinitely far.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from cutouts import CLIPS, PHOTOS, cut_clip, cut_photo
from numpy.typing import NDArray
from silhouettes import profile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pairs import write_shard

Plane = NDArray[np.float32]
Points = Sequence[tuple[float, float]]
HEIGHT, WIDTH = 240, 320


class Drawing:
    """A picture and the inverse depth that is drawn for it."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        rows, columns = picture.shape[:2]
        size = (WIDTH, round(WIDTH * rows / columns)) if columns >= rows else (round(HEIGHT * columns / rows), HEIGHT)
        self.picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        self.inverse = np.zeros(self.picture.shape[:2], np.float32)
        height, width = self.inverse.shape
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        self.x, self.y = (x + 0.5) / width, (y + 0.5) / height

    def inside(self, outline: Points) -> NDArray[np.bool_]:
        """Mask of a polygon."""
        height, width = self.inverse.shape
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.array([(x * width, y * height) for x, y in outline], np.int32)], 1)
        return mask > 0

    def ground(self, horizon: float, start: float) -> None:
        """A level plane below row `start`, inverse depth 1 at the lower edge."""
        ramp = np.clip((self.y - horizon) / (1.0 - horizon), 0, None)
        self.inverse = np.where(self.y > start, ramp, self.inverse).astype(np.float32)

    def wall(self, outline: Points, left: tuple[float, float], right: tuple[float, float]) -> None:
        """An upright plane inside the outline; (x, inverse depth) at two places."""
        slope = (right[1] - left[1]) / (right[0] - left[0])
        values = np.maximum(left[1] + slope * (self.x - left[0]), 0)
        self.inverse = np.where(self.inside(outline), values, self.inverse).astype(np.float32)

    def figure(self, alpha: Plane, nearness: float, relief: float = 0.15) -> None:
        """Draw a cut-out in front of everything."""
        alpha = cv2.resize(alpha, self.inverse.shape[::-1], interpolation=cv2.INTER_AREA)
        body = nearness * (1.0 + relief * profile(alpha))
        self.inverse = np.where(alpha > 0.5, body, self.inverse).astype(np.float32)

    def cropped(self) -> list[tuple[NDArray[np.uint8], Plane]]:
        """The picture as 4:3 windows of one size: two along its longer side."""
        rows, columns = self.inverse.shape
        high, wide = min(rows, columns * 3 // 4), min(columns, rows * 4 // 3)
        result = []
        for part in (0.0, 1.0):
            top, left = int((rows - high) * part), int((columns - wide) * part)
            window = np.s_[top : top + high, left : left + wide]
            picture = cv2.resize(self.picture[window], (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
            inverse = cv2.resize(self.inverse[window], (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
            result.append((picture, inverse))
        return result


def read(path: Path) -> NDArray[np.uint8]:
    """Read an RGB picture (H, W, 3) uint8."""
    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


def landscapes(data: Path) -> list[Drawing]:
    """Sea, lighthouse, old town, campus street."""
    kodak = data / "photos/kodak"
    sea = Drawing(read(kodak / "kodim16.png"))
    sea.ground(0.495, 0.5)
    light = Drawing(read(kodak / "kodim19.png"))
    light.ground(0.5, 0.62)
    light.wall([(0.55, 0.22), (0.66, 0.22), (0.75, 0.62), (0.5, 0.62)], (0, 0.2), (1, 0.2))
    light.wall([(0, 0.4), (0.28, 0.45), (0.4, 0.41), (0.55, 0.5), (0.55, 0.63), (0, 0.63)], (0, 0.35), (0.45, 0.22))
    light.wall([(0, 0.63), (0.97, 0.56), (0.97, 0.63), (0, 0.87)], (0, 0.74), (0.97, 0.28))
    town = Drawing(read(kodak / "kodim08.png"))
    town.inverse[:] = 0.08
    town.wall([(0.1, 0.42), (0.2, 0.2), (0.4, 0), (1, 0), (1, 1), (0.1, 1)], (0.1, 0.35), (1, 1))
    campus = Drawing(read(data / "stereo_nogt/sidmini_campus_ccw_clear_day_002/left.png"))
    red, blue = campus.picture[:, :, 0].astype(int), campus.picture[:, :, 2].astype(int)
    campus.inverse[(campus.y < 0.56) & ~((blue > red + 40) & (campus.y < 0.5))] = 0.07
    campus.ground(0.5, 0.56)
    campus.wall([(0, 0.56), (0.06, 0.52), (0.2, 0.52), (0.3, 0.6), (0.3, 0.67), (0, 0.68)], (0, 0.36), (0.3, 0.34))
    campus.wall([(0.685, 0.42), (0.75, 0.42), (0.75, 0.52), (0.685, 0.52)], (0, 0.54), (1, 0.54))
    campus.wall([(0.705, 0.52), (0.72, 0.52), (0.72, 0.77), (0.705, 0.77)], (0, 0.54), (1, 0.54))
    return [sea, light, town, campus]


def portraits(data: Path) -> list[Drawing]:
    """Faces and parrots before plain backgrounds."""
    behind = {"kodim04": 0.4, "kodim15": 0.12, "kodim23": 0.1}
    drawings = []
    for name, boxes in PHOTOS.items():
        if Path(name).stem in behind:
            cuts = [cut_photo(data / name, box) for box in boxes]
            drawing = Drawing(cuts[0][0])
            drawing.inverse[:] = behind[Path(name).stem]
            for nearness, (_, alpha) in zip((0.9, 1.0), cuts, strict=False):
                drawing.figure(alpha, nearness, 0.25)
            drawings.append(drawing)
    return drawings


def clips(data: Path) -> list[Drawing]:
    """A juggler on a lawn, a woman and a dog on a path."""
    drawings = []
    lawn = "video/sam2_05_default_juggle.mp4"
    for picture, alpha in cut_clip(data / lawn, CLIPS[lawn], 8)[:4]:
        drawing = Drawing(picture)
        drawing.inverse[:] = 0.06
        drawing.ground(0.28, 0.34)
        drawing.figure(alpha, 0.93, 0.08)
        drawings.append(drawing)
    path = "video/sam2_01_dog.mp4"
    for index, (picture, alpha) in enumerate(cut_clip(data / path, CLIPS[path], 8)):
        if index in (1, 5, 6):
            drawing = Drawing(picture)
            drawing.inverse[:] = 0.09
            drawing.ground(0.3, 0.36)
            drawing.wall([(0, 0), (0.48, 0), (0.48, 0.36), (0, 0.8)], (0, 0.71), (0.48, 0.09))
            drawing.wall([(0.66, 0.05), (0.83, 0.05), (0.83, 0.33), (0.66, 0.33)], (0, 0.03), (1, 0.03))
            drawing.figure(alpha, 0.66, 0.08)
            drawings.append(drawing)
    return drawings


def main(data: Path, work: Path) -> None:
    """Write all drawings as one source."""
    drawings = landscapes(data) + portraits(data) + clips(data)
    pairs = [pair for drawing in drawings for pair in drawing.cropped()]
    write_shard(work / "drawn", "all", [picture for picture, _ in pairs], [inverse for _, inverse in pairs])
    print(len(drawings), "pictures,", len(pairs), "windows")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
