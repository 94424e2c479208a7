"""Depth from anywhere: paint it, measure it, or load it, then look at it in 3D.

`python 02_own_depth_map.py [FOLDER]` writes a stereo pair side by side and the animation's four quarter frames.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import depth3d as d3
from depth3d.io.image.read import save_image

HERE = Path(__file__).parent
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd()

image = d3.open_image(HERE / "coffee.jpg")

# A depth map is (H, W) float32 in [0, 1], 1 = nearest. This one says: the table is a ramp, the cup stands on it.
rows, columns = np.mgrid[0 : image.size.height, 0 : image.size.width].astype(np.float32)
table = 0.6 * rows / image.size.height
cup = np.hypot((columns - 300) / 190, (rows - 215) / 165) < 1
depth = d3.DepthMap(np.where(cup, np.maximum(table, 0.75), table).astype(np.float32))

# eyes="right": the left picture is the photo itself, bit for bit; the right one is new.
pair = d3.stereo_pair(image, depth, parallax=2.0, convergence=0.5, eyes="right")
save_image(d3.compose(pair, format="sbs"), folder / "coffee_LRF_Full_SBS.jpg", force=True)
save_image(d3.compose(pair, format="anaglyph"), folder / "coffee_redcyan.jpg", force=True)

frames = d3.render_path(image, depth, path="swing", amount=2.0, seconds=1.0, fps=4)
for number, frame in enumerate(frames):
    save_image(frame, folder / f"coffee_{number}.png", force=True)
print(folder / "coffee_LRF_Full_SBS.jpg")
