"""Pictures and their depth side by side, small: to look at what the network does.

python examples/train_tiny/contact_sheet.py SHEET.jpg PICTURE ... [--weights FILE] [--columns 3] [--height 150]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import depth3d as d3


def tile(path: Path, weights: str, height: int, width: int) -> NDArray[np.uint8]:
    """Picture left, depth right (light = near), both in boxes of the same size; (height, 2 width, 3) BGR."""
    image = d3.open_image(path)
    depth = d3.predict_disparity([image], model=weights, quiet=True)[0].values
    low, high = np.quantile(depth, [0.005, 0.995])
    shades = (255 * np.clip((depth - low) / max(high - low, 1e-6), 0, 1)).astype(np.uint8)
    pixels = image.pixels if image.pixels.dtype == np.uint8 else (image.pixels >> 8).astype(np.uint8)
    panels = []
    for panel in (pixels[:, :, ::-1], cv2.applyColorMap(shades, cv2.COLORMAP_INFERNO)):
        rows, columns = pixels.shape[:2]
        scale = min(height / rows, width / columns)
        size = (max(int(columns * scale), 1), max(int(rows * scale), 1))
        small = cv2.resize(np.ascontiguousarray(panel), size, interpolation=cv2.INTER_AREA)
        box = np.full((height, width, 3), 16, np.uint8)
        top, left = (height - size[1]) // 2, (width - size[0]) // 2
        box[top : top + size[1], left : left + size[0]] = small
        panels.append(box)
    return np.hstack(panels)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--weights", default="tiny", help="a safetensors file; default: the shipped one")
    parser.add_argument("--columns", type=int, default=3)
    parser.add_argument("--height", type=int, default=150)
    options = parser.parse_args()
    height, width = options.height, options.height * 4 // 3
    tiles = [tile(path, options.weights, height, width) for path in options.pictures]
    while len(tiles) % options.columns:
        tiles.append(np.full_like(tiles[0], 16))
    rows = [np.hstack(tiles[i : i + options.columns]) for i in range(0, len(tiles), options.columns)]
    cv2.imwrite(str(options.sheet), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
