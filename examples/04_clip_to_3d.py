"""A clip becomes side-by-side 3D with its sound: `python 04_clip_to_3d.py [CLIP] [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

import depth3d as d3

HERE = Path(__file__).parent
clip = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "bigbuckbunny.mp4"
folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path.cwd()

print(d3.stereo(clip, folder / f"{clip.stem}_LRF_Full_SBS.mp4", end=1.0, size="320x180", force=True))
