"""A photo becomes a looping 3D animation: `python 01_animate_a_photo.py [PHOTO] [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

import depth3d as d3

HERE = Path(__file__).parent
photo = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "coffee.jpg"
folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path.cwd()

# Everything has a default; this is `depth3d animate coffee.jpg --amount 2.5 --seconds 2 --size 480x320`.
film = d3.animate(photo, folder / f"{photo.stem}_3d.mp4", amount=2.5, seconds=2, size="480x320", force=True)
print(film)
