"""Take it with you: a web page, a mesh, a photo with its depth inside: `python 06_share.py [PHOTO] [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

import depth3d as d3
from depth3d.io.depth.embed import write_embedded

HERE = Path(__file__).parent
photo = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "coffee.jpg"
folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path.cwd()

# The page is one HTML file: open it, mail it. In a notebook the last line of a cell shows it.
print(d3.view(photo, folder / f"{photo.stem}.html", amount=2.5, force=True))

# GLB opens in any 3D viewer, Blender, PowerPoint. Two known distances make it true to scale, in meters:
# depth maps hold inverse distance, so the nearest and the farthest point fix everything between.
print(d3.mesh(photo, folder / f"{photo.stem}.glb", near=0.3, far=2.0, force=True))

# A plain JPEG with the depth inside, as Google's cameras write it (exiftool shows it).
image = d3.open_image(photo)
depth = d3.estimate_depth(image)
print(write_embedded(image, depth, folder / f"{photo.stem}_gdepth.jpg", "gdepth", force=True))
