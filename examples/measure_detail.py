"""How much fine detail a new view keeps, and what it costs: stills read the texture bicubically, animations bilinearly.

    python examples/measure_detail.py FOLDER          # photos

Every photo is seen as a plane, moved sideways by a whole number of pixels plus 1/8 to 7/8. Detail is what a Gaussian of
one pixel removes; the view keeps the share that its detail has of the photo's (ratio of standard deviations). The error
(PSNR) is that of the view moved back by the same amount: a photo read twice. CPU time is that of all threads.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import depth3d as d3
from depth3d.geometry.mesh.layers import build_layers
from depth3d.io.image.read import open_image
from depth3d.pipeline.views import eye_camera
from depth3d.render.context import get_context, run_on_render_thread
from depth3d.render.renderer import Renderer

BORDER = 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.iterdir() if path.suffix in (".png", ".jpg"))
    print(f"{'photo':24s}{'reading':>10s}{'detail kept':>13s}{'twice, dB':>11s}{'CPU ms':>9s}")
    scores: dict[str, list[list[float]]] = {"bilinear": [], "bicubic": []}
    for path in paths:
        image = open_image(path).eight_bit()
        for name, found in scores.items():
            found.append(measured(image, crisp=name == "bicubic"))
            print(f"{path.name:24s}{name:>10s}" + cells(found[-1]), flush=True)
    for name, found in scores.items():
        print(f"{'mean':24s}{name:>10s}" + cells(list(np.mean(found, axis=0))))


def cells(values: list[float]) -> str:
    return f"{values[0]:12.1f}%{values[1]:11.2f}{values[2]:9.1f}"


def measured(image: d3.Image, *, crisp: bool) -> list[float]:
    """Share of detail in percent, PSNR in dB after moving there and back, CPU milliseconds of one frame."""
    shares, errors, spent = [], [], []
    for eighth in range(1, 8):
        view, milliseconds = moved(image, eighth / 8, crisp=crisp)
        back, _ = moved(view, -eighth / 8, crisp=crisp)
        shares.append(detail(view) / detail(image))
        errors.append(float(((inner(back) - inner(image)) ** 2).mean()))
        spent.append(milliseconds)
    return [100 * float(np.mean(shares)), -10 * float(np.log10(np.mean(errors))), float(np.median(spent))]


def moved(image: d3.Image, pixels: float, *, crisp: bool) -> tuple[d3.Image, float]:
    """The picture moved to the left by ``pixels``, and the CPU milliseconds of drawing it."""
    width, height = image.size
    depth = d3.DepthMap(np.ones((height, width), np.float32))
    mesh = build_layers(image, depth, parallax_percent=1.0, backdrop=False)
    camera = eye_camera(mesh.camera, image.size.aspect, 100 * pixels / width, 0.0)
    with Renderer(image.size, crisp=crisp) as renderer:
        renderer.upload(mesh)
        renderer.draw(camera)
        start = time.process_time()
        renderer.render(camera)
        run_on_render_thread(lambda: get_context().finish())
        spent = time.process_time() - start
        return renderer.draw(camera), 1000 * spent


def detail(image: d3.Image) -> float:
    gray = inner(image).mean(2)
    return float((gray - cv2.GaussianBlur(gray, (0, 0), 1.0)).std())


def inner(image: d3.Image) -> NDArray[np.float32]:
    return image.floats()[BORDER:-BORDER, BORDER:-BORDER]


if __name__ == "__main__":
    main()
