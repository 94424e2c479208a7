"""One depth, every viewer: `python 03_stereo_formats.py [PHOTO] [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

import depth3d as d3

HERE = Path(__file__).parent
photo = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "flower.jpg"
folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path.cwd()

image = d3.open_image(photo)
depth = d3.estimate_depth(image)
pair = d3.stereo_pair(image, depth, parallax=2.0, convergence=0.5)
for name in ("sbs", "half-sbs", "tb", "anaglyph", "green-magenta", "rows"):
    flat = d3.compose(pair, format=name)
    print(f"{name}: {flat.size}")
