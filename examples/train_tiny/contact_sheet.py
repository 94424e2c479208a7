"""Pictures and their depth side by side, small: to look at what the network does.

python examples/train_tiny/contact_sheet.py SHEET.jpg PICTURE ... [--checkpoint WORK/run/checkpoint.pt] [--columns 3]
    [--before OLD.safetensors]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from predictor import Method, trained

import depth3d as d3


def box(panel: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A BGR picture fitted into the middle of a dark box (height, width, 3)."""
    rows, columns = panel.shape[:2]
    scale = min(height / rows, width / columns)
    size = (max(int(columns * scale), 1), max(int(rows * scale), 1))
    result = np.full((height, width, 3), 16, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    small = cv2.resize(np.ascontiguousarray(panel), size, interpolation=cv2.INTER_AREA)
    result[top : top + size[1], left : left + size[0]] = small
    return result


def shaded(depth: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Inverse depth in colors, light = near, at the picture's size (width, height)."""
    low, high = np.quantile(depth, [0.005, 0.995])
    shades = (255 * np.clip((depth - low) / max(high - low, 1e-6), 0, 1)).astype(np.uint8)
    return cv2.resize(cv2.applyColorMap(shades, cv2.COLORMAP_INFERNO), size, interpolation=cv2.INTER_LINEAR)


def tile(path: Path, methods: list[Method], height: int, width: int) -> NDArray[np.uint8]:
    """Picture on the left, depths to its right (light = near), in boxes of one size; (height, width * boxes, 3) BGR."""
    image = d3.open_image(path)
    pixels = np.ascontiguousarray(image.eight_bit().pixels[:, :, :3])
    panels = [pixels[:, :, ::-1]]
    panels += [shaded(method(pixels), pixels.shape[1::-1]) for method in methods]
    return np.hstack([box(panel, height, width) for panel in panels])


def shipped(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network in the package."""
    return d3.predict_disparity([d3.Image(picture)], model="tiny", quiet=True)[0].values


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--checkpoint", type=Path, help="a training run, shown to the right of the shipped network")
    parser.add_argument("--before", type=Path, help="weights of an earlier edition, shown first")
    parser.add_argument("--columns", type=int, default=3)
    parser.add_argument("--height", type=int, default=150)
    options = parser.parse_args()
    height, width = options.height, options.height * 4 // 3
    methods: list[Method] = [trained(options.before), shipped] if options.before else [shipped]
    if options.checkpoint:
        methods.append(trained(options.checkpoint))
    tiles = [tile(path, methods, height, width) for path in options.pictures]
    while len(tiles) % options.columns:
        tiles.append(np.full_like(tiles[0], 16))
    rows = [np.hstack(tiles[i : i + options.columns]) for i in range(0, len(tiles), options.columns)]
    cv2.imwrite(str(options.sheet), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
