"""Cut figures out of real pictures with GrabCut, for use in the scenes.

    python examples/train_tiny/scenes/cutouts.py ../shared/data WORK/cutouts
Rectangles are drawn by hand for the pictures named below (stated or repository licences; see the model card).
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from dressing import Figure
from numpy.typing import NDArray
from silhouettes import profile

Box = tuple[float, float, float, float]
Cut = tuple[NDArray[np.uint8], NDArray[np.float32]]

PHOTOS: dict[str, list[Box]] = {
    "photos/kodak/kodim04.png": [(0.02, 0.02, 0.98, 1.0)],
    "photos/kodak/kodim15.png": [(0.16, 0.0, 0.92, 1.0)],
    "photos/kodak/kodim23.png": [(0.08, 0.22, 0.48, 1.0), (0.5, 0.08, 1.0, 1.0)],
    "photos/kodak/kodim19.png": [(0.42, 0.1, 0.8, 0.7)],
}
"""Rectangle (left, top, right, bottom) in parts of the picture around each figure."""

CLIPS: dict[str, Box] = {
    "video/sam2_05_default_juggle.mp4": (0.42, 0.02, 0.72, 1.0),
    "video/sam2_01_dog.mp4": (0.0, 0.0, 1.0, 1.0),
}
"""Static clips: what differs from the median over time, inside the rectangle, is the figure."""

REJECTED = {f"sam2_01_dog_{n}" for n in (0, 2, 3, 4, 7)} | {f"sam2_05_default_juggle_{n}" for n in (4, 5, 6)}
"""Cuts that took too much of the background with them, judged by eye."""


def grab(
    picture: NDArray[np.uint8], mask: NDArray[np.uint8], box: tuple[int, int, int, int] | None
) -> NDArray[np.float32]:
    """GrabCut from a rectangle or from a first guess -> soft alpha."""
    models = np.zeros((1, 65)), np.zeros((1, 65))
    mode = cv2.GC_INIT_WITH_RECT if box else cv2.GC_INIT_WITH_MASK
    mask, *_ = cv2.grabCut(picture, mask, box, *models, 5, mode)
    alpha = np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 1.0, 0.0).astype(np.float32)
    alpha = cv2.morphologyEx(alpha, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.5).astype(np.uint8))
    if count > 1:
        alpha = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.8), np.float32)


def trim(
    picture: NDArray[np.uint8], alpha: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """The bounding box of the figure, at most 256 high; None when it is too small."""
    rows, columns = np.flatnonzero((alpha > 0.5).any(axis=1)), np.flatnonzero((alpha > 0.5).any(axis=0))
    if rows.size < 60 or columns.size < 25:
        return None
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = min(1.0, 256 / rows.size)
    resize = lambda plane: cv2.resize(plane, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # noqa: E731
    return resize(np.ascontiguousarray(picture[part])), resize(np.ascontiguousarray(alpha[part]))


def cut_photo(path: Path, box: Box) -> Cut:
    """One figure of a photograph: the picture (RGB) and its alpha."""
    picture = cv2.imread(str(path))
    picture = cv2.resize(picture, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    height, width = picture.shape[:2]
    left, top, right, bottom = (int(v * n) for v, n in zip(box, (width, height, width, height), strict=True))
    alpha = grab(picture, np.zeros((height, width), np.uint8), (left, top, right - left - 1, bottom - top - 1))
    return np.ascontiguousarray(picture[:, :, ::-1]), alpha


def cut_clip(path: Path, box: Box, take: int) -> list[Cut]:
    """Figures of a static clip at `take` moments: frames (RGB) and alphas."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = capture.read()
        if not there:
            break
        size = (640, int(640 * frame.shape[0] / frame.shape[1]))
        frames.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
    chosen = np.linspace(0, len(frames) - 1, 25).astype(int)
    still = np.median(np.stack([frames[i] for i in chosen]), axis=0).astype(np.float32)
    height, width = still.shape[:2]
    left, top, right, bottom = (int(v * n) for v, n in zip(box, (width, height, width, height), strict=True))
    inside = np.zeros((height, width), bool)
    inside[top:bottom, left:right] = True
    found = []
    for index in np.linspace(5, len(frames) - 5, take).astype(int):
        change = cv2.GaussianBlur(np.abs(frames[index] - still).max(axis=2), (0, 0), 2.0)
        likely = inside & (change > 12)
        mask = np.full((height, width), cv2.GC_BGD, np.uint8)
        mask[cv2.dilate(likely.astype(np.uint8), np.ones((15, 15))) > 0] = cv2.GC_PR_BGD
        mask[likely] = cv2.GC_PR_FGD
        mask[inside & (change > 45)] = cv2.GC_FGD
        if (mask == cv2.GC_FGD).sum() > 400:
            found.append((np.ascontiguousarray(frames[index][:, :, ::-1]), grab(frames[index], mask, None)))
    return found


def load_cutouts(folder: Path | None) -> list[Figure]:
    """All cut-outs of a folder, as figures."""
    figures = []
    for path in sorted(folder.glob("*.npz")) if folder else []:
        stored = np.load(path)
        alpha = stored["alpha"].astype(np.float32)
        figures.append(Figure(alpha, stored["color"].astype(np.float32) / 255.0, profile(alpha)))
    return figures


def main(data: Path, output: Path) -> None:
    """Write all cut-outs of `PHOTOS` and `CLIPS`."""
    output.mkdir(parents=True, exist_ok=True)
    cuts = {}
    for name, boxes in PHOTOS.items():
        for index, box in enumerate(boxes):
            cuts[f"{Path(name).stem}_{index}"] = trim(*cut_photo(data / name, box))
    for name, box in CLIPS.items():
        for index, cut in enumerate(cut_clip(data / name, box, 8)):
            cuts[f"{Path(name).stem}_{index}"] = trim(*cut)
    kept = {name: cut for name, cut in cuts.items() if cut is not None and name not in REJECTED}
    for name, (color, alpha) in kept.items():
        np.savez_compressed(output / f"{name}.npz", color=color, alpha=alpha.astype(np.float16))
    print(len(kept), "cut-outs")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
