"""Make the pictures of the README with the program itself: `python examples/make_pictures.py`.

Writes small files to `examples/pictures/`: a looping animation, a depth map, an anaglyph and a side-by-side pair.
"""

from __future__ import annotations

from pathlib import Path

import depth3d as d3
from depth3d.io.depth.write import write_depth
from depth3d.io.image.read import save_image

HERE = Path(__file__).parent
OUT = HERE / "pictures"
ANIMATED = ("flower", "coffee")
STEREO = "astronaut"


def small(name: str, width: int) -> d3.Image:
    image = d3.open_image(HERE / f"{name}.jpg")
    return image.resized(d3.Size(width, round(width / image.size.aspect)))


def main() -> None:
    OUT.mkdir(exist_ok=True)
    for name in ANIMATED:
        target = OUT / f"{name}_3d.webp"
        d3.animate(HERE / f"{name}.jpg", target, seconds=3, fps=15, size="360x240", amount=3, model="tiny", force=True)
    for name in (*ANIMATED, STEREO):
        image = small(name, 360)
        depth = d3.estimate_depth(image, model="tiny")
        write_depth(depth, OUT / f"{name}_depth.jpg", heatmap="inferno", force=True)
        if name == STEREO:
            pair = d3.stereo_pair(image, depth, parallax=3.0)
            save_image(d3.compose(pair, format="anaglyph"), OUT / f"{name}_redcyan.jpg", force=True)
            save_image(d3.compose(pair, format="sbs"), OUT / f"{name}_LRF_Full_SBS.jpg", force=True)
    print(*sorted(OUT.iterdir()), sep="\n")


if __name__ == "__main__":
    main()
